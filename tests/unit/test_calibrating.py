"""Calibration of a task: groups, measures with intervals by patient, and what is said where there is no value."""

import numpy as np
import pandas as pd
import pytest
from simulated_waist import classes, curves_of, waist

from triptych.calibrating import CALIBRATION, FEWEST_OUTCOMES, calibration
from triptych.forecasts import forecasts
from triptych.inference.cross_validation import INTERVAL, repeated_se
from triptych.inference.intervals import student


def measures(table, model="a"):
    return table[(table["record"] == "measure") & (table["model"] == model)].set_index("measure")


def groups(table, model="a"):
    return table[(table["record"] == "group") & (table["model"] == model)]


# ---- groups --------------------------------------------------------------------------------------


def test_groups_of_equal_predicted_risk():
    table = waist(n=200, repeats=2, models=("a",))
    found = calibration(table, curves_of(table), 1.0, 0.95)
    assert list(found.columns) == CALIBRATION
    rows = groups(found)
    assert rows["group"].tolist() == list(range(1, len(rows) + 1))
    assert 3 <= len(rows) <= 10
    assert rows["n"].sum() == 200  # one repeat
    assert (np.diff(rows["predicted"]) > 0).all()
    assert ((rows["low"] <= rows["observed"]) & (rows["observed"] <= rows["high"])).all()
    first = table["repeat"] == 0
    overall = (rows["predicted"] * rows["n"]).sum() / 200
    assert overall == pytest.approx((1 - curves_of(table)["1.0"])[first].mean(), abs=1e-10)


def test_the_curve_nearest_to_the_horizon_counts():
    table = waist(n=100, repeats=1, models=("a",))
    curves = curves_of(table)
    known = calibration(table, curves, 1.0, 0.95)
    again = calibration(table, curves.assign(**{"0.5": 0.5}), 1.0, 0.95)
    drop = lambda t: t[t["measure"] != "d_calibration"].reset_index(drop=True)  # noqa: E731  (that one reads all times)
    pd.testing.assert_frame_equal(drop(again), drop(known))
    other = calibration(table, curves.assign(**{"1.0": curves["1.0"] ** 2}), 1.0, 0.95)
    assert not groups(other).equals(groups(known))


def test_one_curve_for_all_is_one_group():
    table = waist(n=100, repeats=1, models=("a",))
    found = calibration(table, curves_of(table.assign(risk=0.0)), 1.0, 0.95)
    assert groups(found)["predicted"].tolist() == [pytest.approx(1 - np.exp(-1))]


def test_classes_have_groups_and_no_horizon():
    table = classes(n=240, repeats=1)
    found = calibration(table, None, 3.0, 0.95)
    assert found["horizon"].isna().all()
    rows = groups(found)
    assert rows["n"].sum() == 240
    of_a = table[table["model"] == "a"]
    assert (rows["observed"] * rows["n"]).sum() == pytest.approx(of_a["y"].sum())
    assert "d_calibration" not in set(found["measure"])


# ---- measures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["classes", "survival"])
def test_measures_are_means_over_repeats_with_the_influence_of_each_patient(kind):
    table = classes(n=150, repeats=3, scans=2) if kind == "classes" else waist(n=150, repeats=3)
    curves = None if kind == "classes" else curves_of(table)
    found = measures(calibration(table, curves, 1.0, 0.9))
    repeats = forecasts(table[table["model"] == "a"], curves, 1.0)
    slopes = [one.slope_and_intercept()[0] for one in repeats]
    mean = np.mean([one.influence for one in slopes], axis=0)
    se, df = repeated_se(mean, [one.value for one in slopes], 3, INTERVAL)
    expected = student(np.mean([one.value for one in slopes]), se, df, level=0.9, scale="identity", method="")
    row = found.loc["slope"]
    assert (row["value"], row["low"], row["high"]) == pytest.approx((expected.value, expected.low, expected.high))
    ratio = [one.log_ratio() for one in repeats]
    assert found.loc["observed_expected", "value"] == pytest.approx(np.exp(np.mean([one.value for one in ratio])))
    assert found.loc["observed_expected", "low"] > 0
    assert found.loc["brier", "value"] == pytest.approx(np.mean([one.brier().value for one in repeats]))
    assert found.loc["brier", "ideal"] == pytest.approx(np.mean([one.brier_of_one_risk() for one in repeats]))
    assert found.loc["ece", "bins"] >= 3
    assert set(found["repeats"]) == {3}
    assert set(found["n_units"]) == {150}


def test_more_repeats_are_not_more_patients():
    """The width does not shrink with the root of the repeats, as it would if they were pooled."""
    table = classes(n=200, repeats=8, models=("a",), folds=1)
    once, often = (measures(calibration(t, None, None, 0.95)) for t in (table[table["repeat"] == 0], table))
    width = [float(t.loc["slope", "high"] - t.loc["slope", "low"]) for t in (once, often)]
    assert width[1] == pytest.approx(width[0], rel=0.02)


def test_a_calibrated_model_and_one_that_is_too_sure():
    calibrated, sure = (
        measures(calibration(classes(n=2000, repeats=1, slope=slope), None, None, 0.95)) for slope in (1.0, 0.5)
    )
    for name in ("slope", "intercept", "in_the_large", "observed_expected"):
        assert calibrated.loc[name, "low"] <= calibrated.loc[name, "ideal"] <= calibrated.loc[name, "high"]
    assert calibrated.loc["ece", "value"] < 2 * calibrated.loc["ece", "ideal"]
    assert sure.loc["slope", "value"] == pytest.approx(calibrated.loc["slope", "value"] / 2)
    assert sure.loc["ece", "low"] > 0
    assert calibrated.loc["brier", "value"] < min(sure.loc["brier", "value"], calibrated.loc["brier", "ideal"])


def test_true_curves_are_d_calibrated_and_others_are_not():
    random = np.random.default_rng(2)
    table = waist(n=600, repeats=2, models=("a",))
    truth = np.exp(table["risk"])  # of the hazard, as far as the model knows it
    time = np.tile(random.exponential(1 / truth[:600]), 2)
    table = table.assign(time=np.where(table["repeat"] == 0, time, time), event=1)
    table.loc[600:, "risk"] = table.loc[:599, "risk"].to_numpy()
    at = np.linspace(0.01, 8, 400)
    right = measures(calibration(table, curves_of(table, at), 1.0, 0.95)).loc["d_calibration"]
    wrong = measures(calibration(table, curves_of(table, at) ** 2, 1.0, 0.95)).loc["d_calibration"]
    assert right["p"] > 0.01
    assert wrong["p"] < 1e-6
    assert right["bins"] == 10
    assert "conservative" in right["method"]


def test_predictions_of_0_and_1_are_counted_and_kept():
    table = classes(n=100, repeats=2)
    table.loc[(table["model"] == "a") & (table.index % 50 == 0), "p"] = 1.0
    found = calibration(table, None, None, 0.95)
    assert set(measures(found)["clipped"]) == {(table["p"] == 1).sum()}
    assert set(measures(found, "b")["clipped"]) == {0}
    assert np.isfinite(measures(found).loc["slope", "value"])


# ---- what cannot be estimated --------------------------------------------------------------------


def test_no_curves_and_no_horizon_are_told():
    table = waist(repeats=1)
    assert set(calibration(table, None, 1.0, 0.95)["reason"]) == {
        "the model gives a risk but no survival probabilities"
    }
    assert set(calibration(table, curves_of(table), None, 0.95)["reason"]) == {"the task has no horizon"}
    some = curves_of(table)
    some.loc[table["model"] == "b"] = np.nan
    found = calibration(table, some, 1.0, 0.95)
    assert found.loc[found["model"] == "b", "reason"].tolist() == [
        "the model gives a risk but no survival probabilities"
    ]
    assert groups(found)["reason"].isna().all()


def test_the_same_prediction_for_a_whole_fold_has_no_slope():
    """Training prevalences differ by fold in the wrong direction: their slope would be absurd."""
    table = classes(n=200, repeats=2)
    rest = table.groupby(["model", "repeat"])["y"].transform("sum") - table.groupby(["model", "repeat", "fold"])[
        "y"
    ].transform("sum")
    found = measures(calibration(table.assign(p=rest / 200), None, None, 0.95))
    for name in ("slope", "intercept"):
        assert "the same for everyone in a fold" in found.loc[name, "reason"]
    assert np.isfinite(found.loc["in_the_large", "value"])
    assert found.loc["ece", "bins"] == 1


def test_one_class_only_and_perfect_separation():
    table = classes(n=60, repeats=1, models=("a",))
    one_class = measures(calibration(table.assign(y=1), None, None, 0.95))
    for name in ("slope", "in_the_large", "observed_expected"):
        assert one_class.loc[name, "reason"] == "every outcome is 1: calibration cannot be estimated"
    assert one_class.loc["brier", "value"] == pytest.approx(((1 - table["p"]) ** 2).mean())
    assert "0 patients without the event" in one_class.loc["brier", "reason"]
    apart = measures(calibration(table.assign(y=(table["p"] > 0.5).astype(int)), None, None, 0.95))
    assert "separate the outcomes perfectly" in apart.loc["slope", "reason"]
    assert np.isfinite(apart.loc["in_the_large", "low"])


def test_few_outcomes_have_values_and_no_limits():
    table = classes(n=100, repeats=1, models=("a",))
    y = np.zeros(100, int)
    y[: FEWEST_OUTCOMES - 1] = 1
    found = measures(calibration(table.assign(y=y), None, None, 0.95))
    assert np.isfinite(found["value"]).all()
    assert found["low"].isna().all()
    assert set(found["reason"]) == {
        f"{FEWEST_OUTCOMES - 1} patients with the event are too few for an interval (at least {FEWEST_OUTCOMES})"
    }


def test_the_order_of_the_rows_is_nothing():
    table = classes(n=80, scans=2)
    shuffled = table.sample(frac=1, random_state=3)
    shuffled = shuffled.sort_values("model", kind="stable").reset_index(drop=True)
    one, two = (calibration(t, None, None, 0.95) for t in (table, shuffled))
    pd.testing.assert_frame_equal(one, two, atol=1e-10, rtol=0)
