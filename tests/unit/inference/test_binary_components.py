"""Several variance components of a binary outcome: glmmTMB, one factor by quadrature, invariances, and simulated truth."""

import csv
import shutil
import subprocess

import numpy as np
import pytest
from scipy import optimize, special

from triptych.errors import DataError, NotEstimableError
from triptych.inference.binary_component import binary_component
from triptych.inference.binary_components import LARGEST_SD, binary_components


@pytest.fixture(scope="module")
def cbpp(tmp_path_factory):
    """Outcome, period and herd of every animal of lme4's cbpp, (842,) each."""
    path = tmp_path_factory.mktemp("r") / "cbpp.csv"
    script = f'data(cbpp, package="lme4"); write.csv(cbpp, "{path}", row.names=FALSE)'
    if not shutil.which("Rscript") or subprocess.run(["Rscript", "-e", script], capture_output=True).returncode:
        pytest.skip("R with lme4 is not here (Debian: r-cran-lme4): cbpp not checked")
    y, period, herd = [], [], []
    with path.open() as lines:
        for row in csv.DictReader(lines):
            size, hits = int(row["size"]), int(row["incidence"])
            y += [1] * hits + [0] * (size - hits)
            period += [row["period"]] * size
            herd += [row["herd"]] * size
    return np.array(y, dtype=float), np.array(period), np.array(herd)


def crossed(seed, patients=60, seeds=8, models=2, sds=(1.2, 0.6), constant=0.7):
    """Right or wrong by patient x seed x model, with normal intercepts of patients and seeds."""
    random = np.random.default_rng(seed)
    patient, seed_, model = (grid.ravel() for grid in np.indices((patients, seeds, models)))
    eta = constant + random.normal(0, sds[0], patients)[patient] + random.normal(0, sds[1], seeds)[seed_]
    return (random.random(eta.size) < special.expit(eta)).astype(float), patient, seed_, model


def sds(found):
    return [np.sqrt(one.variance) for one in found.factors]


# ---- known answers -------------------------------------------------------------------------------


def test_one_factor_as_glmmtmb(cbpp):
    # R 4.2.2, glmmTMB 1.1.5: glmmTMB(y ~ period + (1|herd), binomial, REML = TRUE), one row per animal
    y, period, herd = cbpp
    found = binary_components(y, {"herd": herd}, fixed={"period": period})
    assert sds(found) == [pytest.approx(0.6818672786, abs=1e-5)]
    assert found.factors[0].levels == 15


def test_two_crossed_factors_as_glmmtmb():
    # 240 rows by a rule, so that R can make them too: glmmTMB(y ~ 1 + (1|a) + (1|b), binomial, REML = TRUE)
    k = np.arange(240)
    a, b = k % 20, k // 20 % 6
    y = (k * k % 7 + 4 * (a % 5 < 2) - 3 * np.isin(b, (1, 4)) + a * a % 3 > 4).astype(float)
    found = binary_components(y, {"b": b, "a": a})
    assert sds(found) == pytest.approx([1.9692521, 2.6459234], abs=1e-4)


# ---- identities ----------------------------------------------------------------------------------


def dense(y, codes, sds_):
    """-2 log of the criterion from its definition, by brute force: dense Hessian, mode by a general optimiser."""
    z = np.hstack([np.eye(one.max() + 1)[one] * sd for one, sd in zip(codes, sds_, strict=True)])
    x = np.hstack((z, np.ones((y.size, 1))))
    prior = np.append(np.ones(z.shape[1]), 0.0)

    def minus(theta):
        eta = x @ theta
        value = -np.sum(y * eta - np.logaddexp(0, eta)) + prior @ theta**2 / 2
        return value, -x.T @ (y - special.expit(eta)) + prior * theta

    best = optimize.minimize(minus, np.zeros(x.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-9})
    mu = special.expit(x @ best.x)
    hessian = (x * (mu * (1 - mu))[:, None]).T @ x + np.diag(prior)
    return 2 * best.fun + np.linalg.slogdet(hessian)[1]


def test_the_criterion_is_that_of_its_definition():
    y, patient, seed, _ = crossed(3, patients=15, seeds=6)
    found = binary_components(y, {"patient": patient, "seed": seed})
    at = sds(found)
    assert found.deviance == pytest.approx(dense(y, [patient, seed], at), abs=1e-6)
    for step in (0.1, -0.1):
        assert dense(y, [patient, seed], [at[0] + step, at[1]]) > found.deviance
        assert dense(y, [patient, seed], [at[0], at[1] + step]) > found.deviance


@pytest.mark.parametrize("seed", range(6))
def test_nothing_on_a_grid_is_better(seed):
    """Small variances too: a search that came to 0 by standard deviations would stay there, for the criterion is flat."""
    y, patient, seed_, _ = crossed(seed, patients=20, seeds=6, models=1, sds=(0.5, 0.3))
    found = binary_components(y, {"patient": patient, "seed": seed_})
    for a in (0.0, 0.25, 0.5, 1.0):
        for b in (0.0, 0.25, 0.5, 1.0):
            assert dense(y, [patient, seed_], [a, b]) >= found.deviance - 1e-6


def test_one_factor_is_near_quadrature():
    """Laplace with many rows per level, and a constant that is known well, is near the exact likelihood."""
    y, patient, _, _ = crossed(5, patients=80, seeds=15, sds=(1.0, 0.0))
    found, exact = binary_components(y, {"patient": patient}), binary_component(y, patient, nodes=25)
    assert sds(found)[0] == pytest.approx(exact.sd, rel=0.03)
    assert found.factors[0].share == pytest.approx(exact.share, rel=0.06)


def test_names_order_and_turned_outcomes_change_nothing():
    y, patient, seed, model = crossed(7)
    known = binary_components(y, {"patient": patient, "seed": seed}, fixed={"model": model})
    order = np.random.default_rng(0).permutation(y.size)
    names = np.array([f"s{9 - s}" for s in seed])
    again = binary_components(
        1 - y[order], {"seed": names[order], "patient": patient[order]}, fixed={"m": model[order]}
    )
    assert sds(again)[::-1] == pytest.approx(sds(known), abs=1e-4)
    assert again.deviance == pytest.approx(known.deviance, abs=1e-6)


def test_shares_sum_to_one():
    y, patient, seed, _ = crossed(9)
    found = binary_components(y, {"patient": patient, "seed": seed})
    assert sum(one.share for one in found.factors) + found.residual_share == pytest.approx(1)
    assert found.factors[0].means == pytest.approx([y[patient == k].mean() for k in range(60)])


# ---- simulated truth -----------------------------------------------------------------------------


def test_known_amounts_are_found_again():
    made = [sds(binary_components(*_named(crossed(seed, patients=100, seeds=12)))) for seed in range(8)]
    assert np.mean(made, axis=0) == pytest.approx([1.2, 0.6], rel=0.12)


def _named(drawn):
    y, patient, seed, _ = drawn
    return y, {"patient": patient, "seed": seed}


def test_a_factor_that_does_nothing_has_little_variance():
    y, patient, _, _ = crossed(11, sds=(1.2, 0.0))
    noise = np.random.default_rng(1).integers(0, 10, y.size)
    found = binary_components(y, {"patient": patient, "noise": noise})
    assert found.factors[1].share < 0.02


def test_levels_that_are_always_right_or_wrong_have_nearly_all_the_variance():
    patient = np.repeat(np.arange(40), 8)
    found = binary_components((patient % 3 > 0).astype(float), {"patient": patient})
    assert found.factors[0].share > 0.95
    assert sds(found)[0] <= LARGEST_SD


# ---- fixed factors, few levels -------------------------------------------------------------------


def test_few_levels_are_held_fixed():
    y, patient, _, model = crossed(13, models=3)
    found = binary_components(y, {"patient": patient, "model": model})
    held = binary_components(y, {"patient": patient}, fixed={"model": model})
    assert np.isnan(found.factors[1].variance)
    assert "3 levels are too few" in found.factors[1].note
    assert sds(found)[0] == pytest.approx(sds(held)[0], abs=1e-4)


def test_fixed_factors_that_say_the_same_are_one():
    y, patient, _, model = crossed(15, models=3)
    once = binary_components(y, {"patient": patient}, fixed={"model": model})
    twice = binary_components(y, {"patient": patient}, fixed={"model": model, "again": -model, "both": model // 2})
    assert sds(twice) == pytest.approx(sds(once), abs=1e-4)


def test_what_is_refused():
    y, patient, _, model = crossed(17)
    with pytest.raises(DataError, match="y is 2 in row 3"):
        binary_components(np.where(np.arange(y.size) == 3, 2.0, y), {"patient": patient})
    with pytest.raises(NotEstimableError, match="every outcome is the same"):
        binary_components(np.ones(y.size), {"patient": patient})
    with pytest.raises(NotEstimableError, match="no factor has the 5 levels"):
        binary_components(y, {"model": model})
    with pytest.raises(NotEstimableError, match="split the rows alike"):
        binary_components(y, {"patient": patient, "person": 100 - patient})
    with pytest.raises(NotEstimableError, match="one value per level"):
        binary_components(y, {"row": np.arange(y.size)})
    with pytest.raises(NotEstimableError, match="always right or always wrong"):
        binary_components(np.where(model == 1, 1.0, y), {"patient": patient}, fixed={"model": model})
    with pytest.raises(DataError, match="'patient' has shape"):
        binary_components(y, {"patient": patient[:-1]})
