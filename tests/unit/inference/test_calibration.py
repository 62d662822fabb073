"""Calibration against R (aSAH, where R has pROC), numeric derivatives, identities, and simulated coverage."""

import csv
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from triptych.errors import DataError, NotEstimableError
from triptych.inference.calibration import (
    brier,
    calibration_error,
    calibration_error_by,
    in_the_large,
    log_observed_over_expected,
    recalibration,
    spiegelhalter,
)
from triptych.inference.comparisons import by_unit
from triptych.survival.binary_fit import fit_binary


@pytest.fixture(scope="module")
def asah(tmp_path_factory):
    """Outcome Poor (113,), and columns 1, s100b, ndka, out of R's pROC."""
    path = tmp_path_factory.mktemp("r") / "aSAH.csv"
    script = f'data(aSAH, package="pROC"); write.csv(aSAH, "{path}", row.names=FALSE)'
    if not shutil.which("Rscript") or subprocess.run(["Rscript", "-e", script], capture_output=True).returncode:
        pytest.skip("R with pROC is not here (Debian: r-base-core, r-cran-proc): aSAH answers not checked")
    with path.open() as lines:
        rows = list(csv.DictReader(lines))
    y = np.array([row["outcome"] == "Poor" for row in rows], dtype=float)
    return y, np.array([[1, float(row["s100b"]), float(row["ndka"])] for row in rows])


def simulated(seed, patients=60, rows=4, slope=1.0, shift=0.0):
    """Outcomes whose risk is expit(shift + slope logit(p)), several rows per patient that depend on each other."""
    random = np.random.default_rng(seed)
    z = np.repeat(random.normal(0, 1, patients), rows) + random.normal(0, 0.5, patients * rows)
    shared = np.repeat(random.random(patients), rows)
    own = np.where(random.random(patients * rows) < 0.5, shared, random.random(patients * rows))
    return (
        (own < special.expit(shift + slope * z)).astype(float),
        special.expit(z),
        np.repeat(np.arange(patients), rows),
    )


# ---- known answers -------------------------------------------------------------------------------


def test_asah_logistic_and_recalibration(asah):
    y, x = asah
    fit = fit_binary(y, x)
    assert fit.coef == pytest.approx([-2.378592201214, 5.334062178339, 0.031263300088], abs=1e-6)
    p = special.expit(x @ fit.coef)
    assert brier(y, p).value == pytest.approx(0.178693795247, abs=1e-6)
    own = recalibration(y, p, resolution=1e-15)
    assert (own.slope.value, own.intercept.value, own.in_the_large.value) == pytest.approx((1, 0, 0), abs=1e-6)

    bent = special.expit(0.5 + 2 * special.logit(p))
    found = recalibration(y, bent, resolution=2.0**-53)
    assert (found.slope.value, found.intercept.value) == pytest.approx((0.5, -0.25), abs=1e-6)
    assert found.in_the_large.value == pytest.approx(0.141519728929, abs=1e-6)
    z = special.logit(np.clip(bent, 2.0**-53, 1 - 2.0**-53))
    model = fit_binary(y, np.column_stack((np.ones(113), z))).covariance
    # R's glm at epsilon 1e-14; at its default it stops one step early, and prints 0.2392281337 and 0.1151573607
    assert np.sqrt(np.diag(model)) == pytest.approx([0.23923304, 0.11516195], abs=2e-8)
    assert np.sqrt(np.diag(model)) == pytest.approx([0.2392281337, 0.1151573607], abs=1e-5)


def test_asah_keeps_and_counts_a_prediction_of_one(asah):
    y, x = asah
    bent = special.expit(0.5 + 2 * (x @ fit_binary(y, x).coef))
    assert np.sum(bent == 1) == 1
    assert recalibration(y, bent).clipped >= 1
    assert recalibration(y, bent, resolution=2.0**-53).clipped == 1
    assert brier(y, bent).value == pytest.approx(0.199033744490665, abs=1e-9)
    assert brier(y[bent < 1], bent[bent < 1]).value == pytest.approx(0.200810831495046, abs=1e-9)


# ---- identities ----------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.4, 3), st.floats(-1, 1))
def test_slope_and_intercept_follow_a_bend_of_the_predictions(seed, factor, shift):
    y, p, units = simulated(seed)
    plain = recalibration(y, p, units)
    bent = recalibration(y, special.expit(shift + factor * special.logit(p)), units)
    assert bent.slope.value == pytest.approx(plain.slope.value / factor, rel=1e-6)
    expected = plain.intercept.value - shift * plain.slope.value / factor
    assert bent.intercept.value == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(bent.slope.influence * factor, plain.slope.influence, atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_classes_swapped_order_and_names_change_nothing(seed):
    y, p, units = simulated(seed)
    one, turned = recalibration(y, p, units), recalibration(1 - y, 1 - p, units)
    assert turned.slope.value == pytest.approx(one.slope.value, rel=1e-7)
    assert turned.intercept.value == pytest.approx(-one.intercept.value, abs=1e-7)
    assert turned.in_the_large.value == pytest.approx(-one.in_the_large.value, abs=1e-7)
    assert brier(1 - y, 1 - p, units).value == pytest.approx(brier(y, p, units).value)
    order = np.random.default_rng(seed).permutation(y.size)
    names = np.array([f"p{k}" for k in units])
    shuffled = recalibration(y[order], p[order], names[order])
    assert shuffled.slope.interval().se == pytest.approx(one.slope.interval().se, rel=1e-6)


def test_every_row_twice_in_its_unit_changes_nothing():
    y, p, units = simulated(1)
    twice = [np.repeat(column, 2) for column in (y, p, units)]
    for measure in (brier, lambda *a: recalibration(*a).slope, lambda *a: calibration_error(*a, kind="width")):
        one, other = measure(y, p, units), measure(*twice)
        assert one.value == pytest.approx(other.value)
        np.testing.assert_allclose(one.influence, other.influence, atol=1e-9)
    naive = recalibration(*twice[:2]).slope.interval().se
    assert naive < recalibration(*twice).slope.interval().se


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_the_influence_is_the_derivative_in_the_weight(link):
    y, p, _ = simulated(2, patients=20, rows=1)
    x = np.column_stack((np.ones(20), special.logit(p)))
    fit, h = fit_binary(y, x, link=link), 1e-5
    for row in (0, 7, 19):
        up, down = (fit_binary(y, x, weights=1 + sign * h * (np.arange(20) == row), link=link).coef for sign in (1, -1))
        np.testing.assert_allclose(fit.influence[row], (up - down) / (2 * h), rtol=1e-4, atol=1e-8)


def test_the_complementary_log_log_of_two_groups_by_hand():
    y, group = np.repeat([1.0, 0, 1, 0], [3, 7, 6, 4]), np.repeat([0.0, 1], 10)
    fit = fit_binary(y, np.column_stack((np.ones(20), group)), link="cloglog")
    low, high = np.log(-np.log(0.7)), np.log(-np.log(0.4))
    assert fit.coef == pytest.approx([low, high - low], rel=1e-8)


def test_brier_of_one_half_is_a_quarter_and_pairs_are_compared():
    y, p, units = simulated(3)
    half = brier(y, np.full(y.size, 0.5), units)
    assert half.value == 0.25
    assert np.allclose(half.influence, 0)
    model = brier(y, p, units)
    found = by_unit(half.value, model.value, half.influence, model.influence, level=0.95)
    assert found.interval.value > 0
    assert found.p < 0.05


# ---- expected calibration error ------------------------------------------------------------------


def test_calibration_error_by_hand():
    p = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.9])
    y = np.array([0.0, 0, 1, 1, 1, 0])
    found = calibration_error(y, p, bins=2, kind="width")
    assert found.n.tolist() == [3, 3]
    assert found.predicted == pytest.approx([0.2, 2.2 / 3])
    assert found.observed == pytest.approx([1 / 3, 2 / 3])
    assert found.value == pytest.approx((0.4 + 0.2) / 6)
    assert calibration_error(y, p, bins=1).value == pytest.approx(abs(y.mean() - p.mean()))
    by_mass = calibration_error(y, p, bins=3)
    assert by_mass.n.tolist() == [2, 2, 2]
    assert calibration_error(y, np.full(6, 0.5), bins=10).n.tolist() == [6]
    empty = calibration_error(y, np.full(6, 0.05), bins=10, kind="width")
    assert empty.n.tolist() == [6] + [0] * 9
    assert np.isnan(empty.observed[1:]).all()
    edges = calibration_error(y, np.array([0, 0.5, 0.5, 0.50001, 1, 1]), bins=2, kind="width")
    assert edges.n.tolist() == [3, 3]


def test_calibrated_predictions_show_about_what_chance_gives():
    found = [calibration_error(*simulated(seed)) for seed in range(100)]
    values, chance = (np.mean(column) for column in zip(*((f.value, f.by_chance) for f in found), strict=True))
    assert values == pytest.approx(chance, rel=0.15)
    wrong = calibration_error(*simulated(0, patients=300, slope=0.3, shift=1))
    assert wrong.value > 2 * wrong.by_chance
    interval = wrong.interval()
    assert 0 < interval.low < wrong.value < interval.high


@pytest.mark.parametrize(("slope", "shift", "truth"), [(1, 0, 0.0), (0.6, 0, 0.0646), (0.3, 1, 0.233)])
def test_the_interval_of_the_calibration_error_covers(slope, shift, truth):
    """Without allowance for bias it covers .38 where the model is calibrated (50 patients)."""
    hits = 0
    for seed in range(150):
        data = simulated(seed, patients=50, slope=slope, shift=shift)
        interval = calibration_error(*data, kind="width").interval()
        hits += interval.low <= truth <= interval.high
    assert hits / 150 > 0.91


def test_spiegelhalters_test_keeps_its_level():
    random = np.random.default_rng(5)
    p = random.uniform(0.05, 0.95, 200)
    level = np.mean([spiegelhalter(random.random(200) < p, p) < 0.05 for _ in range(500)])
    assert 0.02 < level < 0.08
    assert spiegelhalter(random.random(200) < special.expit(0.2 * special.logit(p)), p) < 1e-4
    with pytest.raises(NotEstimableError, match="no variance"):
        spiegelhalter([0, 1], [0.5, 1])


# ---- coverage ------------------------------------------------------------------------------------


def test_intervals_cover_with_repeated_rows():
    hits = np.zeros(4)
    truth = np.mean([brier(*simulated(9000 + k, patients=2000, slope=0.6)[:2]).value for k in range(20)])
    for seed in range(300):
        y, p, units = simulated(seed, patients=80, slope=0.6)
        found = recalibration(y, p, units)
        intervals = (
            (0.6, found.slope.interval()),
            (0.0, found.intercept.interval()),
            (truth, brier(y, p, units).interval()),
            (0.6, recalibration(y, p).slope.interval()),
        )
        hits += [interval.low <= true <= interval.high for true, interval in intervals]
    assert np.all(hits[:3] / 300 > 0.915)
    assert hits[3] < hits[0]  # rows taken as independent are too sure


# ---- what is refused -----------------------------------------------------------------------------


def test_what_is_refused():
    y = np.array([0.0, 0, 1, 1])
    with pytest.raises(NotEstimableError, match="separate the outcomes perfectly"):
        recalibration(y, [0.1, 0.2, 0.8, 0.9])
    with pytest.raises(NotEstimableError, match="separate the outcomes perfectly"):
        recalibration(y, [0.8, 0.9, 0.8, 0.1])  # the other way round, with a tie
    with pytest.raises(NotEstimableError, match="every outcome is 1"):
        recalibration([1, 1], [0.2, 0.3])
    with pytest.raises(NotEstimableError, match="every prediction is the same"):
        recalibration(y, np.full(4, 0.3))
    with pytest.raises(NotEstimableError, match="4 patients are too few"):
        brier(y, np.full(4, 0.3)).interval()
    with pytest.raises(DataError, match="y is 2 in row 1"):
        brier([0, 2], [0.5, 0.5])
    with pytest.raises(DataError, match="p is nan in row 0"):
        brier([0, 1], [np.nan, 0.5])
    with pytest.raises(DataError, match="where y has"):
        brier(y, [0.5])
    with pytest.raises(DataError, match="y has shape"):
        brier([], [])
    with pytest.raises(DataError, match="units has shape"):
        brier(y, y, [1, 2])
    with pytest.raises(DataError, match="kind is"):
        calibration_error(y, y, kind="size")
    with pytest.raises(DataError, match="bins must be"):
        calibration_error(y, y, bins=0)
    with pytest.raises(NotEstimableError, match="no maximum"):
        fit_binary(y, np.column_stack((np.ones(4), np.ones(4))))


# ---- in the large, observed over expected, error at a horizon ------------------------------------


def test_in_the_large_alone_is_that_of_the_whole():
    y, p, patient = simulated(3)
    alone, whole = in_the_large(y, p, patient), recalibration(y, p, patient).in_the_large
    assert alone.value == pytest.approx(whole.value, abs=1e-12)
    np.testing.assert_allclose(alone.influence, whole.influence, atol=1e-12)
    constant = in_the_large(y, np.full(y.size, 0.4))
    assert constant.value == pytest.approx(special.logit(y.mean()) - special.logit(0.4), abs=1e-9)


def test_observed_over_expected():
    y, p, patient = simulated(4)
    found = log_observed_over_expected(y, p, patient)
    assert np.exp(found.value) == pytest.approx(y.mean() / p.mean())
    assert found.influence.sum() == pytest.approx(0, abs=1e-12)
    assert log_observed_over_expected(y, p / 2).value == pytest.approx(found.value + np.log(2))
    # the influence is the derivative: a row of weight 1 + h changes the value by h times it
    h, weight = 1e-6, np.ones(y.size)
    weight[7] += h
    moved = np.log(np.average(y, weights=weight) / np.average(p, weights=weight))
    assert (moved - found.value) / h == pytest.approx(log_observed_over_expected(y, p).influence[7], rel=1e-4)


def test_one_class_has_neither():
    for measure in (in_the_large, log_observed_over_expected):
        with pytest.raises(NotEstimableError, match="every outcome is 1"):
            measure(np.ones(5), np.linspace(0.1, 0.9, 5))
    with pytest.raises(NotEstimableError, match="every prediction is 0"):
        log_observed_over_expected([0, 1, 1], [0, 0, 0])


def test_error_at_a_horizon_without_censoring_is_that_of_classes():
    random = np.random.default_rng(5)
    p = random.uniform(0.05, 0.95, 200)
    time = random.exponential(-1 / np.log(1 - p))
    patient = np.repeat(np.arange(100), 2)
    for kind in ("mass", "width"):
        a = calibration_error_by(time, np.ones(200), p, 1.0, patient, kind=kind)
        b = calibration_error((time <= 1).astype(float), p, patient, kind=kind)
        assert (a.value, a.by_chance) == pytest.approx((b.value, b.by_chance), abs=1e-12)
        np.testing.assert_allclose(a.influence, b.influence, atol=1e-12)
        np.testing.assert_allclose(a.observed, b.observed, atol=1e-12)


def test_censoring_at_random_leaves_the_error_where_it_was():
    """Predictions that are too high by 0.1 in every bin: the weights make up for who was censored."""
    random = np.random.default_rng(6)
    n = 20_000
    p = random.uniform(0.2, 0.8, n)
    hidden, censored = random.exponential(-1 / np.log(1 - p)), random.uniform(0, 3, n)
    found = calibration_error_by(np.minimum(hidden, censored), hidden <= censored, p + 0.1, 1.0)
    assert found.value == pytest.approx(0.1, abs=0.01)
    assert (found.predicted - found.observed) == pytest.approx(0.1, abs=0.04)


def test_nobody_was_followed_to_the_horizon():
    with pytest.raises(NotEstimableError, match="the censoring curve is 0"):
        calibration_error_by([1.0, 2.0, 3.0], [0, 1, 0], [0.2, 0.3, 0.4], 5.0)
