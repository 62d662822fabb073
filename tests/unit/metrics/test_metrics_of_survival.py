"""Metrics of survival: curves up to the horizon, and values by hand."""

from dataclasses import replace

import numpy as np
import pytest
from simulated_held import METRICS, survival

from triptych.errors import NotEstimableError
from triptych.plugins import describe, load
from triptych.survival.nonparametric import censoring_curve

OF_SURVIVAL = [name for name in METRICS if "survival" in describe("metrics", name)["TASKS"]]
CURVES = [name for name in OF_SURVIVAL if describe("metrics", name).literals.get("CURVES")]


@pytest.mark.parametrize("name", CURVES)
def test_no_curves(name):
    rows = replace(survival("half"), times=None, curves=None)
    with pytest.raises(NotEstimableError, match="a risk but no survival probabilities"):
        load("metrics", name).contributions(rows)


def test_every_metric_either_ranks_or_needs_curves():
    ranking = {name for name in OF_SURVIVAL if describe("metrics", name)["FAMILY"] == "rank"}
    assert ranking.isdisjoint(CURVES)
    assert ranking | set(CURVES) == set(OF_SURVIVAL)


@pytest.mark.parametrize("name", CURVES)
def test_curves_count_up_to_the_horizon_only(name):
    score = load("metrics", name).contributions
    rows = replace(survival("half"), horizon=3.0)
    late = rows.times > 3.0 + 1e-9
    noisy = replace(rows, curves=np.where(late, 0.5, rows.curves))
    assert score(noisy)[0] == score(rows)[0]
    early = replace(rows, curves=np.where(late, rows.curves, 0.5))
    assert score(early)[0] != score(rows)[0]


@pytest.mark.parametrize("name", CURVES)
def test_a_coin_has_a_squared_error_of_one_quarter(name):
    rows = survival("random")
    value = load("metrics", name).contributions(replace(rows, curves=np.full_like(rows.curves, 0.5)))[0]
    assert value == pytest.approx(0.25, abs=0.01)


def test_brier_without_censoring_is_the_mean_squared_error():
    rows = survival("half", n=40)
    rows = replace(rows, event=np.ones(40, bool), censoring=censoring_curve(rows.time, np.ones(40, bool)))
    value, influence = load("metrics", "brier").contributions(rows)
    errors = ((rows.time > 5.0) - rows.curves[:, -1]) ** 2
    assert value == pytest.approx(errors.mean(), abs=1e-12)
    np.testing.assert_allclose(influence, (errors - errors.mean()) / 40, atol=1e-12)


def test_harrell_by_hand():
    """Times 1 2 3, all events, in two folds: pairs (1,2) right in fold 0, (1,3) wrong in fold 1, (2,3) tied there."""
    rows = replace(
        survival("half", n=5),
        time=np.array([1.0, 2.0, 1.0, 2.0, 3.0]),
        event=np.ones(5, bool),
        risk=np.array([2.0, 1.0, 5.0, 6.0, 6.0]),
        fold=np.array([0, 0, 1, 1, 1]),
        curves=None,
    )
    value, _ = load("metrics", "harrell_c").contributions(rows)
    assert value == pytest.approx((1 + 0 + 0 + 0.5) / 4)
