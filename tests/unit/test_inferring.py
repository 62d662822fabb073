"""From contributions to claims: the unit of each estimand, refusals, corrections, and what is told of each row."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from simulated_waist import waist

from triptych.inference.comparisons import by_resample, by_site, by_unit, holm
from triptych.inference.intervals import from_influence, over_resamples, over_sites
from triptych.inferring import Scored, comparisons, estimates, spread
from triptych.scoring import contributions

SITES = [f"h{k}" for k in range(6)]


def scored(table, metric="harrell_c", horizon=None, ratio=0.5, curves=None):
    return Scored.of(metric, horizon, *contributions(table, curves, metric, horizon, ratio))


@pytest.fixture(scope="module")
def one():
    """Three models, 4 repeats of 3 folds, 20 people at each of 6 sites."""
    return scored(waist(n=120, repeats=4, models=("a", "b", "c"), sites=SITES))


def test_what_a_metric_says_of_itself(one):
    assert one.head["label"] == "Harrell's C"
    assert one.head["direction"] == "higher"
    assert np.isnan(one.head["at"])  # a horizon means nothing to this metric
    assert one.null_value == 0.5
    table = waist()
    curves = pd.DataFrame({"1.0": 0.6, "2.0": 0.4}, index=table.index)
    brier = scored(table, "brier", 2.0, curves=curves)
    assert (brier.head["at"], brier.head["direction"]) == (2.0, "lower")
    assert np.isnan(brier.null_value)
    assert one.models == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("estimand", "unit", "n"),
    [("new-patients", "patient", 120), ("new-site", "site", 6), ("procedure", "resample", 12)],
)
def test_estimates_at_the_unit_of_the_estimand(one, estimand, unit, n):
    table = estimates([one], estimand, 0.9).set_index("model")
    assert list(table.index) == ["a", "b", "c"]
    assert set(table["unit"]) == {unit}
    assert set(table["n_units"]) == {n}
    assert set(table["level"]) == {0.9}
    assert set(table["n_rows"]) == {120}
    assert table["estimable"].all()
    for model, row in table.iterrows():
        known = _interval(one, model, estimand)
        found = row[["value", "low", "high", "se", "df"]].tolist()
        assert found == [known.value, known.low, known.high, known.se, known.df]
        assert row["method"] == known.method


def _interval(one, model, estimand):
    values = one.values[one.values["model"] == model].set_index("kind")["value"]
    if estimand == "new-patients":
        return from_influence(values["pooled"], one.by_person(model).to_numpy(), level=0.9, scale="logit")
    if estimand == "new-site":
        return over_sites(values["site"].to_numpy(), level=0.9)
    return over_resamples(values["fold"].to_numpy(), ratio=0.5, level=0.9)


@pytest.mark.parametrize("estimand", ["new-patients", "new-site", "procedure"])
def test_comparisons_at_the_unit_of_the_estimand(one, estimand):
    table = comparisons([one], estimand, 0.95)
    assert list(zip(table["model_a"], table["model_b"], strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    row = table.iloc[0]
    values = {model: one.values[one.values["model"] == model].set_index("kind")["value"] for model in "ab"}
    known = {
        "new-patients": lambda: by_unit(
            one.value("a"), one.value("b"), one.by_person("a").to_numpy(), one.by_person("b").to_numpy(), level=0.95
        ),
        "new-site": lambda: by_site(*(values[m]["site"].to_numpy() for m in "ab"), level=0.95),
        "procedure": lambda: by_resample(*(values[m]["fold"].to_numpy() for m in "ab"), ratio=0.5, level=0.95),
    }[estimand]()
    found = [row["difference"], row["low"], row["high"], row["p"], row["statistic"]]
    assert found == [known.interval.value, known.interval.low, known.interval.high, known.p, known.statistic]
    assert row["n_units"] == {"new-patients": 120, "new-site": 6, "procedure": 12}[estimand]
    np.testing.assert_allclose(table["p_holm"], holm(table["p"].to_numpy()))
    assert set(table["n_comparisons"]) == {3}


def test_holm_counts_the_comparisons_of_one_metric(one):
    table = waist(n=120, repeats=4, models=("a", "b", "c"), sites=SITES)
    two = comparisons([one, scored(table, "uno_c")], "new-patients", 0.95)
    assert len(two) == 6
    for _, rows in two.groupby("metric"):
        np.testing.assert_allclose(rows["p_holm"], holm(rows["p"].to_numpy()))
        assert set(rows["n_comparisons"]) == {3}


def test_a_comparison_that_cannot_be_made_is_not_counted():
    table = waist(models=("a", "b", "c"))
    same = table[table["model"] == "a"].assign(model="d")
    found = comparisons([scored(pd.concat([table, same], ignore_index=True))], "new-patients", 0.95)
    twin = found[(found["model_a"] == "a") & (found["model_b"] == "d")].iloc[0]
    assert not twin["estimable"]
    assert twin["reason"] == "the two models do not differ on any unit"
    assert np.isnan(twin["p"])
    assert np.isnan(twin["p_holm"])
    assert set(found["n_comparisons"]) == {5}
    assert found["estimable"].sum() == 5


def test_models_tested_on_other_people_are_not_compared():
    table = waist()
    lost = (table["model"] == "b") & (table["participant_id"] == "p07")
    table.loc[lost, "participant_id"] = "somebody else"
    one = scored(table)
    row = comparisons([one], "new-patients", 0.95).iloc[0]
    assert not row["estimable"]
    assert row["reason"] == "a and b were not tested on the same patients"
    assert np.isnan(row["p"])
    assert estimates([one], "new-patients", 0.95)["estimable"].all()


def test_too_few_units_are_refused_with_a_reason(one):
    few_people = scored(waist(n=18, repeats=1))
    assert set(estimates([few_people], "new-patients", 0.95)["reason"]) == {
        "18 patients are too few for an interval (at least 20)"
    }
    few_sites = scored(waist(n=120, sites=SITES[:4]))
    table = estimates([few_sites], "new-site", 0.95)
    assert not table["estimable"].any()
    assert table["reason"].str.startswith("4 sites are not informative").all()
    assert table["value"].notna().all()  # the value is told, without an interval
    few_folds = scored(waist(repeats=3))
    assert comparisons([few_folds], "procedure", 0.95)["reason"].str.startswith("9 resamples are too few").all()


def test_a_procedure_needs_the_sizes_of_its_training_parts():
    unknown = scored(waist(repeats=4), ratio=None)
    assert set(estimates([unknown], "procedure", 0.95)["reason"]) == {"the sizes of the training parts are not known"}
    a, b = (estimates([scored(waist(repeats=4), ratio=ratio)], "procedure", 0.95) for ratio in (0.1, 0.5))
    assert (a["se"] < b["se"]).all()


def test_one_that_cannot_be_estimated_does_not_kill_the_table():
    table = waist()
    table.loc[table["model"] == "b", "event"] = 0
    one = scored(table)
    found = estimates([one], "new-patients", 0.95).set_index("model")
    assert found.loc["a", "estimable"]
    assert not found.loc["b", "estimable"]
    assert np.isnan(found.loc["b", "value"])
    assert found.loc["b", "reason"]
    pair = comparisons([one], "new-patients", 0.95).iloc[0]
    assert not pair["estimable"]
    assert pair["reason"].startswith("b: ")


def test_one_model_has_nobody_to_be_compared_with():
    assert len(comparisons([scored(waist(models=("a",)))], "new-patients", 0.95)) == 0


def test_spread_is_every_value_beside_the_pooled_one(one):
    table = spread([one])
    assert len(table) == 3 * (1 + 12 + 6)
    assert "train_ratio" not in table
    assert set(table["kind"]) == {"pooled", "fold", "site"}
    assert set(table["label"]) == {"Harrell's C"}
    folds = table.query("kind == 'fold' and model == 'a'")["value"]
    assert folds.std() > 0
    pd.testing.assert_series_equal(
        table["value"], one.values["value"].reset_index(drop=True), check_names=False, check_exact=True
    )


def test_a_wider_level_is_a_wider_interval(one):
    widths = [(t["high"] - t["low"]).to_numpy() for t in (estimates([one], "new-patients", lv) for lv in (0.8, 0.99))]
    assert (widths[0] < widths[1]).all()


def test_the_p_is_that_of_t(one):
    row = comparisons([one], "new-patients", 0.95).iloc[0]
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(row["statistic"]), 119))
    assert row["df"] == 119


def test_the_measured_coverage_is_told_where_the_data_are_like_the_simulated_ones():
    told = estimates([scored(waist(n=120))], "new-patients", 0.95)["coverage"]
    assert told.str.match(
        r"nominal 95%, measured \d\d\.\d% at worst in the nearest simulated cells \(100 patients"
    ).all()
    assert set(estimates([scored(waist(n=120))], "new-patients", 0.9)["coverage"]) == {"not measured"}
    assert set(estimates([scored(waist(n=120, repeats=4))], "procedure", 0.95)["coverage"]) == {"not measured"}


def test_several_rows_per_patient_are_not_told_the_coverage_of_one():
    table = waist(n=120)
    both = pd.concat([table, table.assign(session_id="ses-2", risk=table["risk"] + 0.1)], ignore_index=True)
    row = estimates([scored(both)], "new-patients", 0.95).iloc[0]
    assert row["coverage"] == "not measured for several rows per patient"
    assert (row["n_rows"], row["n_units"]) == (240, 120)
    assert row["n_events"] == table.query("model == 'a' and repeat == 0")["event"].sum(), (
        "people with an event, not rows"
    )


def test_few_events_are_refused():
    table = waist(n=120)
    people = table.loc[table["event"] == 1, "participant_id"].unique()[:9]
    few = table.assign(event=table["participant_id"].isin(people).astype(int))
    one = scored(few)
    found = estimates([one], "new-patients", 0.95)
    assert not found["estimable"].any()
    assert found["reason"].str.startswith("9 events are too few for an interval (at least 10;").all()
    assert not comparisons([one], "new-patients", 0.95)["estimable"].any()
