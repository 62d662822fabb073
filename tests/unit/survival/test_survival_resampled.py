"""C and AUC of rows drawn again, all replicates at once, against the same scores of rows that are there several times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import DataError, NotEstimableError
from triptych.inference.auc import row_influence
from triptych.inference.bootstrap import pair_replicates
from triptych.survival.concordance import harrell, resampled, uno
from triptych.survival.nonparametric import censoring_curve
from triptych.survival.scores import auc, auc_weights

SEEDS = given(seed=st.integers(0, 100_000), n=st.integers(8, 40), folds=st.integers(1, 3))


def rows(seed, n, folds):
    """Times and risks with many ties, and four draws of these rows."""
    random = np.random.default_rng(seed)
    time, event = random.integers(1, 12, n).astype(float), random.random(n) < 0.6
    event[:2] = True
    risk, fold = random.integers(0, 6, n).astype(float), np.arange(n) % folds
    return time, event, risk, fold, random.multinomial(n, np.full(n, 1 / n), 4)


def each(score, weights):
    """The score of each draw, from rows that stand there several times; NaN where it has none."""
    found = []
    for row in weights:
        try:
            found.append(score(np.repeat(np.arange(row.size), row)))
        except (NotEstimableError, DataError):
            found.append(np.nan)
    return found


@settings(deadline=None, max_examples=60)
@SEEDS
def test_harrell(seed, n, folds):
    time, event, risk, fold, weights = rows(seed, n, folds)
    known = each(lambda i: harrell(time[i], event[i], risk[i], strata=fold[i], influence=False).c, weights)
    np.testing.assert_allclose(resampled(time, event, risk, weights, strata=fold), known)


@settings(deadline=None, max_examples=60)
@SEEDS
def test_uno_with_the_censoring_curve_of_all(seed, n, folds):
    time, event, risk, fold, weights = rows(seed, n, folds)
    curve = censoring_curve(time, event)
    how = {"tau": 8.0, "censoring": curve}
    known = each(lambda i: uno(time[i], event[i], risk[i], strata=fold[i], **how).c, weights)
    np.testing.assert_allclose(resampled(time, event, risk, weights, strata=fold, **how), known)


@settings(deadline=None, max_examples=60)
@SEEDS
def test_time_dependent_auc(seed, n, folds):
    time, event, risk, fold, weights = rows(seed, n, folds)
    curve = censoring_curve(time, event)
    known = each(lambda i: auc(time[i], event[i], risk[i], 5.0, censoring=curve, strata=fold[i]).value, weights)
    found = pair_replicates(*auc_weights(time, event, 5.0, curve), risk, fold, weights)
    np.testing.assert_allclose(found, known)


@settings(deadline=None, max_examples=60)
@SEEDS
def test_auc_of_classes(seed, n, folds):
    _, event, risk, _, weights = rows(seed, n, folds)
    known = each(lambda i: row_influence(event[i], risk[i])[0], weights)
    np.testing.assert_allclose(pair_replicates(event, ~event, risk, np.zeros(n), weights), known)


def test_all_rows_once_is_the_score_itself():
    time, event, risk, fold, _ = rows(0, 30, 2)
    once = np.ones((1, 30), int)
    assert resampled(time, event, risk, once, strata=fold)[0] == pytest.approx(
        harrell(time, event, risk, strata=fold).c
    )


def test_bad_draws_are_named():
    time, event, risk, fold, weights = rows(0, 30, 2)
    with pytest.raises(DataError, match=r"it must be .replicates, 30."):
        resampled(time, event, risk, weights[:, :20], strata=fold)
    gone = censoring_curve(np.array([1.0, 2.0]), np.array([False, False]))
    with pytest.raises(NotEstimableError, match="censoring curve is 0"):
        resampled(time, event, risk, weights, censoring=gone)
