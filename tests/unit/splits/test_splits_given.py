"""Splits that the authors made: a column says who is tested, or in which fold."""

import pytest
from simulated_people import people, same

from triptych.errors import DataError
from triptych.plugins import load
from triptych.tables import KEY, SPLITS

GIVEN, FOLDS = load("splits", "given"), load("splits", "given_folds")


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


# ---- given folds ----


def test_given_folds():
    table = people(fold=[7, 3, 3, 5] * 10)
    found = FOLDS.split(table, FOLDS.Options(), seed=0)
    assert list(found) == SPLITS
    assert set(found["repeat"]) == {0}
    tested = found[found["part"] == "test"].merge(table, on=KEY)
    assert tested.groupby("fold_x")["fold_y"].unique().map(list).to_dict() == {0: [3], 1: [5], 2: [7]}
    assert not tested.duplicated(KEY).any(), "everybody is tested once"
    assert (found.groupby("fold").size() == len(table)).all(), "every row has a part in every fold"
    same(FOLDS.split(table.sample(frac=1, random_state=0), FOLDS.Options(), seed=9), found)


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (people(fold=1), {"column": "folds"}, r"no column 'folds' in the participants table; did you mean 'fold'\?"),
        (
            people(fold=[None] + [1, 2, 3] * 13),
            {},
            r"participant 'p000' has no fold in 'fold'; fill it or leave the row out",
        ),
        (people(fold=4), {}, r"every row of 'fold' is 4; two folds are needed"),
    ],
)
def test_given_folds_refuses(table, options, message):
    with pytest.raises(DataError, match=f"given_folds: {message}"):
        FOLDS.split(table, FOLDS.Options(**options), seed=0)
