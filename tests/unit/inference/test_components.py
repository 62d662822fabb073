"""Variance components against lme4 (typed in or, where R has it, read through R), closed forms and simulated truth."""

import csv
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from triptych.errors import DataError, NotEstimableError
from triptych.inference.binary_component import binary_component
from triptych.inference.components import components, random_slope

DYESTUFF = np.array(
    [
        [1545, 1440, 1440, 1520, 1580],
        [1540, 1555, 1490, 1560, 1495],
        [1595, 1550, 1605, 1510, 1560],
        [1445, 1440, 1595, 1465, 1545],
        [1595, 1630, 1515, 1635, 1625],
        [1520, 1455, 1450, 1480, 1445],
    ]
).ravel()
BATCH = np.repeat(list("ABCDEF"), 5)


@pytest.fixture(scope="module")
def lme4(tmp_path_factory):
    """Columns of the data sets of R's lme4, {name: {column: array of text}}."""
    folder, found = tmp_path_factory.mktemp("r"), {}
    names = ("cbpp", "Penicillin", "sleepstudy")
    script = "".join(
        f'data({name}, package="lme4"); write.csv({name}, "{folder / name}.csv", row.names=FALSE);' for name in names
    )
    if not shutil.which("Rscript") or subprocess.run(["Rscript", "-e", script], capture_output=True).returncode:
        pytest.skip("R with lme4 is not here (Debian: r-cran-lme4): cbpp, Penicillin and sleepstudy not checked")
    for name in names:
        with (folder / f"{name}.csv").open() as lines:
            rows = list(csv.DictReader(lines))
        found[name] = {column: np.array([row[column] for row in rows]) for column in rows[0]}
    return found


def crossed(seed, patients=12, seeds=6, repeats=2, sds=(1.0, 0.5, 0.7)):
    random = np.random.default_rng(seed)
    patient, seed_ = (grid.ravel() for grid in np.indices((patients, seeds, repeats))[:2])
    y = random.normal(0, sds[0], patients)[patient] + random.normal(0, sds[1], seeds)[seed_]
    return 0.8 + y + random.normal(0, sds[2], patient.size), patient, seed_


# ---- known answers -------------------------------------------------------------------------------


def test_dyestuff_in_closed_form_and_by_reml():
    found = components(DYESTUFF, {"batch": BATCH})
    assert found.mean == 1527.5
    assert found.factors[0].variance == pytest.approx(1764.05, abs=1e-8)
    assert found.residual == pytest.approx(2451.25, abs=1e-8)
    assert found.se == pytest.approx(19.3834, abs=1e-4)
    assert "balanced" in found.method
    assert found.factors[0].means.tolist() == [1505, 1528, 1564, 1498, 1600, 1470]
    assert found.factors[0].share + found.residual_share == pytest.approx(1)
    # a second factor of two levels, held fixed and orthogonal, sends the fit through REML
    both = components(np.tile(DYESTUFF, 2), {"batch": np.tile(BATCH, 2), "half": np.repeat([0, 1], 30)})
    alone = components(np.tile(DYESTUFF, 2), {"batch": np.tile(BATCH, 2)})
    assert both.method == "REML"
    assert both.factors[0].variance == pytest.approx(
        alone.factors[0].variance + (alone.residual - both.residual) / 10, rel=1e-6
    )


def test_penicillin(lme4):
    data = lme4["Penicillin"]
    found = components(data["diameter"].astype(float), {"plate": data["plate"], "sample": data["sample"]})
    plate, sample = (factor.variance for factor in found.factors)
    # lme4 at its default tolerance (the printed answer), and with bobyqa to 1e-12
    assert (plate, sample, found.residual) == pytest.approx((0.71690514, 3.73113184, 0.30241496), rel=1e-4)
    assert (plate, sample, found.residual) == pytest.approx((0.716908340, 3.730919014, 0.302415445), rel=2e-6)
    assert found.mean == pytest.approx(22.97222, abs=1e-5)


def test_sleepstudy(lme4):
    data = lme4["sleepstudy"]
    found = random_slope(data["Reaction"].astype(float), data["Days"].astype(float), data["Subject"])
    assert found.fixed == pytest.approx([251.40510, 10.46729], abs=1e-4)
    assert found.se == pytest.approx([6.824597, 1.545790], abs=1e-4)
    assert found.sd == pytest.approx([24.74045, 5.92213], abs=1e-4)
    assert found.correlation == pytest.approx(0.0656, abs=1e-4)
    assert found.residual_sd == pytest.approx(25.59180, abs=1e-4)


def test_cbpp(lme4):
    data = lme4["cbpp"]
    period = data["period"][:, None] == ["1", "2", "3", "4"]
    x = np.column_stack((np.ones(period.shape[0]), period[:, 1:]))
    y, size = data["incidence"].astype(float), data["size"].astype(float)
    found = binary_component(y, data["herd"], trials=size, x=x, nodes=1)
    # lme4 at its default tolerance stops 3e-4 below the maximum; then with tolPwrss 1e-13
    assert found.fixed == pytest.approx([-1.398343, -0.991925, -1.128216, -1.579745], abs=6e-4)
    assert (found.sd, found.loglik) == pytest.approx((0.6421, -92.02657), abs=3e-4)
    assert found.fixed == pytest.approx([-1.398522, -0.992332, -1.128678, -1.580319], abs=3e-5)
    assert (found.sd, found.loglik) == pytest.approx((0.642265, -92.026282), abs=1e-5)
    # glmer(nAGQ = 9)
    found = binary_component(y, data["herd"], trials=size, x=x, nodes=9)
    assert found.fixed == pytest.approx([-1.399212, -0.991418, -1.127833, -1.579466], abs=5e-5)
    assert found.sd == pytest.approx(0.647521, abs=2e-5)


# ---- identities ----------------------------------------------------------------------------------


def test_balanced_crossed_factors_have_a_closed_form():
    y, patient, seed = crossed(0)
    found = components(y, {"patient": patient, "seed": seed})
    by_patient = np.bincount(patient, y) / np.bincount(patient)
    by_seed = np.bincount(seed, y) / np.bincount(seed)
    left = y - by_patient[patient] - by_seed[seed] + y.mean()
    residual = np.sum(left**2) / (y.size - 12 - 6 + 1)
    expected = [(12 * by_patient.var(ddof=1) - residual) / 12, (24 * by_seed.var(ddof=1) - residual) / 24]
    assert [factor.variance for factor in found.factors] == pytest.approx(expected, rel=1e-5)
    assert found.residual == pytest.approx(residual, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(-1000, 1000))
def test_unit_origin_order_and_names_change_nothing(seed, factor, shift):
    y, patient, seeds = crossed(seed, 8, 5, 2)
    keep = np.random.default_rng(seed).permutation(y.size)[:70]  # unbalanced
    one = components(y[keep], {"patient": patient[keep], "seed": seeds[keep]})
    names = np.array([f"p{9 - k}" for k in patient])
    order = keep[::-1]
    other = components(shift + factor * y[order], {"seed": seeds[order], "patient": names[order]})
    shares = [component.share for component in one.factors]
    assert shares == pytest.approx([component.share for component in other.factors][::-1], abs=1e-4)
    assert sum(shares) + one.residual_share == pytest.approx(1)
    assert other.residual == pytest.approx(factor**2 * one.residual, rel=1e-4)
    assert other.mean == pytest.approx(shift + factor * one.mean, rel=1e-5, abs=1e-4 * factor)


def test_no_more_variance_between_levels_than_within_is_none():
    y = np.tile([1.0, 2, 3, 4], 6)
    found = components(y, {"site": np.repeat(np.arange(6), 4)})
    assert found.factors[0].variance == 0
    assert found.residual == pytest.approx(y.var(ddof=1))
    unbalanced = components(y[1:], {"site": np.repeat(np.arange(6), 4)[1:]})
    assert unbalanced.factors[0].variance == pytest.approx(0, abs=1e-6)


def test_few_levels_have_means_and_no_variance_and_leave_the_others_alone():
    y, patient, seed = crossed(1)
    seed3 = seed % 3
    plain = components(y, {"patient": patient, "seed": seed3})
    shifted = components(y + 50 * seed3, {"patient": patient, "seed": seed3})
    factor = shifted.factors[1]
    assert "3 levels are too few" in factor.note
    assert np.isnan([factor.variance, factor.share]).all()
    assert np.diff(factor.means) == pytest.approx(50 + np.diff(plain.factors[1].means))
    assert shifted.factors[0].variance == pytest.approx(plain.factors[0].variance, rel=1e-5)
    alone = components(y, {"seed": seed3})
    means = (np.bincount(seed3, y) / np.bincount(seed3))[seed3]
    assert alone.residual == pytest.approx(np.sum((y - means) ** 2) / (y.size - 3))


def test_the_truth_is_found_on_average():
    found = [components(y, {"patient": a, "seed": b}) for y, a, b in (crossed(k) for k in range(60))]
    mean = [np.mean([one.factors[k].variance for one in found]) for k in (0, 1)]
    assert mean == pytest.approx([1, 0.25], rel=0.25)
    assert np.mean([one.residual for one in found]) == pytest.approx(0.49, rel=0.05)


def test_quadrature_of_the_logistic_model_against_integration():
    random = np.random.default_rng(4)
    group = np.repeat(np.arange(30), 4)
    y = (random.random(120) < special.expit(0.5 + 1.5 * random.normal(size=30)[group])).astype(float)
    found = binary_component(y, group, nodes=25)

    def height(u, wins):
        eta = found.fixed[0] + found.sd * u
        return np.exp(wins * eta - 4 * np.logaddexp(0, eta) - u * u / 2) / np.sqrt(2 * np.pi)

    def level(k):
        return integrate.quad(height, -9, 9, args=(y[group == k].sum(),))[0]

    assert found.loglik == pytest.approx(np.sum(np.log([level(k) for k in range(30)])), abs=1e-6)
    assert found.share == pytest.approx(found.sd**2 / (found.sd**2 + np.pi**2 / 3))
    assert binary_component(y, group, nodes=1).sd < found.sd  # Laplace is too low here
    turned = binary_component(1 - y, group, nodes=25)
    assert (turned.sd, turned.fixed[0]) == pytest.approx((found.sd, -found.fixed[0]), abs=1e-4)


def test_modes_are_found_where_newton_alone_would_circle():
    y = np.repeat([0.0, 1, 1, 0, 1, 0], 60)
    y[::60] = 1 - y[::60]
    found = binary_component(y, np.repeat(np.arange(6), 60))
    assert 2 < found.sd < 10


# ---- what is refused -----------------------------------------------------------------------------


def test_what_is_refused():
    y, patient, seed = crossed(2)
    for factors, message in (
        ({"row": np.arange(y.size)}, "one value per level"),
        ({"fold": np.zeros(y.size)}, "a single level"),
        ({"patient": patient, "person": patient + 7}, "cannot be told apart"),
        ({"a": patient % 2, "b": patient % 4, "c": patient // 4, "d": (patient % 4 > 0) * 1}, "confounded"),
    ):
        with pytest.raises(NotEstimableError, match=message):
            components(y, factors)
    with pytest.raises(NotEstimableError, match="every value is the same"):
        components(np.ones(y.size), {"patient": patient})
    with pytest.raises(DataError, match="row 3"):
        components(np.where(np.arange(y.size) == 3, np.nan, y), {"patient": patient})
    with pytest.raises(DataError, match="'seed' has shape"):
        components(y, {"seed": seed[:5]})
    with pytest.raises(DataError, match="no factor"):
        components(y, {})
    with pytest.raises(NotEstimableError, match="3 groups"):
        random_slope(y, seed, patient % 3)


def test_what_the_logistic_model_refuses():
    group = np.repeat(np.arange(6), 5)
    y = (np.arange(30) % 2).astype(float)
    for call, error, message in (
        (lambda: binary_component(y, group % 4), NotEstimableError, "4 levels"),
        (lambda: binary_component(np.ones(30), group), NotEstimableError, "every outcome is the same"),
        (lambda: binary_component(y, np.arange(30)), NotEstimableError, "one outcome per level"),
        (lambda: binary_component(y + 0.5, group), DataError, "row 0"),
        (lambda: binary_component(y, group, trials=np.ones(3)), DataError, "trials has shape"),
        (lambda: binary_component(y, group, x=np.ones(30)), DataError, "x has shape"),
    ):
        with pytest.raises(error, match=message):
            call()


# ---- factors held fixed --------------------------------------------------------------------------


def test_samples_held_fixed_as_lme4(lme4):
    # lmer(diameter ~ sample + (1|plate), Penicillin)
    data = lme4["Penicillin"]
    values = data["diameter"].astype(float)
    found = components(values, {"plate": data["plate"]}, fixed={"sample": data["sample"]})
    assert found.factors[0].variance == pytest.approx(0.716908646, abs=1e-5)
    assert found.residual == pytest.approx(0.302415425, abs=1e-6)
    assert found.mean == pytest.approx(22.97222, abs=1e-5)
    assert [one.name for one in found.factors] == ["plate"]


def test_shifts_of_a_fixed_factor_change_nothing():
    y, patient, seed = crossed(3)
    model = np.arange(y.size) % 2
    known = components(y, {"patient": patient, "seed": seed}, fixed={"model": model})
    moved = components(y + 7.0 * model, {"patient": patient, "seed": seed}, fixed={"model": model})
    for one, two in zip(known.factors, moved.factors, strict=True):
        assert two.variance == pytest.approx(one.variance, rel=1e-5)
    assert moved.residual == pytest.approx(known.residual, rel=1e-6)
    assert moved.mean == pytest.approx(known.mean + 3.5, rel=1e-6)


def test_a_fixed_factor_of_one_level_is_none():
    one, two = (components(DYESTUFF, {"batch": BATCH}, fixed=held) for held in (None, {"model": np.zeros(30)}))
    assert two.factors[0].variance == pytest.approx(one.factors[0].variance, rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 0.6))
def test_a_small_variance_is_not_taken_for_none(seed, ratio):
    """Balanced rows x models: REML is the analysis of variance, (between - within) / models, or 0 where that is negative.

    A search by standard deviations ends at 0 whenever it comes there, for there the criterion is flat.
    """
    random = np.random.default_rng(seed)
    fold, model = (grid.ravel() for grid in np.indices((6, 11)))
    y = random.normal(0, ratio, 6)[fold] + 0.3 * model + random.normal(size=66)
    own = y.reshape(6, 11) - y.reshape(6, 11).mean(axis=0)
    between = 11 * own.mean(axis=1).var(ddof=1)
    within = np.sum((own - own.mean(axis=1, keepdims=True)) ** 2) / 50
    found = components(y, {"fold": fold}, fixed={"model": model})
    assert found.factors[0].variance == pytest.approx(max(between - within, 0) / 11, abs=1e-5)
