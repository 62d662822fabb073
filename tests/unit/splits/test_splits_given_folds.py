"""The authors' own folds: everybody is tested once, in the fold that the column names."""

import pytest
from simulated_people import people, same

from triptych.errors import DataError
from triptych.plugins import load
from triptych.tables import KEY, SPLITS

FOLDS = load("splits", "given_folds")


def test_given_folds():
    table = people(fold=[7, 3, 3, 5] * 10)
    found = FOLDS.split(table, FOLDS.Options(), seed=0)
    assert list(found) == SPLITS
    assert set(found["repeat"]) == {0}
    tested = found[found["part"] == "test"].merge(table, on=KEY)
    assert tested.groupby("fold_x")["fold_y"].unique().map(list).to_dict() == {0: [3], 1: [5], 2: [7]}
    assert not tested.duplicated(KEY).any(), "everybody is tested once"
    assert len(tested) == len(table)
    assert (found.groupby("fold").size() == len(table)).all(), "every row has a part in every fold"
    same(FOLDS.split(table.sample(frac=1, random_state=0), FOLDS.Options(), seed=9), found)


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (people(fold=1), {"column": "folds"}, r"no column 'folds' in the participants table; did you mean 'fold'\?"),
        (people(fold=[None] + [1, 2, 3] * 13), {}, r"participant 'p000' has no fold in 'fold'; fill it or leave the"),
        (people(fold=4), {}, r"every row of 'fold' is 4; two folds are needed"),
    ],
)
def test_given_folds_refuses(table, options, message):
    with pytest.raises(DataError, match=f"given_folds: {message}"):
        FOLDS.split(table, FOLDS.Options(**options), seed=0)
