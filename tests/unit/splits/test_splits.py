"""Split schemes: nobody is on two sides, everybody is tested once, and the order of the rows means nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from triptych.errors import DataError
from triptych.plugins import load, names
from triptych.splits._groups import group_codes
from triptych.tables import FAMILY, KEY, PERSON, SPLITS

KFOLD, GIVEN, SITES = load("splits", "repeated_kfold"), load("splits", "given"), load("splits", "leave_site_out")


def people(n=40, **columns):
    table = pd.DataFrame(
        {
            "cohort": "c",
            "participant_id": [f"p{i:03d}" for i in range(n)],
            "session_id": "ses-1",
            "event": [i % 3 == 0 for i in range(n)],
        }
    )
    return table.assign(**columns)


def relatives(table):
    """Who must stay together, by brute force: rows that share a person or a family, directly or through others."""
    group = np.arange(len(table))
    person = list(zip(table["cohort"], table["participant_id"], strict=True))
    family = [
        (c, f) if isinstance(f, str) else None
        for c, f in zip(table["cohort"], table.get(FAMILY, [None] * len(table)), strict=True)
    ]
    for _ in range(len(table)):
        for i in range(len(table)):
            for j in range(i):
                if person[i] == person[j] or (family[i] is not None and family[i] == family[j]):
                    group[i] = group[j] = min(group[i], group[j])
    return group


def sides(splits, table):
    """One row per (repeat, fold, relatives): the parts in which they are."""
    group = dict(zip(map(tuple, table[KEY].to_numpy()), relatives(table), strict=True))
    groups = [group[tuple(key)] for key in splits[KEY].to_numpy()]
    return splits.assign(group=groups).groupby(["repeat", "fold", "group"])["part"].nunique()


def same(one, other):
    order = ["repeat", "fold", *KEY]
    pd.testing.assert_frame_equal(
        one.sort_values(order, ignore_index=True), other.sort_values(order, ignore_index=True)
    )


@st.composite
def cohorts(draw):
    """Rows with repeated sessions and families; a family may be named by some sessions of a person only, or be two."""
    n = draw(st.integers(8, 24))
    rows = {}
    for _ in range(n):
        key = (draw(st.sampled_from("ab")), f"p{draw(st.integers(0, 11))}", f"s{draw(st.integers(0, 2))}")
        rows[key] = (draw(st.sampled_from([None, None, "f1", "f2", "f3"])), draw(st.booleans()))
    table = pd.DataFrame([(*key, *rest) for key, rest in rows.items()], columns=[*KEY, FAMILY, "event"])
    return table if draw(st.booleans()) else table.drop(columns=FAMILY)


@settings(max_examples=80, deadline=None)
@given(table=cohorts(), order=st.randoms())
def test_groups_are_the_relatives_whatever_the_order(table, order):
    codes = group_codes(table)
    expected = relatives(table)
    assert pd.crosstab(codes, expected).gt(0).sum(axis=0).eq(1).all()
    assert pd.crosstab(codes, expected).gt(0).sum(axis=1).eq(1).all()
    rows = list(range(len(table)))
    order.shuffle(rows)
    assert group_codes(table.iloc[rows]).tolist() == codes[rows].tolist()


@settings(max_examples=60, deadline=None)
@given(table=cohorts(), folds=st.integers(2, 4), seed=st.integers(0, 5), order=st.randoms())
def test_kfold_keeps_relatives_together(table, folds, seed, order):
    options = KFOLD.Options(folds=folds, repeats=2)
    try:
        found = KFOLD.split(table, options, seed=seed)
    except DataError:
        assume(False)
    assert list(found) == SPLITS
    assert (sides(found, table) == 1).all(), "nobody and no family on two sides"
    tested = found[found["part"] == "test"]
    assert len(tested) == 2 * len(table), "every row is tested once in each repeat"
    assert not tested.duplicated(["repeat", *KEY]).any()
    assert tested.groupby(["repeat", *PERSON])["fold"].nunique().eq(1).all(), "all sessions of a person in one fold"
    events = tested.merge(table[[*KEY, "event"]], on=KEY).groupby(["repeat", "fold"])["event"].sum()
    assert len(events) == 2 * folds
    assert (events > 0).all(), "an event in every fold"
    assert (found.groupby(["repeat", "fold"]).size() == len(table)).all(), "every row has a part in every fold"
    rows = list(range(len(table)))
    order.shuffle(rows)
    same(KFOLD.split(table.iloc[rows], options, seed=seed), found)


def test_kfold_is_a_function_of_seed_and_keys():
    table = people()
    one = KFOLD.split(table, KFOLD.Options(), seed=1)
    same(KFOLD.split(table.assign(other=1.0), KFOLD.Options(), seed=1), one)
    assert not KFOLD.split(table, KFOLD.Options(), seed=2).equals(one)
    test = one[one["part"] == "test"].set_index(["repeat", *KEY])["fold"]
    assert not test.loc[0].equals(test.loc[1]), "repeats differ"
    more = KFOLD.split(table, KFOLD.Options(repeats=7), seed=1)
    same(more[more["repeat"] < 5], one)


@pytest.mark.parametrize("n", range(50, 60))
def test_kfold_is_balanced(n):
    table = people(n)
    found = KFOLD.split(table, KFOLD.Options(folds=5, repeats=3), seed=0)
    tested = found[found["part"] == "test"].merge(table, on=KEY)
    sizes = tested.groupby(["repeat", "fold"]).agg(n=("event", "size"), events=("event", "sum"))
    assert sizes["n"].max() - sizes["n"].min() <= 1
    assert sizes["events"].max() - sizes["events"].min() <= 1


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (
            people(event=[True] * 3 + [False] * 37),
            {},
            r"3 of 40 patients have an event: too few for 5 folds .*; use `folds: 3`",
        ),
        (people(6, event=True), {}, r"6 of 6 patients have an event: too few for 5 folds .*; use `folds: 3`"),
        (people(), {"folds": 1}, r"repeated_kfold: `folds:` must be 2 or more, not 1"),
        (people(), {"folds": 0}, r"repeated_kfold: `folds:` must be 2 or more, not 0"),
        (people(), {"repeats": 0}, r"repeated_kfold: `repeats:` must be 1 or more, not 0"),
    ],
)
def test_kfold_refuses(table, options, message):
    with pytest.raises(DataError, match=message):
        KFOLD.split(table, KFOLD.Options(**options), seed=0)


def test_two_events_of_one_family_fill_one_fold_only():
    table = people(event=[True] * 2 + [False] * 38, family_id=["f", "f"] + [None] * 38)
    with pytest.raises(DataError, match=r"1 of 39 patients have an event"):
        KFOLD.split(table, KFOLD.Options(folds=2), seed=0)


def test_a_family_name_in_two_cohorts_is_two_families():
    table = pd.concat([people(2, family_id="1"), people(2, family_id="1", cohort="d")])
    assert len(np.unique(group_codes(table))) == 2


# ---- given ----


def test_given():
    table = people(split=["train", "test", "train", "val"] * 10)
    found = GIVEN.split(table, GIVEN.Options(), seed=0)
    assert list(found) == SPLITS
    assert found["part"].tolist() == ["train", "test", "train", "train"] * 10
    same(GIVEN.split(table.sample(frac=1, random_state=0), GIVEN.Options(), seed=9), found)


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (people(splits="test"), {}, r"given: no column 'split' in the participants table; did you mean 'splits'\?"),
        (
            people(split=[None] + ["test"] * 39),
            {},
            r"given: participant 'p000' has no value in 'split'; say train or test for each",
        ),
        (
            people(split=["Test", "train"] * 20),
            {},
            r"column 'split' puts 0 of 40 rows into 'test'; it holds 'Test', 'train': name another value with `test:`",
        ),
        (people(split="test"), {}, r"column 'split' puts 40 of 40 rows into 'test'"),
    ],
)
def test_given_refuses(table, options, message):
    with pytest.raises(DataError, match=message):
        GIVEN.split(table, GIVEN.Options(**options), seed=0)


# ---- leave one site out ----


def test_leave_site_out():
    table = people(42, site=[f"s{i % 7 // 2}" for i in range(42)])  # s0, s1, s2: 12 each; s3: 6
    found = SITES.split(table, SITES.Options(), seed=0)
    assert list(found) == SPLITS
    assert found["fold"].nunique() == 4
    merged = found.merge(table[[*KEY, "site"]], on=KEY)
    for _, rows in merged.groupby("fold"):
        test, train = (set(rows.loc[rows["part"] == part, "site"]) for part in ("test", "train"))
        assert len(test) == 1
        assert not test & train
    assert not found[found["part"] == "test"].duplicated(KEY).any()
    same(SITES.split(table.sample(frac=1, random_state=0), SITES.Options(), seed=9), found)


def test_small_sites_train_only():
    table = people(
        site=["big"] * 18 + ["large"] * 18 + ["small"] * 4, event=[True, False] * 18 + [True, False, False, False]
    )
    found = SITES.split(table, SITES.Options(min_events=2), seed=0)
    assert found["fold"].nunique() == 2
    small = found["participant_id"].isin(table.loc[table["site"] == "small", "participant_id"])
    assert set(found.loc[small, "part"]) == {"train"}


@settings(max_examples=40, deadline=None)
@given(table=cohorts(), data=st.data())
def test_leave_site_out_never_tears_relatives(table, data):
    table = table.assign(
        site=data.draw(st.lists(st.sampled_from(["x", "y", "z"]), min_size=len(table), max_size=len(table)))
    )
    if pd.Series((table["cohort"] + table["site"]).to_numpy()).groupby(relatives(table)).nunique().max() > 1:
        with pytest.raises(DataError, match="was seen at two sites"):
            SITES.split(table, SITES.Options(min_events=1), seed=0)
        return
    try:
        found = SITES.split(table, SITES.Options(min_events=1), seed=0)
    except DataError:  # too few sites with an event
        assume(False)
    assert (sides(found, table) == 1).all()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (people(), r"leave_site_out needs a column 'site' in the participants table"),
        (
            people(site=[None] + ["a", "b", "c"] * 13),
            r"participant 'p000' has no site; fill the column 'site' or leave the patient out",
        ),
        (people(site="a"), r"leave_site_out: 1 site\(s\) with 2 events or more; two are needed"),
        (
            people(site=["a", "b"] * 20, family_id=["f", "f"] + [None] * 38),
            r"'p000' \(or the family\) was seen at two sites",
        ),
    ],
)
def test_leave_site_out_refuses(table, message):
    with pytest.raises(DataError, match=message):
        SITES.split(table, SITES.Options(), seed=0)


# ---- the contract of every scheme ----


@pytest.mark.parametrize("name", names("splits"))
def test_contract(name):
    module = load("splits", name)
    table = people(
        60,
        site=[f"s{i % 3}" for i in range(60)],
        split=["train", "train", "test"] * 20,
        event=[i % 2 == 0 for i in range(60)],
    )
    table = table.assign(time=1.0)
    before = table.copy()
    found = module.split(table, module.Options(), seed=3)
    assert list(found) == SPLITS
    assert set(found["part"]) == {"train", "test"}
    assert set(module.ANSWERS) <= {"new-patients", "new-site", "procedure"}
    assert found["repeat"].min() == found["fold"].min() == 0
    assert not found.duplicated(["repeat", "fold", *KEY]).any()
    assert (sides(found, table) == 1).all()
    for _, rows in found.groupby(["repeat", "fold"]):
        assert set(rows["part"]) == {"train", "test"}
    pd.testing.assert_frame_equal(table, before)
    same(module.split(table.iloc[::-1], module.Options(), seed=3), found)
