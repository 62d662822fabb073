"""From the columns of a table to a matrix, what training may choose by, and what predictions look like."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from simulated_examples import BLOCKS, changed, cohort

from triptych import plugins
from triptych.errors import DataError
from triptych.fitting import fit_folds
from triptych.models import _inputs
from triptych.models._inputs import (
    class_table,
    fit_encoder,
    held_out_rows,
    inner_folds,
    need_classes,
    need_events,
    number_table,
    survival_table,
)
from triptych.splits._groups import group_codes
from triptych.tables import Examples


@pytest.fixture(scope="module")
def train():
    return cohort(seed=0)


@pytest.fixture(scope="module")
def test():
    return cohort(n=60, seed=9)


def test_the_encoder_learns_from_training_rows_only(train, test):
    encoder = fit_encoder(train, ["clinical", "genes"])
    by_name = {column.name: column for column in encoder.columns}
    assert by_name["age"].fill == train.table["age"].median()
    assert by_name["grade"].fill == train.table["grade"].mode()[0]
    assert by_name["grade"].levels == ("high", "low", "mid")
    assert encoder.names == ["age", "grade=low", "grade=mid", "g1", "g2", "g3"]
    x = encoder(train)
    assert x.shape == (len(train), len(encoder.names))
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-12)
    shifted = changed(test, g1=test.table["g1"] + 5)
    np.testing.assert_allclose(
        (encoder(shifted) - encoder(test))[:, 3], 5 / train.table["g1"].std(ddof=0), rtol=1e-12
    )  # the scale is that of training
    assert encoder.seen == train.fingerprint() != test.fingerprint()


def test_columns_that_say_nothing_are_dropped_and_named(train):
    mostly = np.where(np.arange(len(train)) % 10 == 0, train.table["g2"], np.nan)
    encoder = fit_encoder(changed(train, g2=mostly), ["clinical", "genes"])
    assert encoder.dropped == {"flat": "constant in training", "g2": "90% missing in training"}
    assert not any(column.name in ("flat", "g2") for column in encoder.columns)


def test_a_level_never_seen_is_the_reference(train):
    encoder = fit_encoder(train, ["clinical"])
    high, unseen = (encoder(changed(train, grade=level)) for level in ("high", "unheard of"))
    np.testing.assert_array_equal(high, unseen)
    empty = encoder(changed(train, grade=None))
    np.testing.assert_array_equal(empty, encoder(changed(train, grade=train.table["grade"].mode()[0])))


# ---- folds inside training -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["survival", "classification", "regression"])
def test_inner_folds_keep_people_together_and_spread_what_is_rare(kind):
    train = cohort(kind)
    table = pd.concat([train.table, train.table.head(30).assign(session_id="ses-2")], ignore_index=True)
    twice = Examples(table, BLOCKS, kind)
    folds = inner_folds(twice, 5, seed=3)
    assert set(folds) == set(range(5))
    np.testing.assert_array_equal(folds[80:], folds[:30])
    spread = np.bincount(folds[:80], weights=twice.stratum[:80])
    assert spread.max() - spread.min() <= 1
    sizes = np.bincount(folds[:80])
    assert sizes.max() - sizes.min() <= 1
    order = np.random.default_rng(0).permutation(len(twice))
    np.testing.assert_array_equal(inner_folds(twice.take(order), 5, seed=3), folds[order])
    assert not np.array_equal(inner_folds(twice, 5, seed=4), folds)


PEOPLE = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from([None, "f1", "f2", "f3", "f4"]), st.sampled_from("abcdef")),
    min_size=24,
    max_size=48,
)


def visits(rows):
    """Rows (person, family or None, site) of which a person may have many, and of more than one family or site."""
    random = np.random.default_rng(len(rows))
    table = pd.DataFrame(rows, columns=["participant_id", "family_id", "site"])
    table["participant_id"] = "p" + table["participant_id"].astype(str)
    head = {"cohort": "sim", "session_id": [f"ses-{k}" for k in range(len(rows))]}
    return Examples(table.assign(**head, y=random.integers(0, 2, len(rows))), {}, "classification")


@settings(max_examples=60, deadline=None)
@given(rows=PEOPLE, folds=st.integers(2, 6), unseen=st.sampled_from([(), ("site",)]))
def test_no_relative_is_on_two_sides_of_an_inner_fold(rows, folds, unseen):
    train = visits(rows)
    train = Examples(train.table, {}, train.kind, unseen)
    assume(group_codes(train.table).max() > 0)  # one group: refused, and tested below
    code = inner_folds(train, folds, seed=1)
    assert len(np.unique(code)) > 1
    told = train.table.assign(code=code)
    assert (told.groupby("participant_id")["code"].nunique() == 1).all()
    assert (told.dropna(subset="family_id").groupby("family_id")["code"].nunique() == 1).all()
    kept = held_out_rows(train, folds, seed=1)
    np.testing.assert_array_equal(kept, code == 0)


def of_sites(sizes, kind="classification", unseen=("site",), **more):
    """People of some sites, each with so many."""
    one = cohort(kind, n=sum(sizes.values()))
    site = np.repeat(list(sizes), list(sizes.values()))
    return Examples(one.table.assign(site=site, **more), one.blocks, kind, unseen)


@pytest.mark.parametrize("kind", ["survival", "classification", "regression"])
def test_inner_folds_leave_out_whole_sites_where_the_tested_ones_are_unseen(kind):
    sizes = {"a": 30, "b": 9, "c": 31, "d": 12, "e": 18, "f": 20, "g": 25}
    train = of_sites(sizes, kind)
    code = inner_folds(train, 5, seed=2)
    assert set(code) == set(range(5))
    assert (pd.Series(code).groupby(train.table["site"].to_numpy()).nunique() == 1).all()
    counts = np.bincount(code)
    assert abs(counts[0] - len(code) / 5) == np.abs(counts - len(code) / 5).min(), "early stopping keeps a fair share"
    order = np.random.default_rng(0).permutation(len(train))
    np.testing.assert_array_equal(inner_folds(train.take(order), 5, seed=2), code[order])
    known = Examples(train.table, train.blocks, kind)
    assert (pd.Series(inner_folds(known, 5, seed=2)).groupby(train.table["site"].to_numpy()).nunique() > 3).all()


def test_as_many_inner_folds_as_sites_at_most_and_two_sites_are_too_few():
    three, two = of_sites({"a": 20, "b": 25, "c": 30}), of_sites({"a": 40, "b": 35})
    assert len(np.unique(inner_folds(three, 5, seed=1))) == 3
    assert len(np.unique(inner_folds(two, 5, seed=1))) == 5
    together = of_sites({"a": 20, "b": 25, "c": 30}, family_id=[None] * 19 + ["f"] * 2 + [None] * 54)
    assert len(np.unique(inner_folds(together, 5, seed=1))) == 5, "a family ties a to b"


def test_sites_named_alike_in_two_cohorts_are_two():
    train = of_sites({"a": 40, "b": 40}, cohort=["one", "two"] * 40)
    assert len(np.unique(inner_folds(train, 5, seed=1))) == 4


def test_places_are_not_left_out_when_a_class_would_be_missing():
    """All positive people of one site: without it nothing is to be learned."""
    train = of_sites({"a": 20, "b": 25, "c": 30})
    train = changed(train, y=(train.table["site"] == "a").astype(int))
    train = Examples(train.table, train.blocks, train.kind, ("site",))
    code = inner_folds(train, 5, seed=1)
    assert all(len(np.unique(train.y[code != k])) == 2 for k in range(5))


@pytest.mark.parametrize("folds", [1, 0, -1])
def test_fewer_than_two_inner_folds(folds, train):
    with pytest.raises(DataError, match=rf"^{folds} fold\(s\) inside training leave nobody to learn from"):
        inner_folds(train, folds, seed=1)


def test_one_family_cannot_be_shared_out(train):
    with pytest.raises(DataError, match=r"^all training rows are of one person or family"):
        inner_folds(changed(train, family_id="f"), 5, seed=1)


def test_nobody_is_kept_when_none_is_asked_for(train):
    assert not held_out_rows(train, 0, seed=1).any()
    with pytest.raises(DataError, match="`held_out: 0` keeps nobody"):
        held_out_rows(train, 1, seed=1)


# By which models choose, and how they are told: each on its own kind of outcome.
CHOOSERS = [
    ("cox", "survival", {"ridge": [1, 100]}),
    ("coxnet", "survival", {"penalties": 8}),
    ("deepsurv", "survival", {"epochs": 3}),
    ("random_survival_forest", "survival", {"trees": 5}),
    ("logistic", "classification", {}),
    ("linear_svm", "classification", {}),
    ("ridge", "regression", {}),
]


@pytest.mark.parametrize(("name", "kind", "options"), CHOOSERS, ids=[name for name, *_ in CHOOSERS])
@pytest.mark.parametrize(("split", "whole"), [("leave_site_out", True), ("repeated_kfold", False)])
def test_models_choose_by_sites_only_where_sites_are_left_out(name, kind, options, split, whole, monkeypatch):
    one = of_sites({"a": 30, "b": 25, "c": 35, "d": 30}, kind, unseen=())
    module, seen = plugins.load("splits", split), []
    splits = module.split(one.table.assign(stratum=one.stratum), module.Options(), seed=1)

    def noted(train, folds, seed):
        seen.append((train.table["site"].to_numpy(), inner_folds(train, folds, seed)))
        return seen[-1][1]

    for module in (_inputs, plugins.load("models", name)):
        monkeypatch.setattr(module, "inner_folds", noted, raising=False)
    how = {"task": "t", "name": "m", "use": name, "blocks": ["genes"], "options": options, "times": None}
    splits = splits[splits["repeat"] == 0]
    table, _, failures = fit_folds(one, splits, **how, seed=1, device="cpu", tolerate=False)
    assert (len(table), failures) == (len(one), [])
    assert bool(seen) == (name != "random_survival_forest"), "a forest chooses nothing"
    for site, code in seen:
        assert (pd.Series(code).groupby(site).nunique() == 1).all() == whole
        assert len(set(site)) == (3 if whole else 4)


# ---- what is needed, what is returned ------------------------------------------------------------


@pytest.mark.parametrize(("positive", "refused"), [(0, True), (1, False), (79, False), (80, True)])
def test_both_classes_are_needed(positive, refused):
    train = changed(cohort("classification"), y=(np.arange(80) < positive).astype(int))
    if not refused:
        need_classes(train)
        return
    with pytest.raises(DataError, match=rf"^{positive} of 80 training rows are positive; both classes are needed$"):
        need_classes(train)


def test_events_are_needed(train):
    need_events(changed(train, event=np.arange(80) < 2), 2)
    with pytest.raises(DataError, match=r"^1 of 80 training rows have an event; 2 are needed$"):
        need_events(changed(train, event=np.arange(80) < 1), 2)


def test_tables_of_predictions(train):
    few = train.take(np.array([7, 3, 5]))
    risk = survival_table(few, [1, 2, 3], np.array([0.5, 2.0]), np.array([[0.9, 0.1]] * 3))
    assert (list(risk), risk.index.tolist()) == (["risk", "0.5", "2.0"], [7, 3, 5])
    assert list(survival_table(few, [1, 2, 3], None, None)) == ["risk"]
    told = class_table(few, [-1.0, 0.0, 0.5], None)
    assert told["predicted"].tolist() == [0, 0, 1]
    assert list(told) == ["score", "predicted"]
    with_p = class_table(few, [0.2, 0.5, 0.7], [0.2, 0.5, 0.7], cut=0.5)
    assert (with_p["predicted"].tolist(), with_p["p"].tolist()) == ([0, 0, 1], [0.2, 0.5, 0.7])
    number = number_table(few, [1, 2, 3])
    assert (number["predicted"].dtype, number.index.tolist()) == (np.float64, [7, 3, 5])
