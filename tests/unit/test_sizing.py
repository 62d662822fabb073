"""What a larger study would need: sizes that give the wished width when they are put back, and the limits of each plan."""

import numpy as np
import pandas as pd
import pytest

from triptych.inference.intervals import from_influence, over_sites
from triptych.inference.proportions import design_effect, ratio_influence
from triptych.sizing import PLANNING, planning


def scores(made, *, metric="harrell_c", unit="patient", **facts):
    """One row of the table ``scores`` from an interval."""
    row = {"model": "A", "role": "model", "metric": metric, "label": "C", "at": np.nan, "direction": "higher",
           "value": made.value, "low": made.low, "high": made.high, "se": made.se, "level": 0.95, "unit": unit,
           "n_units": 100, "n_rows": 100, "n_events": 40, "icc": np.nan, "n_eff": np.nan, "estimable": True,
           "reason": ""} | facts  # fmt: skip
    return pd.DataFrame([row])


def influence(n, seed=0):
    random = np.random.default_rng(seed).normal(size=n)
    return (random - random.mean()) / n


def test_so_many_patients_give_the_wished_half_width():
    made = from_influence(0.7, influence(100), level=0.95, scale="identity")
    found = planning(scores(made), "harrell_c")
    assert list(found.columns) == PLANNING
    assert found["target"].tolist() == [0.05, 0.02]
    sd = made.se * 10
    for row in found.to_dict("records"):
        half = [
            from_influence(0.7, _of_sd(n, sd), level=0.95, scale="identity") for n in (row["needed"], row["needed"] - 1)
        ]
        widths = [(one.high - one.low) / 2 for one in half]
        assert widths[0] <= row["target"] < widths[1]
        assert row["needed_events"] == np.ceil(row["needed"] * 0.4)


def _of_sd(n, sd):
    """Influences of n patients whose standard error is sd / sqrt(n)."""
    values = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    values -= values.mean()
    return values * sd / np.sqrt(n) / np.sqrt(n / (n - 1) * np.sum(values**2))


def test_this_study_again_needs_as_many_patients_as_it_had():
    made = from_influence(0.7, influence(100) * 0.5, level=0.95, scale="identity")
    half = (made.high - made.low) / 2
    row = planning(scores(made, metric="mae"), "mae").iloc[0]
    assert row["half_width"] == pytest.approx(half)
    assert row["target"] == pytest.approx(half / 2)  # an unbounded score is planned in shares of today's width
    assert row["needed"] == pytest.approx(400, abs=8)


def test_rows_per_patient_and_their_correlation():
    random = np.random.default_rng(4)
    hits = np.clip(random.binomial(4, np.clip(random.normal(0.75, 0.3, 150), 0, 1)), 0, 4)
    value, change = ratio_influence(hits, np.full(150, 4))
    made = from_influence(value, change, level=0.95, scale="identity")
    known = design_effect(hits, np.full(150, 4))
    facts = {"n_units": 150, "n_rows": 600, "icc": known.icc, "n_eff": known.n_eff}
    row = planning(scores(made, metric="accuracy", **facts), "accuracy").iloc[0]
    # 1 + 3 icc rows of four are worth as much as one; more rows cannot pass patients / icc
    assert row["needed_one_row"] == pytest.approx(row["needed"] * 4 / (1 + 3 * known.icc), rel=0.02)
    assert row["needed_many_rows"] == pytest.approx(row["needed_one_row"] * known.icc, abs=4)  # t has few degrees here
    assert row["needed_many_rows"] < row["needed"] < row["needed_one_row"]


def test_one_row_per_patient_has_no_other_plan():
    made = from_influence(0.7, influence(100), level=0.95, scale="identity")
    row = planning(scores(made), "harrell_c").iloc[0]
    assert np.isnan(row["needed_one_row"])
    assert np.isnan(row["needed_many_rows"])


def test_sites():
    made = over_sites(np.array([0.61, 0.7, 0.66, 0.58, 0.72, 0.8]), level=0.95)
    found = planning(scores(made, unit="site", n_units=6), "harrell_c")
    sd = np.std([0.61, 0.7, 0.66, 0.58, 0.72, 0.8], ddof=1)
    for row in found.to_dict("records"):
        half = [1.0 * (one.high - one.low) / 2 for one in (_sites(row["needed"], sd), _sites(row["needed"] - 1, sd))]
        assert half[0] <= row["target"] < half[1]
    assert found["needed_events"].isna().all()


def _sites(n, sd):
    values = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    return over_sites(values * sd / np.std(values, ddof=1), level=0.95)


def test_what_cannot_be_planned_says_why():
    made = from_influence(0.7, influence(100), level=0.95, scale="identity")
    resamples = planning(scores(made, unit="resample"), "harrell_c")
    assert "more folds or repeats do not narrow" in resamples["reason"].iloc[0]
    lost = planning(scores(made, estimable=False, reason="no event"), "harrell_c")
    assert lost["reason"].tolist() == ["no event"]
    constant = planning(scores(made, se=0.0), "harrell_c")
    assert "do not vary" in constant["reason"].iloc[0]
    assert not any(table["estimable"].any() for table in (resamples, lost, constant))


def test_nulls_controls_and_other_metrics_are_not_planned():
    made = from_influence(0.7, influence(100), level=0.95, scale="identity")
    rows = [scores(made, role=role, model=role) for role in ("model", "null", "control")]
    table = pd.concat([*rows, scores(made, metric="uno_c", model="other")], ignore_index=True)
    assert set(planning(table, "harrell_c")["model"]) == {"model"}
