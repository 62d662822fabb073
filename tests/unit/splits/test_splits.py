"""Split schemes: nobody is on two sides, everybody is tested once, and the order of the rows means nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from simulated_people import cohorts, people, relatives, same, sides

from triptych.errors import DataError
from triptych.plugins import describe, load, names
from triptych.splits._groups import group_codes
from triptych.tables import KEY, PERSON, SPLITS

KFOLD, SITES, ROWS = (load("splits", name) for name in ("repeated_kfold", "leave_site_out", "row_kfold"))


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
    events = tested.merge(table[[*KEY, "stratum"]], on=KEY).groupby(["repeat", "fold"])["stratum"].sum()
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
    sizes = tested.groupby(["repeat", "fold"]).agg(n=("stratum", "size"), events=("stratum", "sum"))
    assert sizes["n"].max() - sizes["n"].min() <= 1
    assert sizes["events"].max() - sizes["events"].min() <= 1


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (
            people(stratum=[True] * 3 + [False] * 37),
            {},
            r"3 of 40 patients have an event or are positive: too few for 5 folds .*; use `folds: 3`",
        ),
        (
            people(6, stratum=True),
            {},
            r"6 of 6 patients have an event or are positive: too few for 5 folds .*; use `folds: 3`",
        ),
        (people(), {"folds": 1}, r"repeated_kfold: `folds:` must be 2 or more, not 1"),
        (people(), {"folds": 0}, r"repeated_kfold: `folds:` must be 2 or more, not 0"),
        (people(), {"repeats": 0}, r"repeated_kfold: `repeats:` must be 1 or more, not 0"),
    ],
)
def test_kfold_refuses(table, options, message):
    with pytest.raises(DataError, match=message):
        KFOLD.split(table, KFOLD.Options(**options), seed=0)


def test_two_events_of_one_family_fill_one_fold_only():
    table = people(stratum=[True] * 2 + [False] * 38, family_id=["f", "f"] + [None] * 38)
    with pytest.raises(DataError, match=r"1 of 39 patients have an event or are positive"):
        KFOLD.split(table, KFOLD.Options(folds=2), seed=0)


def test_a_family_name_in_two_cohorts_is_two_families():
    table = pd.concat([people(2, family_id="1"), people(2, family_id="1", cohort="d")])
    assert len(np.unique(group_codes(table))) == 2


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
        site=["big"] * 18 + ["large"] * 18 + ["small"] * 4, stratum=[True, False] * 18 + [True, False, False, False]
    )
    found = SITES.split(table, SITES.Options(min_events=2), seed=0)
    assert found["fold"].nunique() == 2
    small = found["participant_id"].isin(table.loc[table["site"] == "small", "participant_id"])
    assert set(found.loc[small, "part"]) == {"train"}


def test_some_sites_may_always_train():
    table = people(site=["big"] * 20 + ["large"] * 20, stratum=[True, False] * 20)
    found = SITES.split(table, SITES.Options(always_train=("big",)), seed=0)
    tested = found.loc[found["part"] == "test", "participant_id"]
    assert found["fold"].nunique() == 1
    assert set(tested) == set(table.loc[table["site"] == "large", "participant_id"])
    with pytest.raises(DataError, match="`always_train:` no site 'bog'; did you mean 'big'"):
        SITES.split(table, SITES.Options(always_train=("bog",)), seed=0)


def test_a_data_set_is_left_out_whole_and_needs_no_sites():
    table = people(stratum=[True, False] * 20).assign(cohort=["one"] * 24 + ["other"] * 16)
    found = SITES.split(table, SITES.Options(by="cohort"), seed=0)
    for fold, name in enumerate(["one", "other"]):
        rows = found[found["fold"] == fold]
        assert set(rows.loc[rows["part"] == "test", "cohort"]) == {name}
        assert name not in set(rows.loc[rows["part"] == "train", "cohort"])


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
        (
            people(site="a"),
            r"leave_site_out: 1 site\(s\) with 2 events \(or positive cases\) or more can be tested; two are needed",
        ),
        (
            people(site=["a", "b"] * 20, family_id=["f", "f"] + [None] * 38),
            r"'p000' \(or the family\) was seen at two sites",
        ),
    ],
)
def test_leave_site_out_refuses(table, message):
    with pytest.raises(DataError, match=message):
        SITES.split(table, SITES.Options(), seed=0)


# ---- by row: wrong on purpose ----


def sessions(n=30, each=3):
    """``each`` sessions of ``n`` people; what a person has, all of its sessions have."""
    table = pd.concat([people(n).assign(session_id=f"ses-{k}") for k in range(each)], ignore_index=True)
    return table.assign(stratum=table["participant_id"].isin([f"p{i:03d}" for i in range(0, n, 3)]))


def test_by_row_a_person_is_on_both_sides_and_by_person_never():
    table = sessions()
    torn = {
        name: (sides(module.split(table, module.Options(), seed=0), table) > 1).mean()
        for name, module in (("row", ROWS), ("person", KFOLD))
    }
    assert torn["row"] == pytest.approx(1 - 0.8**3 - 0.2**3, abs=0.08)  # a fold tests one or two of three sessions
    assert torn["person"] == 0
    assert (ROWS.LEAKS, ROWS.ANSWERS) == (True, ())


def test_by_row_it_is_kfold_where_every_row_is_a_person():
    table = people(50)
    same(ROWS.split(table, ROWS.Options(), seed=4), KFOLD.split(table, KFOLD.Options(), seed=4))


@settings(max_examples=40, deadline=None)
@given(table=cohorts(), folds=st.integers(2, 4), seed=st.integers(0, 5), order=st.randoms())
def test_by_row_every_row_is_tested_once(table, folds, seed, order):
    options = ROWS.Options(folds=folds, repeats=2)
    try:
        found = ROWS.split(table, options, seed=seed)
    except DataError:
        assume(False)
    tested = found[found["part"] == "test"]
    assert len(tested) == 2 * len(table)
    assert not tested.duplicated(["repeat", *KEY]).any()
    sizes = (
        tested.merge(table, on=KEY).groupby(["repeat", "fold"]).agg(n=("stratum", "size"), events=("stratum", "sum"))
    )
    assert sizes["n"].max() - sizes["n"].min() <= 1
    assert sizes["events"].max() - sizes["events"].min() <= 1
    rows = list(range(len(table)))
    order.shuffle(rows)
    same(ROWS.split(table.iloc[rows], options, seed=seed), found)


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (
            people(stratum=[True] * 3 + [False] * 37),
            {},
            r"3 of 40 rows have an event or are positive: .*; use `folds: 3`",
        ),
        (people(), {"folds": 1}, r"row_kfold: `folds:` must be 2 or more, not 1"),
        (people(), {"repeats": 0}, r"row_kfold: `repeats:` must be 1 or more, not 0"),
    ],
)
def test_by_row_refuses(table, options, message):
    with pytest.raises(DataError, match=message):
        ROWS.split(table, ROWS.Options(**options), seed=0)


# ---- the contract of every scheme ----


@pytest.mark.parametrize("name", names("splits"))
def test_contract(name):
    module = load("splits", name)
    table = people(
        60,
        site=[f"s{i % 3}" for i in range(60)],
        split=["train", "train", "test"] * 20,
        fold=[i % 4 for i in range(60)],
        stratum=[i % 2 == 0 for i in range(60)],
    )
    before = table.copy()
    found = module.split(table, module.Options(), seed=3)
    assert list(found) == SPLITS
    assert set(found["part"]) == {"train", "test"}
    assert set(module.ANSWERS) <= {"new-patients", "new-site", "procedure"}
    leaks = describe("splits", name).literals.get("LEAKS", False)
    assert describe("splits", name)["ANSWERS"] == module.ANSWERS  # readable without an import
    assert bool(module.ANSWERS) != leaks, "a split that leaks answers nothing"
    assert found["repeat"].min() == found["fold"].min() == 0
    assert not found.duplicated(["repeat", "fold", *KEY]).any()
    several = pd.concat([table, table.assign(session_id="ses-2")], ignore_index=True)
    torn = sides(module.split(several, module.Options(), seed=3), several) > 1
    assert torn.any() == leaks, "whoever tears people apart says so in LEAKS"
    for _, rows in found.groupby(["repeat", "fold"]):
        assert set(rows["part"]) == {"train", "test"}
    pd.testing.assert_frame_equal(table, before)
    same(module.split(table.iloc[::-1], module.Options(), seed=3), found)
