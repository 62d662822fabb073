import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import DataError, NotEstimableError
from triptych.survival.nonparametric import (
    StepCurve,
    censoring_curve,
    kaplan_meier,
    logrank,
    nelson_aalen,
)

rows = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=25)


def test_step_curve_has_left_limits():
    curve = StepCurve(np.array([1.0, 3.0]), np.array([0.5, 0.2]))
    np.testing.assert_array_equal(curve.at([0.9, 1, 2, 3, 9]), [1, 0.5, 0.5, 0.2, 0.2])
    np.testing.assert_array_equal(curve.left([[1, 1.1], [3, 3.1]]), [[1, 0.5], [0.5, 0.2]])


def test_known_answer_1(t_set):
    km = kaplan_meier(t_set.time, t_set.event)
    np.testing.assert_allclose(km.survival, [0.8, 0.6, 0.48, 0.36, 0.18, 0.18], rtol=1e-12)
    se = [0.1264911064, 0.1549193338, 0.1639512123, 0.1609968944, 0.1505988048]
    np.testing.assert_allclose(km.se[:5], se, atol=5e-11)
    hazard = nelson_aalen(t_set.time, t_set.event)
    np.testing.assert_allclose(hazard.hazard, [0.2, 0.45, 0.65, 0.9, 1.4, 1.4])
    assert hazard.at(4.5) == pytest.approx(0.9)
    assert km.rmst(5) == pytest.approx(3.24, abs=1e-12)
    assert km.median() == 3
    left = censoring_curve(t_set.time, t_set.event).left(np.arange(1, 7))
    np.testing.assert_allclose(left, [1, 1, 5 / 6, 5 / 6, 5 / 9, 5 / 9])
    np.testing.assert_array_equal(km.n_at_risk([0, 1, 1.5, 2, 6, 7]), [10, 10, 8, 8, 1, 0])


def test_known_answer_20_event_at_time_zero():
    time, event = [0, 1, 2, 2, 2, 3, 4, 4, 5, 6], [1, 1, 1, 1, 0, 1, 0, 1, 1, 0]
    km = kaplan_meier(time, event)
    np.testing.assert_allclose(km.at([0, 1, 2, 3, 4, 5]), [0.9, 0.8, 0.6, 0.48, 0.36, 0.18])


@pytest.mark.parametrize(("name", "options"), [("km", []), ("km_weighted", ["weights"]), ("km_truncated", ["entry"])])
def test_kaplan_meier_equals_r(golden, t_set, name, options):
    expected = golden["set_t"][name]
    arguments = {key: getattr(t_set, key) for key in options}
    km = kaplan_meier(t_set.time, t_set.event, **arguments)
    lower, upper = km.interval()
    for key, value in (("at_risk", km.at_risk), ("survival", km.survival), ("se", km.se)):
        np.testing.assert_allclose(value, expected[key], rtol=1e-12, err_msg=key)
    np.testing.assert_allclose(lower, expected["lower"], rtol=1e-12)
    np.testing.assert_allclose(upper, expected["upper"], rtol=1e-12)
    assert km.median() == expected["median"]
    hazard = nelson_aalen(t_set.time, t_set.event, **arguments)
    np.testing.assert_allclose(hazard.hazard, expected["hazard"], rtol=1e-12)


def test_lung_equals_r_and_lifelines(golden, lung):
    expected = golden["lung"]["km"]
    km = kaplan_meier(lung.time, lung.event)
    np.testing.assert_allclose(km.survival, expected["survival"], rtol=1e-12)
    np.testing.assert_allclose(km.interval()[0], expected["lower"], rtol=1e-10)
    assert km.median() == expected["median"]
    lifelines = pytest.importorskip("lifelines")
    other = lifelines.KaplanMeierFitter().fit(lung.time, lung.event)
    np.testing.assert_allclose(km.survival, other.survival_function_["KM_estimate"].to_numpy()[1:], rtol=1e-12)


def test_median_and_limits_at_the_ends():
    km = kaplan_meier([1, 2, 3, 4], [0, 1, 1, 1])
    lower, upper = km.interval()
    assert np.isnan(lower[[0, 3]]).all()
    assert np.isnan(upper[[0, 3]]).all()
    assert np.isnan(km.se[3])
    assert kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1]).median() == 2.5
    assert np.isnan(kaplan_meier([1, 2], [0, 0]).median())


def test_rmst_beyond_follow_up_is_not_estimable(t_set):
    with pytest.raises(NotEstimableError, match="after the last follow-up"):
        kaplan_meier(t_set.time, t_set.event).rmst(7)
    assert kaplan_meier([1, 2], [1, 1]).rmst(10) == 1.5


@settings(max_examples=100, deadline=None)
@given(rows)
def test_survival_times_censoring_is_the_share_still_followed(rows):
    time, event = (np.array(column) for column in zip(*rows, strict=True))
    grid = np.unique(time)
    product = kaplan_meier(time, event).at(grid) * censoring_curve(time, event).at(grid)
    np.testing.assert_allclose(product, [(time > t).mean() for t in grid], atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(rows)
def test_integer_weights_are_copies(rows):
    time, event = (np.array(column) for column in zip(*rows, strict=True))
    weights = np.arange(time.size) % 3 + 1
    one = kaplan_meier(time, event, weights=weights)
    many = kaplan_meier(np.repeat(time, weights), np.repeat(event, weights))
    np.testing.assert_allclose(one.survival, many.survival, atol=1e-12)
    np.testing.assert_allclose(one.se, many.se, atol=1e-12)


def test_known_answer_11_log_rank(golden, t_set, lung):
    assert logrank(t_set.time, t_set.event, t_set.strata).statistic == pytest.approx(5.98241500586, abs=5e-12)
    peto = logrank(t_set.time, t_set.event, t_set.strata, rho=1)
    assert peto.statistic == pytest.approx(5.70135746606, abs=5e-12)
    assert peto.p == pytest.approx(golden["set_t"]["peto"]["p"], rel=1e-10)
    for rho, key in ((0, "logrank_ecog"), (1, "peto_ecog")):
        test = logrank(lung.time, lung.event, lung.x[:, 2], rho=rho)
        assert test.df == 3
        assert test.statistic == pytest.approx(golden["lung"][key]["statistic"], rel=1e-10)
        assert test.p == pytest.approx(golden["lung"][key]["p"], rel=1e-9)


def test_log_rank_p_stays_exact_far_out(golden):
    time, group = np.r_[1:61, 101:161], np.repeat(["a", "b"], 60)
    test = logrank(time, np.ones(120), group)
    assert golden["far_logrank"]["p"] < 1e-32
    assert test.p == pytest.approx(golden["far_logrank"]["p"], rel=1e-9)


def test_log_rank_does_not_depend_on_labels(lung):
    codes = lung.x[:, 2]
    one, other = logrank(lung.time, lung.event, codes), logrank(lung.time, lung.event, (7 - codes).astype(str))
    assert one.statistic == pytest.approx(other.statistic, rel=1e-12)


@pytest.mark.parametrize(
    ("event", "group", "reason"),
    [([1, 1, 0], [0, 0, 0], "two groups"), ([0, 0, 0], [0, 0, 1], "censored"), ([0, 0, 1], [0, 0, 1], "two groups")],
)
def test_log_rank_not_estimable(event, group, reason):
    with pytest.raises(NotEstimableError, match=reason):
        logrank([1, 2, 3], event, group)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": [1, 2, np.nan]}, "time is missing in row 2"),
        ({"time": [1, np.inf, 2]}, "time is infinite in row 1"),
        ({"time": [-1, 1, 2]}, "time is negative in row 0"),
        ({"time": []}, "no rows"),
        ({"time": [[1, 2, 3]]}, "one-dimensional"),
        ({"time": ["a", "b", "c"]}, "must be numbers"),
        ({"event": [1, 0]}, "event has 2 rows where time has 3"),
        ({"event": [1, 0, np.nan]}, "event is missing in row 2"),
        ({"event": [1, 2, 0]}, "event is 2 in row 1"),
        ({"entry": [0, 2, 0]}, "entry is 2 and time 2 in row 1"),
        ({"entry": [0, np.nan, 0]}, "row 1"),
        ({"weights": [1, -1, 1]}, "weights is -1 in row 1"),
        ({"weights": [1, 1, np.inf]}, "weights is inf in row 2"),
        ({"weights": [0, 0, 0]}, "all 0"),
    ],
)
def test_bad_input_names_the_row(change, message):
    arguments = {"time": [1, 2, 3], "event": [1, 0, 1], **change}
    with pytest.raises(DataError, match=message):
        kaplan_meier(**arguments)
