"""Friedman, Iman-Davenport and Nemenyi against Demsar 2006 and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from triptych.errors import DataError, NotEstimableError
from triptych.inference.ranks import friedman, nemenyi, nemenyi_q, row_ranks

DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1, 1, 1, 1],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.975, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)


def test_demsars_table():
    found = friedman(DEMSAR, higher_is_better=True)
    assert found.ranks == pytest.approx([3.1429, 2, 2.9286, 1.9286], abs=5e-5)
    assert found.plain.statistic == pytest.approx(9.857143, abs=1e-6)
    assert found.corrected.statistic == pytest.approx(10.952381, abs=1e-6)
    assert found.iman_davenport.statistic == pytest.approx(3.986667, abs=1e-6)
    assert (found.plain.df1, found.iman_davenport.df1, found.iman_davenport.df2) == (3, 3, 39)
    known = stats.friedmanchisquare(*DEMSAR.T)
    assert (found.corrected.statistic, found.corrected.p) == pytest.approx((known.statistic, known.pvalue))
    assert found.iman_davenport.p == pytest.approx(stats.f.sf(found.iman_davenport.statistic, 3, 39))
    post = nemenyi(found.ranks, found.n)
    assert post.critical_difference == pytest.approx(1.254, abs=5e-4)
    assert not post.differ.any()  # 3.1429 - 1.9286 = 1.2143 < 1.254


def test_the_trap_a_printed_tie_gives_the_published_numbers():
    table = DEMSAR.copy()
    table[12, 2] += 0.0001  # voting: +cf is above +m+cf by less than is printed
    found = friedman(table, higher_is_better=True)
    assert found.ranks == pytest.approx([3.1429, 2, 2.8929, 1.9643], abs=5e-5)
    assert found.plain.statistic == pytest.approx(9.278571, abs=1e-6)
    assert found.iman_davenport.statistic == pytest.approx(3.686313, abs=1e-6)


@pytest.mark.parametrize(
    ("k", "at_05", "at_10"),
    [(2, 1.9600, 1.6449), (3, 2.3437, 2.0523), (4, 2.5690, 2.2913), (5, 2.7278, 2.4595), (10, 3.1637, 2.9199)],
)
def test_critical_values_of_nemenyi(k, at_05, at_10):
    assert nemenyi_q(k) == pytest.approx(at_05, abs=1e-4)
    assert nemenyi_q(k, alpha=0.10) == pytest.approx(at_10, abs=1e-4)


def test_orientation_with_a_dummy_that_is_always_worst():
    scores = np.column_stack((np.linspace(0.6, 0.9, 8), np.linspace(0.7, 0.95, 8), np.full(8, 0.1)))
    assert friedman(scores, higher_is_better=True).ranks.tolist() == [2, 1, 3]
    assert friedman(-scores, higher_is_better=False).ranks.tolist() == [2, 1, 3]
    assert friedman(scores, higher_is_better=False).ranks.tolist() == [2, 3, 1]
    assert np.isinf(friedman(scores, higher_is_better=True).iman_davenport.statistic)
    assert friedman(scores, higher_is_better=True).iman_davenport.p == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 12), st.integers(2, 6))
def test_ranks_see_only_the_order(seed, n, k):
    scores = np.random.default_rng(seed).integers(0, 4, (n, k)).astype(float)
    ranks = row_ranks(scores, higher_is_better=True)
    np.testing.assert_allclose(ranks, np.apply_along_axis(stats.rankdata, 1, -scores))
    np.testing.assert_allclose(ranks, row_ranks(np.exp(scores), higher_is_better=True))
    np.testing.assert_allclose(ranks.sum(axis=1), k * (k + 1) / 2)
    np.testing.assert_allclose(ranks + row_ranks(scores, higher_is_better=False), k + 1)
    if np.ptp(ranks) > 0:
        one, other = (friedman(table, higher_is_better=True) for table in (scores, scores[::-1, ::-1]))
        assert one.plain.statistic == pytest.approx(other.plain.statistic)
        assert one.corrected.statistic >= one.plain.statistic - 1e-9


def test_what_is_refused():
    with pytest.raises(NotEstimableError, match="4 data sets are too few"):
        friedman(DEMSAR[:4], higher_is_better=True)
    with pytest.raises(NotEstimableError, match="share their training data"):
        friedman(DEMSAR, higher_is_better=True, rows="folds")
    with pytest.raises(NotEstimableError, match="share their training data"):
        nemenyi([1, 2, 3], 10, rows="folds")
    with pytest.raises(NotEstimableError, match="tie on every data set"):
        friedman(np.ones((6, 3)), higher_is_better=True)
    with pytest.raises(DataError, match="must be 'data sets' or 'folds'"):
        friedman(DEMSAR, higher_is_better=True, rows="repeats")
    with pytest.raises(DataError, match="missing in row 2"):
        friedman(np.where(np.arange(14)[:, None] == 2, np.nan, DEMSAR), higher_is_better=True)
    with pytest.raises(DataError, match="two models"):
        friedman(DEMSAR[:, :1], higher_is_better=True)
    with pytest.raises(DataError, match="two models"):
        nemenyi_q(1)


def test_equal_models_are_rarely_told_apart():
    random = np.random.default_rng(0)
    tables = random.normal(size=(600, 12, 4))
    p = [friedman(table, higher_is_better=True).iman_davenport.p for table in tables]
    assert 0.025 < np.mean(np.array(p) < 0.05) < 0.08
