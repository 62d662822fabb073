import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import DataError, NotEstimableError
from triptych.survival.cox import baseline_cumulative_hazard, cox_survival, fit_cox
from triptych.survival.nonparametric import StepCurve, censoring_curve, kaplan_meier
from triptych.survival.scores import auc, auc_curve, brier, integrated_brier, survival_calibration

# riskRegression 2022.11.28 `Score`, KM censoring model (R's survival has neither score)
RISK_REGRESSION = {
    "auc_t": {2: 0.75, 3: 0.831730769231, 4: 0.7890625, 5: 0.939024390244},
    "lung_times": [180, 365, 730],
    "lung_brier": [0.178685540264, 0.225596309313, 0.0995911303276],
    "lung_null": [0.199442558768, 0.24208691030, 0.102699678239],
    "lung_auc": [0.698024965769, 0.647397660015, 0.693359270684],
}
rows = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=25)


def weights_at(time, event, t):
    curve = censoring_curve(time, event)
    late, early = time > t, event & (time <= t)
    out = np.zeros(len(time))
    out[early] = 1 / curve.left(time[early])
    out[late] = 1 / curve.at(t) if late.any() else 0
    return out


@settings(max_examples=150, deadline=None)
@given(rows)
def test_known_answer_9_constant_half_scores_a_quarter(rows):
    time, event = (np.array(column) for column in zip(*rows, strict=True))
    for t in np.unique(time):
        if censoring_curve(time, event).at(t) > 0:
            assert weights_at(time, event, t).sum() == pytest.approx(time.size, rel=1e-12)
            assert brier(time, event, np.full(time.size, 0.5), t).value == pytest.approx(0.25, rel=1e-12)
        else:
            with pytest.raises(NotEstimableError, match="censoring curve is 0"):
                brier(time, event, np.full(time.size, 0.5), t)


def test_brier_at_the_ends_of_follow_up(t_set):
    half = np.full(10, 0.5)
    for t in (0, 1, 2, 3, 4, 5):
        assert brier(t_set.time, t_set.event, half, t).value == pytest.approx(0.25, abs=1e-15)
    with pytest.raises(NotEstimableError, match="use earlier times"):
        brier(t_set.time, t_set.event, half, 6)
    # the last row has the event: G stays positive, so its time and any later time are allowed
    assert brier([1, 2, 3], [1, 0, 1], [0.5, 0.5, 0.5], 3).value == pytest.approx(0.25)


def test_known_answer_9_auc(t_set):
    for t, expected in RISK_REGRESSION["auc_t"].items():
        assert auc(t_set.time, t_set.event, t_set.x, t).value == pytest.approx(expected, abs=5e-13)
    times, values = auc_curve(t_set.time, t_set.event, t_set.x)
    np.testing.assert_array_equal(times, [1, 2, 3, 4, 5])
    np.testing.assert_allclose(values[1:], list(RISK_REGRESSION["auc_t"].values()), rtol=1e-11)


def test_known_answer_12_lung(lung):
    beta = fit_cox(lung.x, lung.time, lung.event).beta
    h, times = (lung.x * beta).sum(axis=1), np.array(RISK_REGRESSION["lung_times"])
    survival = cox_survival(baseline_cumulative_hazard(h, lung.time, lung.event), h, times)
    km = kaplan_meier(lung.time, lung.event)
    for k, t in enumerate(times):
        model = brier(lung.time, lung.event, survival[:, k], t).value
        null = brier(lung.time, lung.event, np.full(h.size, km.at(t)), t).value
        assert null == pytest.approx(RISK_REGRESSION["lung_null"][k], rel=1e-10)
        assert model == pytest.approx(RISK_REGRESSION["lung_brier"][k], rel=1e-8)
        assert auc(lung.time, lung.event, h, t).value == pytest.approx(RISK_REGRESSION["lung_auc"][k], rel=1e-11)


def predictions(seed, n, m):
    return np.sort(np.random.default_rng(seed).random((n, m)), axis=1)[:, ::-1]


def test_integrated_brier_is_the_trapezoid_of_brier(cohorts):
    data, grid = cohorts(2, 80), np.array([1.0, 2, 2.5, 4])
    survival = predictions(2, 80, 4)
    whole = integrated_brier(data.time, data.event, survival, grid)
    each = [brier(data.time, data.event, survival[:, k], t) for k, t in enumerate(grid)]
    length = grid[-1] - grid[0]
    assert whole.value == pytest.approx(np.trapezoid([s.value for s in each], grid) / length, rel=1e-13)
    influence = np.trapezoid(np.array([s.influence for s in each]), grid, axis=0) / length
    np.testing.assert_allclose(whole.influence, influence, atol=1e-15)
    assert whole.se == pytest.approx(np.sqrt(whole.variance))
    assert integrated_brier(data.time, data.event, np.full((80, 4), 0.5), grid).value == pytest.approx(0.25)


def test_brier_influence_is_the_variance_of_a_mean(cohorts):
    data = cohorts(5, 50)
    event, survival = np.ones(50, dtype=bool), predictions(5, 50, 1)[:, 0]
    score = brier(data.time, event, survival, 3)
    parts = np.where(data.time > 3, (1 - survival) ** 2, survival**2)
    assert score.value == pytest.approx(parts.mean())
    assert score.variance == pytest.approx(parts.var() / 50)


def brute_auc(time, event, risk, t, strata=None):
    """O(n^2) value, and change by each row's weight times that weight, with the censoring weights fixed."""
    curve, n = censoring_curve(time, event), len(time)
    numerator, total, up, down = 0.0, 0.0, np.zeros(n), np.zeros(n)
    for i in range(n):
        for j in range(n):
            if event[i] and time[i] <= t < time[j] and (strata is None or strata[i] == strata[j]):
                w = 1 / curve.left(time[i])
                s = w * (1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0.0)
                numerator, total = numerator + s, total + w
                up[[i, j]] += s
                down[[i, j]] += w
    return (numerator / total, (up - numerator / total * down) / total) if total else (None, None)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 30), t=st.integers(1, 5), stratified=st.booleans())
def test_auc_equals_brute_force(cohorts, seed, n, t, stratified):
    data = cohorts(seed, n)
    strata = data.strata if stratified else None
    value, influence = brute_auc(data.time, data.event, data.risk, t, strata)
    if value is None:
        with pytest.raises(NotEstimableError, match="no pair"):
            auc(data.time, data.event, data.risk, t, strata=strata)
    else:
        score = auc(data.time, data.event, data.risk, t, strata=strata)
        assert score.value == pytest.approx(value, rel=1e-12, abs=1e-14)
        np.testing.assert_allclose(score.influence, influence, atol=1e-13)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(3, 60))
def test_auc_curve_equals_auc(cohorts, seed, n):
    data = cohorts(seed, n, times=12)
    grid = np.arange(0.5, 14, 0.5)
    try:
        times, values = auc_curve(data.time, data.event, data.risk, grid)
    except NotEstimableError:
        return
    for t, value in zip(times, values, strict=True):
        if np.isnan(value):
            with pytest.raises(NotEstimableError):
                auc(data.time, data.event, data.risk, t)
        else:
            assert value == pytest.approx(auc(data.time, data.event, data.risk, t).value, abs=1e-12)


def test_auc_complement_and_given_censoring(t_set):
    a, b = auc(t_set.time, t_set.event, t_set.x, 3), auc(t_set.time, t_set.event, -t_set.x, 3)
    assert a.value + b.value == pytest.approx(1)
    curve = censoring_curve(t_set.time, t_set.event)
    assert auc(t_set.time, t_set.event, t_set.x, 3, censoring=curve).value == a.value
    assert auc(t_set.time, t_set.event, np.zeros(10), 3).value == 0.5
    with pytest.raises(NotEstimableError, match="before the event"):
        auc(t_set.time, t_set.event, t_set.x, 5, censoring=StepCurve(np.array([2.0]), np.array([0.0])))


def test_calibration_of_a_true_model():
    rng = np.random.default_rng(1)
    n, t = 4000, 1.0
    rate = np.exp(rng.normal(0, 0.7, n))
    death, censoring = rng.exponential(1 / rate), rng.exponential(2.0, n)
    time, event = np.minimum(death, censoring), death <= censoring
    result = survival_calibration(time, event, 1 - np.exp(-rate * t), t)
    assert result.n.sum() == n
    assert result.n.size == 10
    assert (np.diff(result.predicted) > 0).all()
    assert ((result.lower < result.predicted) & (result.predicted < result.upper)).sum() >= 8
    assert ((result.lower < result.observed) & (result.observed < result.upper)).all()


def test_calibration_keeps_ties_together_and_admits_short_follow_up():
    predicted = np.repeat([0.1, 0.6], [7, 3])
    result = survival_calibration(np.r_[np.full(7, 9.0), 1, 2, 3], np.r_[np.zeros(7), 1, 0, 0], predicted, 5)
    np.testing.assert_allclose(result.predicted, [0.1, 0.6])
    np.testing.assert_array_equal(result.n, [7, 3])
    assert result.observed[0] == 0
    assert np.isnan(result.lower[0])
    assert np.isnan(result.observed[1])
    assert survival_calibration([1, 2], [1, 1], [0.5, 0.5], 0.5).observed[0] == 0
    assert survival_calibration([1, 2], [1, 1], [0.5, 0.7], 9, groups=1).observed[0] == 1


def test_bad_input(t_set):
    good = np.full(10, 0.5)
    for value in (1.2, -0.1, np.nan):
        wrong = good.copy()
        wrong[4] = value
        with pytest.raises(DataError, match=r"survival is .* in row 4"):
            brier(t_set.time, t_set.event, wrong, 2)
        with pytest.raises(DataError, match=r"survival is .* in row 4"):
            integrated_brier(t_set.time, t_set.event, np.stack([good, wrong], axis=1), [1, 2])
        with pytest.raises(DataError, match=r"predicted is .* in row 4"):
            survival_calibration(t_set.time, t_set.event, wrong, 2)
    with pytest.raises(DataError, match="expected"):
        brier(t_set.time, t_set.event, good[:9], 2)
    for times in ([1], [2, 1], [1, np.nan]):
        with pytest.raises(DataError, match="times must be"):
            integrated_brier(t_set.time, t_set.event, np.full((10, len(times)), 0.5), times)
    with pytest.raises(DataError, match="groups"):
        survival_calibration(t_set.time, t_set.event, good, 2, groups=0)
    with pytest.raises(DataError, match="risk is missing in row 0"):
        auc(t_set.time, t_set.event, np.full(10, np.nan), 2)
    with pytest.raises(NotEstimableError, match="no event"):
        auc_curve(t_set.time, np.zeros(10), t_set.x)
    with pytest.raises(NotEstimableError, match="no time"):
        auc_curve(t_set.time, t_set.event, t_set.x, [0.5])
