"""Kaplan-Meier by predicted risk and calibration, as tables."""

import numpy as np
import pandas as pd
import pytest
from simulated_waist import waist

from triptych.curves import CALIBRATION, KM, calibration, km_by_risk
from triptych.survival.nonparametric import kaplan_meier, logrank


def logranks(table):
    return table[table["record"] == "test"].set_index("model")


@pytest.mark.parametrize("rule", ["fold-median", "pooled-median"])
def test_groups_by_hand(rule):
    table = waist()
    found = km_by_risk(table, rule)
    assert list(found.columns) == KM
    rows = table.query("model == 'a' and repeat == 0")
    cut = rows.groupby("fold")["risk"].transform("median") if rule == "fold-median" else rows["risk"].median()
    high = (rows["risk"] >= cut).to_numpy()
    time, event = rows["time"].to_numpy(), rows["event"].to_numpy(bool)
    test = logranks(found).loc["a"]
    assert test["p"] == pytest.approx(logrank(time, event, high).p, rel=1e-12)
    assert (test["n"], test["events"]) == (60, event.sum())
    for group, members in (("high", high), ("low", ~high)):
        curve = found[(found["model"] == "a") & (found["record"] == "curve") & (found["group"] == group)]
        known = kaplan_meier(time[members], event[members])
        assert curve["time"].iloc[0] == 0
        assert curve["survival"].iloc[0] == 1
        np.testing.assert_allclose(curve["time"].iloc[1:], known.times)
        np.testing.assert_allclose(curve["survival"].iloc[1:], known.survival)
        assert set(curve["n"]) == {members.sum()}
        at_risk = found[(found["model"] == "a") & (found["record"] == "at_risk") & (found["group"] == group)]
        assert at_risk["n"].tolist() == [(time[members] >= t).sum() for t in at_risk["time"]]
        assert at_risk["n"].iloc[0] == members.sum()
        assert 3 <= len(at_risk) <= 6


@pytest.mark.parametrize("rule", ["fold-median", "pooled-median"])
def test_risk_at_the_median_is_high(rule):
    """Three people: the one in the middle belongs to the high group (with >, 33 of 55 published log-rank p do not come out)."""
    table = waist(n=3, repeats=1, folds=1, models=("a",)).assign(risk=[1.0, 2.0, 3.0], event=1, time=[3.0, 2.0, 1.0])
    found = km_by_risk(table, rule)
    curve = found[found["record"] == "curve"].groupby("group")["n"].first()
    assert curve.to_dict() == {"high": 2, "low": 1}


def test_the_two_rules_differ_when_folds_have_other_levels():
    table = waist(repeats=1)
    table["risk"] += 100 * table["fold"]
    a, b = (logranks(km_by_risk(table, rule)).loc["a", "p"] for rule in ("fold-median", "pooled-median"))
    assert a == pytest.approx(logranks(km_by_risk(waist(repeats=1), "fold-median")).loc["a", "p"])
    assert abs(a - b) > 0.01


def test_the_first_repeat_only():
    table = waist(repeats=3)
    pd.testing.assert_frame_equal(
        km_by_risk(table, "fold-median"), km_by_risk(table[table["repeat"] == 0].reset_index(drop=True), "fold-median")
    )


def test_the_same_risk_for_all_is_told():
    table = waist()
    table.loc[table["model"] == "b", "risk"] = 0.0
    found = km_by_risk(table, "fold-median")
    assert logranks(found).loc["b", "reason"] == "the model gives everyone the same risk"
    assert np.isnan(logranks(found).loc["b", "p"])
    assert (found["model"] == "b").sum() == 1
    assert np.isfinite(logranks(found).loc["a", "p"])


def test_one_group_without_events():
    """Everyone of the low group is censored: a test is made all the same."""
    table = waist(n=40, repeats=1, models=("a",), folds=1)
    table["risk"] = np.arange(40.0)
    table["event"] = (table["risk"] >= 20).astype(int)
    found = km_by_risk(table, "fold-median")
    assert np.isfinite(logranks(found).loc["a", "p"])
    low = found[(found["group"] == "low") & (found["record"] == "curve")]
    assert (low["survival"] == 1).all()


def test_nobody_has_an_event():
    table = waist().assign(event=0)
    found = km_by_risk(table, "fold-median")
    assert logranks(found)["p"].isna().all()
    assert set(logranks(found)["reason"]) == {"a log-rank test needs events, every row is censored"}


# ---- calibration ---------------------------------------------------------------------------------


def curves_of(table, at=(0.5, 1.0, 1.5)):
    base = np.exp(-np.outer(np.exp(table["risk"]), at))
    return pd.DataFrame(base, columns=[str(float(t)) for t in at], index=table.index)


def test_calibration_in_groups_of_predicted_risk():
    table = waist(n=200, repeats=2, models=("a",))
    found = calibration(table, curves_of(table), 1.0)
    assert list(found.columns) == CALIBRATION
    assert found["group"].tolist() == list(range(1, len(found) + 1))
    assert 3 <= len(found) <= 10
    assert found["n"].sum() == 200  # one repeat
    assert (np.diff(found["predicted"]) > 0).all()
    assert ((found["low"] <= found["observed"]) & (found["observed"] <= found["high"])).all()
    first = table["repeat"] == 0
    overall = (found["predicted"] * found["n"]).sum() / 200
    assert overall == pytest.approx((1 - curves_of(table)["1.0"])[first].mean(), abs=1e-10)


def test_the_curve_nearest_to_the_horizon_counts():
    table = waist(n=100, repeats=1, models=("a",))
    curves = curves_of(table)
    known = calibration(table, curves, 1.0)
    pd.testing.assert_frame_equal(calibration(table, curves.assign(**{"0.5": 0.5, "1.5": 0.1}), 1.0), known)
    assert not calibration(table, curves.assign(**{"1.0": curves["1.0"] ** 2}), 1.0).equals(known)


def test_one_curve_for_all_is_one_group():
    table = waist(n=100, repeats=1, models=("a",))
    found = calibration(table, curves_of(table.assign(risk=0.0)), 1.0)
    assert len(found) == 1
    assert found["predicted"].iloc[0] == pytest.approx(1 - np.exp(-1))


def test_no_curves_and_no_horizon_are_told():
    table = waist(repeats=1)
    assert set(calibration(table, None, 1.0)["reason"]) == {"the model gives a risk but no survival probabilities"}
    assert set(calibration(table, curves_of(table), None)["reason"]) == {"the task has no horizon"}
    some = curves_of(table)
    some.loc[table["model"] == "b"] = np.nan
    found = calibration(table, some, 1.0)
    assert found.loc[found["model"] == "b", "reason"].tolist() == [
        "the model gives a risk but no survival probabilities"
    ]
    assert found.loc[found["model"] == "a", "reason"].isna().all()
