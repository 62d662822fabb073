"""Decision curves of a task: definitions, defaults, bands by patient, means over repeats."""

import numpy as np
import pytest
from simulated_waist import classes, curves_of, waist

from triptych.deciding import DECISION, STEP, decision
from triptych.forecasts import forecasts
from triptych.inference.cross_validation import INTERVAL, repeated_se
from triptych.inference.decision import net_benefit
from triptych.inference.intervals import from_influence, student


def at(table, threshold, model="a"):
    near = (table["threshold"] - threshold).abs() < 1e-9
    return table[(table["model"] == model) & near].iloc[0]


def test_net_benefit_by_its_definition():
    table = classes(n=150, repeats=1)
    found = decision(table, None, None, 0.95)
    assert list(found.columns) == DECISION
    rows = table[table["model"] == "a"]
    treated = rows["p"] >= 0.3
    odds = 0.3 / 0.7
    expected = ((treated & (rows["y"] == 1)).sum() - odds * (treated & (rows["y"] == 0)).sum()) / 150
    row = at(found, 0.3)
    assert row["benefit"] == pytest.approx(expected)
    assert row["treat_all"] == pytest.approx(rows["y"].mean() - (1 - rows["y"].mean()) * odds)
    assert row["treated"] == pytest.approx(treated.mean())


def test_the_gain_is_over_the_better_default():
    table = classes(n=200, repeats=2)
    found = decision(table, None, None, 0.95)
    known = found.dropna(subset=["gain"])
    assert set(known["default"]) == {"all", "none"}
    expected = known["benefit"] - known["treat_all"].clip(lower=0)
    np.testing.assert_allclose(known["gain"], expected, atol=1e-12)
    prevalence = table["y"].mean()
    assert (known.loc[known["threshold"] < prevalence - STEP, "default"] == "all").all()
    assert (known.loc[known["threshold"] > prevalence + STEP, "default"] == "none").all()


def test_curves_are_means_over_repeats_with_the_influence_of_each_patient():
    table = classes(n=120, repeats=3, scans=2)
    row = at(decision(table, None, None, 0.9), 0.4)
    repeats = forecasts(table[table["model"] == "a"], None, None)
    each = [net_benefit(one.y, one.p, 0.4, one.unit).model for one in repeats]
    mean = np.mean([one.influence for one in each], axis=0)
    se, df = repeated_se(mean, [one.value for one in each], 3, INTERVAL)
    expected = student(np.mean([one.value for one in each]), se, df, level=0.9, scale="identity", method="")
    assert (row["benefit"], row["low"], row["high"]) == pytest.approx((expected.value, expected.low, expected.high))
    assert row["n_units"] == 120
    everyone = [net_benefit(one.y, one.p, 0.4, one.unit).treat_all for one in repeats]
    plain = from_influence(everyone[0].value, everyone[0].influence, level=0.9, scale="identity")
    assert (row["treat_all_low"], row["treat_all_high"]) == pytest.approx((plain.low, plain.high))


def test_a_sharp_model_beats_a_dull_one_and_nobody_treats_below_the_least_risk():
    table = classes(n=400, repeats=2)  # b sees the truth through noise
    found = decision(table, None, None, 0.95)
    assert at(found, 0.5)["benefit"] > at(found, 0.5, "b")["benefit"]
    low = at(found, STEP)
    assert low["benefit"] == pytest.approx(low["treat_all"], abs=0.01)


def test_thresholds_end_where_fewer_than_ten_people_are_left():
    table = classes(n=200, repeats=1, models=("a",))
    found = decision(table, None, None, 0.95)
    assert np.isclose(found["threshold"], STEP * np.arange(1, len(found) + 1)).all()
    tenth = np.sort(table["p"])[-10]
    assert tenth <= found["threshold"].max() < tenth + STEP


def test_survival_at_the_horizon():
    table = waist(n=200, repeats=2)
    found = decision(table, curves_of(table), 1.0, 0.95)
    assert set(found["horizon"]) == {1.0}
    row = at(found, 0.5)
    assert row["low"] < row["benefit"] < row["high"]
    assert row["benefit"] > at(found, 0.5, "b")["benefit"]


def test_a_model_without_probabilities_says_so():
    table = classes(n=100)
    table.loc[table["model"] == "b", "p"] = np.nan
    found = decision(table, None, None, 0.95)
    assert found.loc[found["model"] == "b", "reason"].tolist() == ["the model gives a score but no probabilities"]
    assert (found["model"] == "a").sum() > 10
    nothing = decision(waist(), None, 1.0, 0.95)
    assert nothing["threshold"].isna().all()
    assert len(nothing) == 2


def test_few_outcomes_have_no_band():
    table = classes(n=60, repeats=1, models=("a",))
    found = decision(table.assign(y=(np.arange(60) < 5).astype(int)), None, None, 0.95)
    assert np.isfinite(found["benefit"]).all()
    assert found["low"].isna().all()
    assert found["reason"].str.startswith("5 patients").all()
