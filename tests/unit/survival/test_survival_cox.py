import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from triptych.errors import DataError, NotEstimableError
from triptych.survival import risk_sets
from triptych.survival.cox import (
    baseline_cumulative_hazard,
    cox_survival,
    fit_cox,
    log_partial_likelihood,
    select_ridge,
)
from triptych.survival.cox_newton import Design, terms

# name: (options, beta, se, log likelihood at 0 and at beta); survival.md 2-5
KNOWN = {
    ("", "efron"): (1.09976140175, 0.581238507713, -12.2140408152, -10.0568348269),
    ("", "breslow"): (1.00665461057, 0.561283793488, -12.4529327235, -10.5391540493),
    ("weights", "efron"): (1.15052582034, 0.53648643568, -18.1514418013, -15.532288219),
    ("weights", "breslow"): (1.0572960516, 0.521592273709, -18.4167450091, -16.0968448556),
    ("strata", "efron"): (0.662122124698, 0.543279489976, -8.4763711969, -7.59702986451),
    ("strata", "breslow"): (0.598871376601, 0.524676193854, -9.10497985632, -8.3425796204),
    ("entry", "efron"): (0.782863291611, 0.560722304606, -9.86266555802, -8.72798674454),
    ("entry", "breslow"): (0.717026087105, 0.544799871367, -10.2681306661, -9.27616692298),
}
SET_S = ([5, 3, 3, 2, 2, 2, 1, 8, 9, 9], [1, 1, 1, 1, 0, 1, 1, 0, 1, 1], np.linspace(-1, 1, 10))
# k: minus log partial likelihood of k x linspace(-1, 1), Efron and Breslow, from 60-digit arithmetic
WIDE = {
    1: (16.1391084255, 16.9876850707),
    10: (84.6391324374, 85.3323419832),
    50: (421.529194605, 422.222341785),
    100: (843.751297266, 844.444444446),
    -100: (399.306852821, 400.000000002),
    1e4: (84443.7512973, 84444.4444444),
}


def brute_likelihood(h, time, event, ties, weights, strata, entry):
    total, n = 0.0, len(time)
    for s in np.unique(strata):
        for t in np.unique(time[event & (strata == s) & (weights > 0)]):
            at_risk = (strata == s) & (time >= t) & (entry < t)
            dead = at_risk & event & (time == t) & (weights > 0)
            m, mean = dead.sum(), weights[dead].mean()
            for r in range(m):
                share = r / m if ties == "efron" else 0.0
                own = (weights * np.exp(h))[dead].sum()
                total -= mean * np.log((weights * np.exp(h))[at_risk].sum() - share * own)
            total += (weights * h)[dead].sum()
    assert n
    return total


@pytest.mark.parametrize(("option", "ties"), KNOWN)
def test_known_answers_2_to_5(golden, t_set, option, ties):
    beta, se, null, loglik = KNOWN[option, ties]
    arguments = {option: getattr(t_set, option)} if option else {}
    fit = fit_cox(t_set.x, t_set.time, t_set.event, ties=ties, **arguments)
    # R stops at 1e-11 or so; the stored run of R is compared a little more loosely
    assert fit.beta[0] == pytest.approx(beta, abs=1e-10)
    assert fit.se[0] == pytest.approx(se, abs=1e-10)
    assert fit.loglik_null == pytest.approx(null, abs=5e-10)
    assert fit.loglik == pytest.approx(loglik, abs=5e-10)
    expected = golden["set_t"]["cox" + ("_" + option if option else "")][ties]
    assert fit.beta[0] == pytest.approx(expected["beta"], abs=1e-9)
    assert fit.se[0] == pytest.approx(expected["se"], abs=1e-9)
    assert fit.covariance.shape == (1, 1)
    direct = log_partial_likelihood(t_set.x * fit.beta, t_set.time, t_set.event, ties=ties, **arguments)
    assert direct == pytest.approx(fit.loglik, rel=1e-13)


def test_known_answer_2_exact(golden, t_set):
    def minus(beta):
        return -log_partial_likelihood(t_set.x * beta, t_set.time, t_set.event, ties="exact")

    expected = golden["set_t"]["cox_exact"]
    assert -minus(0.0) == pytest.approx(-10.8277464541, abs=5e-10)
    assert -minus(1.16143831074) == pytest.approx(-8.67174536533, abs=5e-11)
    assert -minus(expected["beta"]) == pytest.approx(expected["loglik"], rel=1e-12)
    assert optimize.minimize_scalar(minus, bounds=(0, 3), options={"xatol": 1e-8}).x == pytest.approx(
        1.161438, abs=1e-5
    )
    # without ties the three rules are one
    time = np.arange(1, 11.0)
    values = [log_partial_likelihood(t_set.x, time, t_set.event, ties=ties) for ties in risk_sets.TIES]
    np.testing.assert_allclose(values, values[0], rtol=1e-13)
    entry = log_partial_likelihood(t_set.x, time, t_set.event, ties="exact", entry=t_set.entry - 1)
    assert entry == pytest.approx(log_partial_likelihood(t_set.x, time, t_set.event, entry=t_set.entry - 1))


def test_known_answer_6(t_set):
    for beta, efron, breslow in ((1, -10.0718652265, -10.5392244307), (30, -127.613830877, -129.000124627)):
        for ties, expected in (("efron", efron), ("breslow", breslow)):
            value = log_partial_likelihood(beta * t_set.x, t_set.time, t_set.event, ties=ties)
            assert value == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("k", WIDE)
@pytest.mark.parametrize("shift", [0, 1000, -1000])
@pytest.mark.parametrize("truncated", [False, True])
def test_known_answer_6_wide_risks(k, shift, truncated):
    time, event, h = SET_S
    entry = np.full(10, -1.0) if truncated else None
    for ties, expected in zip(("efron", "breslow"), WIDE[k], strict=True):
        value = -log_partial_likelihood(k * h + shift, time, event, ties=ties, entry=entry)
        assert value == pytest.approx(expected, rel=1e-11)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 25), ties=st.sampled_from(["efron", "breslow"]))
def test_likelihood_equals_brute_force(cohorts, seed, n, ties):
    data = cohorts(seed, n)
    h = np.random.default_rng(seed).normal(0, 2, n)
    options = {"weights": data.weights, "strata": data.strata, "entry": data.entry}
    value = log_partial_likelihood(h, data.time, data.event, ties=ties, **options)
    expected = brute_likelihood(h, data.time, data.event, ties, **options)
    assert value == pytest.approx(expected, rel=1e-10, abs=1e-12)
    order = np.random.default_rng(seed).permutation(n)
    shuffled = {name: column[order] for name, column in options.items()}
    again = log_partial_likelihood(h[order], data.time[order], data.event[order], ties=ties, **shuffled)
    assert again == pytest.approx(value, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_derivatives_equal_finite_differences(cohorts, ties):
    data = cohorts(4, 60)
    x = np.random.default_rng(4).normal(size=(60, 3))
    sets = risk_sets.build(data.time, data.event, ties, data.weights, data.strata, data.entry)
    design, beta, eps = Design.of(x, sets), np.array([0.3, -0.5, 0.2]), 1e-5
    _, gradient, information = terms(design, beta)
    for k, unit in enumerate(np.eye(3) * eps):
        up, down = terms(design, beta + unit), terms(design, beta - unit)
        assert gradient[k] == pytest.approx((up[0] - down[0]) / (2 * eps), abs=1e-6)
        np.testing.assert_allclose(information[k], -(up[1] - down[1]) / (2 * eps), atol=1e-6)


def test_known_answer_7_baseline_hazard(t_set):
    beta = fit_cox(t_set.x, t_set.time, t_set.event, ties="breslow").beta
    curve = baseline_cumulative_hazard(t_set.x * beta, t_set.time, t_set.event, ties="breslow")
    expected = [0.0876050471906, 0.2462691263555, 0.4113144165091, 0.7122915348318, 1.2943651317268]
    np.testing.assert_allclose(curve.at([1, 2, 3, 4, 5, 6]), [*expected, expected[-1]], atol=5e-12)
    assert curve.at(0.5) == 0
    efron = baseline_cumulative_hazard(np.zeros(10), t_set.time, t_set.event)
    assert efron.at(1) == pytest.approx(1 / 10 + 1 / 9)
    survival = cox_survival(curve, t_set.x * beta, [0.5, 2, 9])
    assert survival.shape == (10, 3)
    np.testing.assert_array_equal(survival[:, 0], 1)
    np.testing.assert_allclose(survival[:, 1], np.exp(-expected[1] * np.exp(t_set.x * beta)))
    assert cox_survival(curve, [1e4, -1e4], [2, 3]).tolist() == [[0, 0], [1, 1]]


def test_known_answer_12_lung(golden, lung):
    fit = fit_cox(lung.x, lung.time, lung.event)
    np.testing.assert_allclose(fit.beta, [0.01106676456, -0.5526123957, 0.46372847537], atol=5e-11)
    assert fit.loglik_null == pytest.approx(-744.480455761, abs=5e-10)
    assert fit.loglik == pytest.approx(-729.230121375, abs=5e-10)
    breslow = fit_cox(lung.x, lung.time, lung.event, ties="breslow")
    np.testing.assert_allclose(breslow.beta, [0.01104113635, -0.55188956979, 0.46294704059], atol=5e-11)
    assert breslow.loglik == pytest.approx(-729.488705177, abs=5e-10)
    for ties, found in (("efron", fit), ("breslow", breslow)):
        np.testing.assert_allclose(found.se, golden["lung"]["cox"][ties]["se"], rtol=1e-8)


def test_agrees_with_lifelines(lung):
    lifelines = pytest.importorskip("lifelines")
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(lung.x, columns=["age", "sex", "ecog"]).assign(time=lung.time, event=lung.event)
    other = lifelines.CoxPHFitter().fit(frame, "time", "event")
    fit = fit_cox(lung.x, lung.time, lung.event)
    np.testing.assert_allclose(fit.beta, other.params_.to_numpy(), rtol=1e-3)  # lifelines stops early
    np.testing.assert_allclose(fit.se, other.standard_errors_.to_numpy(), rtol=1e-3)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_ridge_equals_r(golden, t_set, ties):
    fit, expected = fit_cox(t_set.x, t_set.time, t_set.event, ties=ties, l2=0.5), golden["set_t"]["cox_ridge"][ties]
    assert fit.beta[0] == pytest.approx(expected["beta"], abs=1e-8)
    assert fit.loglik == pytest.approx(expected["loglik"], abs=1e-8)


def test_ridge_with_more_columns_than_rows():
    rng = np.random.default_rng(0)
    x, time, event = rng.normal(size=(30, 45)), rng.integers(1, 9, 30), rng.random(30) < 0.7
    short = fit_cox(x, time, event, l2=2.0)
    long = fit_cox(x, time, event, l2=np.full(45, 2.0))
    np.testing.assert_allclose(short.beta, long.beta, atol=1e-9)
    np.testing.assert_allclose(short.covariance, long.covariance, atol=1e-9)
    assert short.loglik == pytest.approx(long.loglik, rel=1e-10)


def test_penalty_per_column_and_constant_columns(t_set):
    x = np.column_stack([t_set.x, np.ones(10), t_set.x])
    fit = fit_cox(x, t_set.time, t_set.event, l2=[0.0, 1.0, 1e9])
    assert fit.beta[0] == pytest.approx(1.09976140175, abs=1e-6)
    np.testing.assert_allclose(fit.beta[1:], 0, atol=1e-6)


def test_scale_and_shift_of_a_column_change_nothing_else(lung):
    plain = fit_cox(lung.x, lung.time, lung.event)
    moved = fit_cox(lung.x * [1000, 1, 1] + [1e6, 0, -5], lung.time, lung.event)
    np.testing.assert_allclose(moved.beta * [1000, 1, 1], plain.beta, rtol=1e-8)
    assert moved.loglik == pytest.approx(plain.loglik, rel=1e-11)


def test_select_ridge_prefers_much_for_noise_and_little_for_signal():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(150, 8))
    folds = np.arange(150) % 5
    penalties = [0.1, 1, 10, 100, 1000]
    time, event = rng.exponential(np.exp(-x[:, 0])), rng.random(150) < 0.8
    assert select_ridge(x, time, event, penalties, folds) <= 10
    assert select_ridge(x, rng.permutation(time), event, penalties, folds) >= 100
    wide = rng.normal(size=(60, 90))
    assert select_ridge(wide, time[:60], event[:60], penalties, folds[:60]) in penalties


def test_select_ridge_criterion(lung):
    """The chosen penalty has the largest cross-validated likelihood, computed without warm starts."""
    folds, grid = np.arange(lung.time.size) % 3, [0.01, 1.0, 100.0, 10000.0]

    def criterion(penalty):
        total = 0.0
        for k in range(3):
            train = folds != k
            beta = fit_cox(lung.x[train], lung.time[train], lung.event[train], l2=penalty).beta
            h = lung.x @ beta
            total += log_partial_likelihood(h, lung.time, lung.event)
            total -= log_partial_likelihood(h[train], lung.time[train], lung.event[train])
        return total

    assert select_ridge(lung.x, lung.time, lung.event, grid, folds) == max(grid, key=criterion)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"event": np.zeros(10)}, "not identifiable: 0 events"),
        ({"event": np.arange(10) == 3}, "not identifiable: 1 event,"),
        ({"x": np.ones(10)}, "column 0 of x is constant"),
        ({"x": np.column_stack([np.arange(10), np.zeros(10)])}, "column 1 of x is constant"),
        ({"x": np.column_stack([np.arange(10) ** 2, np.arange(10), 2 * np.arange(10)])}, "column 2 .* combination"),
        ({"x": -np.array([1, 1, 2, 2, 2, 3, 4, 4, 5, 6])}, "column 0 .*l2 > 0"),
        ({"x": np.r_[np.zeros(9), np.inf]}, "x is inf in row 9, column 0"),
        ({"x": np.zeros((9, 1))}, "x has shape"),
        ({"l2": -1.0}, "l2 must be"),
        ({"l2": [1.0, 2.0]}, "l2 must be"),
        ({"ties": "none"}, "ties must be one of"),
        ({"ties": "exact"}, "only log_partial_likelihood"),
        ({"time": -np.arange(1, 11)}, "time is negative in row 0"),
    ],
)
def test_fit_errors(t_set, change, message):
    arguments = {"x": t_set.x, "time": t_set.time, "event": t_set.event, **change}
    with pytest.raises(DataError, match=message):
        fit_cox(**arguments)


def test_column_that_varies_in_no_risk_set(t_set):
    with pytest.raises(DataError, match="column 1 of x does not vary"):
        fit_cox(np.column_stack([t_set.x, t_set.strata]), t_set.time, t_set.event, strata=t_set.strata)


def test_other_errors(t_set):
    with pytest.raises(DataError, match="log_risk is nan in row 0"):
        log_partial_likelihood(np.full(10, np.nan), t_set.time, t_set.event)
    with pytest.raises(DataError, match="log_risk is inf in row 2"):
        baseline_cumulative_hazard(np.r_[0, 0, np.inf, np.zeros(7)], t_set.time, t_set.event)
    with pytest.raises(DataError, match="takes no weights"):
        log_partial_likelihood(t_set.x, t_set.time, t_set.event, ties="exact", weights=t_set.weights)
    with pytest.raises(DataError, match="no events"):
        baseline_cumulative_hazard(t_set.x, t_set.time, np.zeros(10))
    with pytest.raises(DataError, match="efron and breslow"):
        baseline_cumulative_hazard(t_set.x, t_set.time, t_set.event, ties="exact")
    assert log_partial_likelihood(t_set.x, t_set.time, np.zeros(10)) == 0
    with pytest.raises(DataError, match="names one fold"):
        select_ridge(t_set.x, t_set.time, t_set.event, [1.0], np.zeros(10))
    with pytest.raises(DataError, match="positive"):
        select_ridge(t_set.x, t_set.time, t_set.event, [0.0], np.arange(10) % 2)
    with pytest.raises(DataError, match="fewer than two events"):
        select_ridge(t_set.x, t_set.time, np.arange(10) < 2, [1.0], np.arange(10) % 2)
    assert issubclass(NotEstimableError, ValueError)


def test_a_rare_category_without_events_is_named(lung):
    rare = np.zeros(lung.time.size)
    rare[np.flatnonzero(~lung.event)[:3]] = 1
    x = np.column_stack([lung.x[:, 0], rare, lung.x[:, 2]])
    with pytest.raises(DataError, match="coefficient of column 1 of x"):
        fit_cox(x, lung.time, lung.event)
    assert fit_cox(x, lung.time, lung.event, l2=0.1).beta[1] < 0


def test_separated_data_fit_with_a_penalty(t_set):
    fit = fit_cox(-t_set.time, t_set.time, t_set.event, l2=0.1)
    assert 0 < fit.beta[0] < 20
