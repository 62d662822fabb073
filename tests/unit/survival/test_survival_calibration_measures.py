"""Calibration at a horizon and D-calibration: closed cases, identities, derivatives, and simulated truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from triptych.errors import DataError, NotEstimableError
from triptych.inference.calibration import recalibration
from triptych.inference.intervals import from_influence
from triptych.survival.calibration import (
    d_calibration,
    d_calibration_over,
    event_risk,
    horizon_calibration,
    horizon_in_the_large,
    observed_over_expected,
    smooth_calibration,
)
from triptych.survival.nonparametric import kaplan_meier

T = 1.0


def cohort(seed, n=200, censoring=0.5):
    """Exponential survival; the true risk by time 1, and the true survival at the own time."""
    random = np.random.default_rng(seed)
    rate = np.exp(random.normal(-0.5, 0.8, n))
    hidden = random.exponential(1 / rate)
    censored = random.exponential(1 / censoring, n) if censoring else np.full(n, np.inf)
    time = np.minimum(hidden, censored)
    return time, hidden <= censored, -np.expm1(-rate * T), np.exp(-rate * time)


def bend(p, slope, shift=0.0):
    return -np.expm1(-np.exp(shift + slope * np.log(-np.log1p(-p))))


# ---- risk and its influence ----------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=3, max_size=20), st.integers(0, 6))
def test_the_influence_of_kaplan_meier_is_its_derivative_in_the_weight(rows, t):
    time, event = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    try:
        found = event_risk(time, event, t)
    except NotEstimableError:
        return
    assert found.value == pytest.approx(1 - float(kaplan_meier(time, event).at(t)))
    h = 1e-6
    for row in range(time.size):
        up, down = (
            float(kaplan_meier(time, event, weights=1 + sign * h * (np.arange(time.size) == row)).at(t))
            for sign in (1, -1)
        )
        assert found.influence[row] == pytest.approx((down - up) / (2 * h), abs=1e-7)
    assert found.influence.sum() == pytest.approx(0, abs=1e-12)


def test_without_censoring_the_risk_is_a_proportion():
    time, event, _, _ = cohort(0, censoring=0)
    found, y = event_risk(time, event, T), time <= T
    np.testing.assert_allclose(found.influence, (y - y.mean()) / y.size, atol=1e-15)
    assert event_risk([1, 2, 3], [1, 1, 0], 0.5).value == 0


# ---- slope, in the large, observed over expected -------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_without_censoring_it_is_the_binary_calibration(seed):
    time, event, p, _ = cohort(seed, censoring=0)
    found, binary = horizon_calibration(time, event, p, T, link="logit"), recalibration(time <= T, p)
    for one, other in (
        (found.slope, binary.slope),
        (found.intercept, binary.intercept),
        (found.in_the_large, binary.in_the_large),
    ):
        assert one.value == pytest.approx(other.value, abs=1e-9)
        np.testing.assert_allclose(one.influence, other.influence, atol=1e-9)
    assert np.exp(found.log_observed_over_expected.value) == pytest.approx(np.mean(time <= T) / p.mean())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.5, 2), st.floats(-0.5, 0.5))
def test_slope_and_intercept_follow_a_bend_of_the_predictions(seed, factor, shift):
    time, event, p, _ = cohort(seed)
    p = np.clip(p, 0.02, 0.9)  # else a bent prediction is 1 to machine precision
    plain, bent = (horizon_calibration(time, event, q, T, resolution=1e-12) for q in (p, bend(p, factor, shift)))
    assert bent.slope.value == pytest.approx(plain.slope.value / factor, rel=1e-5)
    assert bent.intercept.value == pytest.approx(plain.intercept.value - shift * bent.slope.value, abs=1e-5)
    assert bent.observed == pytest.approx(plain.observed)


def test_order_and_unit_of_time_change_nothing():
    time, event, p, _ = cohort(1)
    order = np.random.default_rng(0).permutation(time.size)
    one, other = (
        horizon_calibration(*a) for a in ((time, event, p, T), (12 * time[order], event[order], p[order], 12 * T))
    )
    for name in ("slope", "in_the_large", "log_observed_over_expected"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a.value, a.se) == pytest.approx((b.value, b.se), rel=1e-8)


def test_observed_over_expected_is_a_ratio():
    time, event, p, _ = cohort(2)
    one, half = observed_over_expected(time, event, p, T), observed_over_expected(time, event, p / 2, T)
    assert half.value - one.value == pytest.approx(np.log(2))
    np.testing.assert_allclose(half.influence, one.influence, atol=1e-15)
    keep = np.arange(time.size) != 5
    without = observed_over_expected(time[keep], event[keep], p[keep], T).value
    assert one.value - without == pytest.approx(one.influence[5], rel=0.05, abs=1e-5)


def test_intervals_cover_the_truth():
    hits, slopes = np.zeros(3), []
    for seed in range(300):
        time, event, p, _ = cohort(seed, 150)
        found = horizon_calibration(time, event, bend(p, 2), T)
        fair = horizon_calibration(time, event, p, T)
        slopes.append(found.slope.value)
        scores = ((0.5, found.slope), (0, fair.in_the_large), (0, fair.log_observed_over_expected))
        for k, (truth, score) in enumerate(scores):
            interval = from_influence(score.value, score.influence, level=0.95, scale="identity")
            hits[k] += interval.low <= truth <= interval.high
    assert np.mean(slopes) == pytest.approx(0.5, rel=0.05)
    assert np.all(hits / 300 > 0.915)


# ---- ICI -----------------------------------------------------------------------------------------


def test_a_smooth_curve_near_the_diagonal_for_a_perfect_model():
    time, event, p, _ = cohort(3, 3000)
    found = smooth_calibration(time, event, p, T)
    assert found.ici < 0.02
    assert found.e50 <= found.e90 <= found.worst
    for knots in (4, 5):
        assert smooth_calibration(time, event, p, T, knots=knots).ici < 0.03
    q = bend(p, 2, 0.5)
    assert smooth_calibration(time, event, q, T).ici == pytest.approx(np.mean(np.abs(p - q)), abs=0.02)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.5, 2), st.floats(-0.5, 0.5))
def test_the_observed_curve_does_not_see_a_bend_and_the_index_does(seed, factor, shift):
    time, event, p, _ = cohort(seed)
    p = np.clip(p, 0.02, 0.9) + 1e-3 * np.arange(p.size) / p.size
    q = bend(p, factor, shift)
    one, other = (smooth_calibration(time, event, r, T, resolution=1e-12) for r in (p, q))
    np.testing.assert_allclose(one.observed, other.observed, atol=1e-5)
    assert other.ici == pytest.approx(np.mean(np.abs(one.observed - q)), abs=1e-5)


# ---- D-calibration -------------------------------------------------------------------------------


def test_d_calibration_by_hand():
    event = np.repeat([1, 1, 0, 0], 5)
    survival = np.repeat([0.2, 0.8, 0.75, 1.0], 5)
    found = d_calibration(event, survival, bins=2)
    # censored at .75: a third in the upper half, two thirds in the lower; at 1: one half each
    assert found.counts == pytest.approx([5 + 5 * 2 / 3 + 2.5, 5 + 5 / 3 + 2.5])
    assert found.statistic == pytest.approx(np.sum((found.counts - 10) ** 2) / 10)
    assert (found.df, found.p) == (1, pytest.approx(stats.chi2.sf(found.statistic, 1)))
    assert d_calibration(np.zeros(20), np.ones(20), bins=4).p == 1
    assert d_calibration(np.zeros(20), np.zeros(20), bins=4).counts.tolist() == [20, 0, 0, 0]
    edges = d_calibration(np.ones(10), np.resize([0.5, 1.0], 10), bins=2)
    assert edges.counts.tolist() == [0, 10]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 10))
def test_every_row_counts_once(seed, bins):
    time, event, _, survival = cohort(seed, 60)
    found = d_calibration(event, survival, bins=bins)
    assert found.counts.sum() == pytest.approx(60)
    assert np.all(found.counts >= 0)
    assert time.size == 60


def test_a_perfect_model_is_uniform_and_a_wrong_one_is_not():
    p = np.array([d_calibration(*np.array(cohort(seed, 200, censoring=0))[[1, 3]]).p for seed in range(300)])
    assert stats.kstest(p, "uniform").pvalue > 0.001
    assert 0.02 < np.mean(p < 0.05) < 0.085
    censored = [d_calibration(*np.array(cohort(seed, 200))[[1, 3]]).p for seed in range(200)]
    assert np.mean(np.array(censored) < 0.05) < 0.07  # conservative
    _, event, _, survival = cohort(0, 400)
    assert d_calibration(event, survival**3).p < 1e-6


# ---- what is refused -----------------------------------------------------------------------------


def test_repeats_of_one_prediction_are_that_prediction():
    _, event, _, survival = cohort(3, 200)
    one = d_calibration(event, survival)
    twice = d_calibration_over([one, one, one])
    np.testing.assert_allclose(twice.counts, one.counts)
    assert (twice.statistic, twice.df) == pytest.approx((one.statistic, one.df))
    assert twice.p == pytest.approx(one.p)


def test_the_test_over_repeats_is_conservative_and_still_sees_a_wrong_model():
    """Repeats see the truth through noise of their own, as models of other folds do."""
    p = []
    for seed in range(200):
        _, event, _, survival = cohort(seed, 200, censoring=0)
        noise = np.random.default_rng(seed).normal(0, 0.05, (5, 200))
        repeats = [d_calibration(event, survival ** np.exp(one)) for one in noise]
        p.append(d_calibration_over(repeats).p)
    assert np.mean(np.array(p) < 0.05) < 0.065
    assert d_calibration_over([d_calibration(event, survival**k) for k in (2, 3)]).p < 1e-6


def test_in_the_large_alone_is_that_of_the_whole_and_exists_for_one_prediction():
    time, event, p, _ = cohort(6)
    for link in ("cloglog", "logit"):
        alone = horizon_in_the_large(time, event, p, T, link=link)
        whole = horizon_calibration(time, event, p, T, link=link).in_the_large
        assert alone.value == pytest.approx(whole.value, abs=1e-12)
        np.testing.assert_allclose(alone.influence, whole.influence, atol=1e-12)
    same = horizon_in_the_large(time, event, np.full(200, 0.5), T, link="logit")
    observed = np.average(event & (time <= T), weights=weights_at(time, event))
    assert special.expit(same.value) == pytest.approx(observed, abs=1e-9)
    with pytest.raises(NotEstimableError, match="every outcome is 0"):
        horizon_in_the_large(time + 2, event, p, T)


def weights_at(time, event):
    """Inverse-probability weights at T from their definition."""
    free = kaplan_meier(time, ~event).at  # no ties here
    known = (time > T) | event
    return np.where(known, 1 / np.array([free(min(t, T)) for t in time]), 0)


def test_what_is_refused():
    time, event, p, _ = cohort(5, 60)
    with pytest.raises(NotEstimableError, match="no one was followed until 99"):
        event_risk([1, 2], [1, 0], 99)
    with pytest.raises(NotEstimableError, match="everyone at risk had the event"):
        event_risk([1, 2], [1, 1], 3)
    with pytest.raises(NotEstimableError, match="every prediction is the same"):
        horizon_calibration(time, event, np.full(60, 0.3), T)
    with pytest.raises(NotEstimableError, match="separate the outcomes perfectly"):
        horizon_calibration(time, np.ones(60), 1 / (1 + time), T)
    with pytest.raises(NotEstimableError, match="no event by"):
        horizon_calibration(time, np.zeros(60), p, T)
    with pytest.raises(NotEstimableError, match="no one was followed until"):
        smooth_calibration(time, event, p, 1e6)
    with pytest.raises(NotEstimableError, match="too few distinct predictions"):
        smooth_calibration(time, event, np.resize([0.2, 0.3], 60), T)
    with pytest.raises(DataError, match="knots is 7"):
        smooth_calibration(time, event, p, T, knots=7)
    with pytest.raises(DataError, match="link is 'probit'"):
        horizon_calibration(time, event, p, T, link="probit")
    with pytest.raises(DataError, match="predicted is 2 in row 0"):
        horizon_calibration(time, event, np.full(60, 2), T)
    with pytest.raises(NotEstimableError, match="60 rows are too few for 20 bins"):
        d_calibration(event, p, bins=20)
    with pytest.raises(DataError, match="survival is nan in row 3"):
        d_calibration(event, np.where(np.arange(60) == 3, np.nan, p))
    with pytest.raises(DataError, match="bins must be"):
        d_calibration(event, p, bins=1)


def test_predictions_of_zero_and_one_are_moved_and_counted():
    time, event, p, _ = cohort(6, 100)
    q = p.copy()
    q[:3] = [0, 1, 1]
    assert horizon_calibration(time, event, q, T).clipped == 3
    assert horizon_calibration(time, event, p, T).clipped == 0
    assert special.logit(1e-7) == pytest.approx(-16.118, abs=1e-3)
