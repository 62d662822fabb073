"""Kaplan-Meier by predicted risk, as a table."""

import numpy as np
import pandas as pd
import pytest
from simulated_waist import waist

from triptych.curves import KM, km_by_risk
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
