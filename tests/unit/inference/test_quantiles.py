"""Intervals of a median: order statistics and bootstrap, ties, refusals, and simulated coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from triptych.errors import DataError, NotEstimableError
from triptych.inference.quantiles import median_bootstrap, median_order_statistic, weighted_medians


@pytest.mark.parametrize(("n", "cut"), [(6, 1), (20, 6), (50, 18), (100, 40)])
def test_known_ranks(n, cut):
    x = np.random.default_rng(n).permutation(np.arange(1.0, n + 1))
    found = median_order_statistic(x, level=0.95)
    assert (found.low, found.high) == (cut, n + 1 - cut)
    assert found.value == (n + 1) / 2
    assert f"at least {1 - 2 * stats.binom.cdf(cut - 1, n, 0.5):.3f}" in found.method


@given(st.integers(6, 200), st.floats(0.5, 0.95))
def test_the_narrowest_pair_that_covers(n, level):
    found = median_order_statistic(np.arange(1.0, n + 1), level=level)
    cut = int(found.low)
    assert 1 - 2 * stats.binom.cdf(cut - 1, n, 0.5) >= level - 1e-12
    assert 1 - 2 * stats.binom.cdf(cut, n, 0.5) < level or cut >= n / 2


@given(st.integers(0, 10**6))
@settings(max_examples=30)
def test_weighted_medians_are_medians_of_the_rows(seed):
    random = np.random.default_rng(seed)
    x = np.sort(random.integers(0, 5, 16) / 4)
    weights = random.multinomial(16, np.full(16, 1 / 16), size=6)
    expected = [np.median(np.repeat(x, row)) for row in weights]
    np.testing.assert_array_equal(weighted_medians(x, weights), expected)


def test_ties_and_ceilings():
    dice = np.r_[np.full(30, 1.0), np.linspace(0.8, 0.99, 20)]
    for found in (
        median_order_statistic(dice, level=0.95),
        median_bootstrap(dice, None, level=0.95, rng=np.random.default_rng(0)),
    ):
        assert found.value == 1
        assert found.high == 1  # the basic bootstrap passes 1
        assert 0.9 < found.low <= 1


def test_patients_are_drawn_whole():
    random = np.random.default_rng(1)
    unit = np.repeat(np.arange(60), 5)
    x = random.normal(size=60)[unit] + 0.1 * random.normal(size=300)
    together = median_bootstrap(x, unit, level=0.95, rng=random)
    alone = median_bootstrap(x, None, level=0.95, rng=random)
    assert together.high - together.low > 1.4 * (alone.high - alone.low)
    order = random.permutation(300)
    seeded = [
        median_bootstrap(x[o], unit[o], level=0.95, rng=np.random.default_rng(2)) for o in (np.arange(300), order)
    ]
    assert seeded[0] == seeded[1]


def test_refusals():
    rng = np.random.default_rng(0)
    with pytest.raises(NotEstimableError, match=r"5 scores are too few.*at least 6"):
        median_order_statistic(np.arange(5), level=0.95)
    with pytest.raises(NotEstimableError, match=r"one row per patient.*row 0"):
        median_order_statistic(np.arange(20), level=0.95, unit=np.arange(20) // 2)
    with pytest.raises(NotEstimableError, match=r"basic bootstrap is refused.*covered"):
        median_bootstrap(np.arange(60), None, level=0.95, rng=rng, kind="basic")
    with pytest.raises(NotEstimableError, match="no BCa interval of a median"):
        median_bootstrap(np.arange(60), None, level=0.95, rng=rng, kind="bca")
    with pytest.raises(NotEstimableError, match=r"19 patients .*at least 20, fewer were not tried"):
        median_bootstrap(np.arange(19), None, level=0.95, rng=rng)
    with pytest.raises(NotEstimableError, match=r"40 patients .*at least 50"):
        median_bootstrap(np.arange(80), np.arange(80) // 2, level=0.95, rng=rng)
    with pytest.raises(DataError, match="values is missing in row 1"):
        median_order_statistic([0, np.nan], level=0.95)


def test_coverage_of_dice_like_scores():
    """Table 3.4: Beta(20, 2), 20 patients: percentile .947, order statistics .964."""
    random, hits, truth = np.random.default_rng(5), np.zeros(2), stats.beta.median(20, 2)
    for _ in range(200):
        x = random.beta(20, 2, 20)
        made = median_bootstrap(x, None, level=0.95, rng=random, replicates=500), median_order_statistic(x, level=0.95)
        hits += [interval.low <= truth <= interval.high for interval in made]
    for covered, measured in zip(hits / 200, (0.947, 0.964), strict=True):
        assert abs(covered - measured) < 3 * np.sqrt(measured * (1 - measured) * (1 / 200 + 1 / 1000))
