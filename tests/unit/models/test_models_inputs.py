"""From the columns of a table to a matrix, what training may choose by, and what predictions look like."""

import numpy as np
import pandas as pd
import pytest
from simulated_examples import BLOCKS, changed, cohort

from triptych.errors import DataError
from triptych.models._inputs import (
    class_table,
    fit_encoder,
    inner_folds,
    need_classes,
    need_events,
    number_table,
    survival_table,
)
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
