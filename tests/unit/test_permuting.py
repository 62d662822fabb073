"""Outcomes exchanged between whole patients: what a permuted model learns from, and that it finds nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.fitting import fit_folds, fit_seed, permute_outcomes
from triptych.outcomes import OUTCOME
from triptych.tables import KEY, PERSON, SITE, Examples

KINDS = ("survival", "classification", "regression")


def cohort(kind="regression", n=30, sessions=1, sites=("h1", "h2"), seed=0, cohorts=("a",)):
    """Every person has one outcome, in all of its sessions; no two people have the same one (of numbers and times)."""
    random = np.random.default_rng(seed)
    parts = []
    for name in cohorts:
        who = pd.DataFrame(
            {"cohort": name, "participant_id": [f"p{k:02d}" for k in range(n)], "x": random.normal(size=n)}
        )
        if sites:
            who[SITE] = random.choice(sites, n)
        number, flag = random.permutation(n) + 0.5 + 100 * len(parts), random.random(n) < 0.4
        outcome = {"survival": {"time": number, "event": flag}, "classification": {"y": flag.astype(int)}}
        who = who.assign(**outcome.get(kind, {"y": number}))
        parts += [who.assign(session_id=f"ses-{k}", x=who["x"] + k) for k in range(sessions)]
    return Examples(pd.concat(parts, ignore_index=True), {"all": ["x"]}, kind)


def outcomes(examples):
    """Outcome by person: one row each."""
    return examples.table.drop_duplicates(PERSON).set_index(PERSON)[OUTCOME[examples.kind]]


@st.composite
def cohorts(draw):
    """One to three sessions of people at known or unknown sites of one or two cohorts."""
    sites = draw(st.sampled_from([(), ("h1",), ("h1", "h2", "h3")]))
    names = draw(st.sampled_from([("a",), ("a", "b")]))
    made = cohort(draw(st.sampled_from(KINDS)), draw(st.integers(2, 15)), draw(st.integers(1, 3)), sites, cohorts=names)
    kept = np.array(draw(st.lists(st.booleans(), min_size=len(made), max_size=len(made))))
    return made.take(kept | (np.arange(len(made)) % 4 == 0))


@settings(max_examples=80, deadline=None)
@given(cohorts(), st.integers(0, 99))
def test_all_rows_of_a_person_have_one_outcome_and_nothing_else_changes(examples, seed):
    found = permute_outcomes(examples, seed)
    assert (found.kind, found.blocks) == (examples.kind, examples.blocks)
    named = OUTCOME[examples.kind]
    assert (found.table.groupby(PERSON)[named].nunique() == 1).all(axis=None)
    pd.testing.assert_frame_equal(found.table.drop(columns=named), examples.table.drop(columns=named))
    assert list(found.table) == list(examples.table)
    assert found.fingerprint() == examples.fingerprint()


@settings(max_examples=80, deadline=None)
@given(cohorts(), st.integers(0, 99))
def test_the_outcomes_of_the_people_of_a_site_are_kept(examples, seed):
    """As a multiset of whole outcomes: a time keeps its event."""
    before, after = (
        table.drop_duplicates(PERSON) for table in (examples.table, permute_outcomes(examples, seed).table)
    )
    named = OUTCOME[examples.kind]
    by = [SITE] if SITE in before else [pd.Series(0, index=before.index)]
    for (_, old), (_, new) in zip(before.groupby(by), after.groupby(by), strict=True):
        assert sorted(map(tuple, old[named].to_numpy())) == sorted(map(tuple, new[named].to_numpy()))


def test_sites_keep_their_share_of_events():
    """A site with many events stays one: what differs between sites is no signal of the inputs."""
    examples = cohort("classification", n=200, seed=3)
    often = (examples.table[SITE] == "h1").to_numpy()
    y = np.where(often, np.arange(200) % 10 < 8, np.arange(200) % 10 < 1).astype(int)
    examples = Examples(examples.table.assign(y=y), examples.blocks, "classification")
    found = permute_outcomes(examples, 5)
    for site in (often, ~often):
        assert found.y[site].sum() == examples.y[site].sum()
        assert not np.array_equal(found.y[site], examples.y[site])


def test_it_is_a_function_of_the_seed_and_the_keys():
    examples = cohort(sessions=2, sites=())
    one, again, other = (outcomes(permute_outcomes(examples, seed))["y"] for seed in (1, 1, 2))
    pd.testing.assert_series_equal(one, again)
    assert (one != other).mean() > 0.8
    assert (one != outcomes(examples)["y"]).mean() > 0.8
    rows = np.random.default_rng(0).permutation(len(examples))
    shuffled = outcomes(permute_outcomes(examples.take(rows), 1))["y"]
    pd.testing.assert_series_equal(shuffled.loc[one.index], one)


def test_every_exchange_is_as_likely():
    """Of three people each gets the outcome of each in a third of the draws."""
    examples = cohort(n=3, sites=())
    codes = {value: k for k, value in enumerate(sorted(examples.y))}
    counts = np.zeros((3, 3))
    for seed in range(600):
        counts[np.arange(3), [codes[v] for v in permute_outcomes(examples, seed).y]] += 1
    assert np.abs(counts / 600 - 1 / 3).max() < 0.08


def test_people_of_two_cohorts_are_two_people():
    examples = cohort(n=20, sites=(), cohorts=("a", "b"))
    found = outcomes(permute_outcomes(examples, 4))["y"]
    assert sorted(found) == sorted(outcomes(examples)["y"])
    assert len(found) == 40
    assert (found.loc["a"] > 100).any()  # without sites, outcomes cross cohorts


def test_an_unknown_site_is_a_site_of_its_own():
    examples = cohort(n=20, sites=("h1",))
    table = examples.table.assign(site=[None] * 10 + ["h1"] * 10)
    found = permute_outcomes(Examples(table, examples.blocks, "regression"), 1)
    assert sorted(found.y[:10]) == sorted(examples.y[:10])


# ---- in a fit ------------------------------------------------------------------------------------


def fits(examples, permuted, use="nearest_neighbour", seed=3, repeats=1):
    """Two folds by person."""
    fold = examples.people % 2
    splits = pd.concat(
        [
            examples.table[KEY].assign(repeat=r, fold=k, part=np.where(fold == k, "test", "train"))
            for r in range(repeats)
            for k in (0, 1)
        ]
    )
    kept = {
        "task": "t",
        "name": "permuted-m",
        "use": use,
        "blocks": ["all"],
        "options": {},
        "times": None,
        "device": "cpu",
    }
    return fit_folds(examples, splits, seed=seed, tolerate=False, permuted=permuted, **kept)[0]


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_permuted_model_is_judged_by_the_permuted_outcomes(kind):
    examples = cohort(kind, n=40, sessions=2)
    told = outcomes(permute_outcomes(examples, fit_seed(3, 0, 0)))["y"]
    table = fits(examples, permuted=True)
    assert table["y"].tolist() == told.loc[pd.MultiIndex.from_frame(table[PERSON])].tolist()
    plain = fits(examples, permuted=False)
    assert plain["y"].tolist() == outcomes(examples)["y"].loc[pd.MultiIndex.from_frame(plain[PERSON])].tolist()
    assert set(table["y"]) <= set(examples.y)


def test_all_folds_of_a_repeat_learn_from_one_exchange():
    """Else a person would have one outcome in training and another in the test."""
    table = fits(cohort(n=40), permuted=True)
    assert sorted(table["y"]) == sorted(cohort(n=40).y)
    two = fits(cohort(n=40), permuted=True, repeats=2)
    first, second = (two[two["repeat"] == r].sort_values(KEY)["y"].tolist() for r in (0, 1))
    assert sorted(first) == sorted(second)
    assert first != second


def test_signal_is_found_and_after_the_exchange_it_is_not():
    examples = cohort(n=300)
    table = examples.table.assign(y=examples.table["x"] + 0.1)
    examples = Examples(table, examples.blocks, "regression")
    found = {permuted: fits(examples, permuted, use="ridge") for permuted in (False, True)}
    r = {permuted: np.corrcoef(t["y"], t["predicted"])[0, 1] for permuted, t in found.items()}
    assert r[False] > 0.99
    assert abs(r[True]) < 0.25
