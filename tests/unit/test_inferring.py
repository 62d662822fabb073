"""From contributions to claims: the unit of each estimand, refusals, corrections, and what is told of each row."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy import stats
from simulated_waist import waist

from triptych import plugins
from triptych.errors import DataError
from triptych.inference.comparisons import holm
from triptych.inference.evidence import compare, interval
from triptych.inference.intervals import from_influence, over_resamples, score_over_sites
from triptych.inferring import Asked, Scored, against_controls, comparisons, estimates, spread
from triptych.resampling import drawn
from triptych.scoring import contributions
from triptych.tables import check_predictions, for_readers

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


CLAIMS = [  # estimand, unit, how many, method of the interval, of the paired test
    ("new-patients", "patient", 120, "influence-t-cv", "paired-cv"),
    ("new-site", "site", 6, "t-over-sites", "paired-t-over-sites"),
    ("procedure", "resample", 12, "influence-t-procedure", "paired-procedure"),
]


@pytest.mark.parametrize(("estimand", "unit", "n", "method", "test"), CLAIMS)
def test_estimates_at_the_unit_of_the_estimand(one, estimand, unit, n, method, test):
    table = estimates([one], Asked(estimand, 0.9)).set_index("model")
    assert list(table.index) == ["a", "b", "c"]
    assert set(table["unit"]) == {unit}
    assert set(table["n_units"]) == {n}
    assert set(table["level"]) == {0.9}
    assert set(table["n_rows"]) == {120}
    assert set(table["chosen"]) == {method}
    assert table["why"].str.len().gt(10).all()
    for model, row in table.iterrows():
        known = interval(one.evidence(model), method, 0.9)
        found = row[["value", "low", "high", "se", "df"]].tolist()
        assert found == [known.value, known.low, known.high, known.se, known.df]
        assert row["method"] == known.method


@pytest.mark.parametrize(("estimand", "unit", "n", "method", "test"), CLAIMS)
def test_comparisons_at_the_unit_of_the_estimand(one, estimand, unit, n, method, test):
    table = comparisons([one], Asked(estimand))
    assert list(zip(table["model_a"], table["model_b"], strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    row, known = table.iloc[0], compare(one.evidence("a"), one.evidence("b"), test, 0.95)
    found = [row["difference"], row["low"], row["high"], row["p"], row["statistic"], row["method"]]
    made = known.interval
    assert found == [made.value, made.low, made.high, known.p, known.statistic, made.method]
    assert (row["chosen"], row["n_units"], row["level"]) == (test, n, 0.95)
    assert row["why"]
    np.testing.assert_allclose(table["p_holm"], holm(table["p"].to_numpy()))
    assert set(table["n_comparisons"]) == {3}


def test_evidence_is_what_was_scored(one):
    values = one.values[one.values["model"] == "b"].set_index("kind")["value"]
    evidence = one.evidence("b")
    assert evidence.value == values["pooled"]
    known = score_over_sites(values["site"].to_numpy(), level=0.95, scale="logit")
    assert limits(interval(evidence, "t-over-sites", 0.95)) == limits(known)
    known = over_resamples(values["fold"].to_numpy(), ratio=0.5, level=0.95)
    assert limits(interval(evidence, "nadeau-bengio", 0.95)) == limits(known)
    influence = one.by_person("b")["influence"].to_numpy()
    known = from_influence(values["pooled"], influence, level=0.95, scale="logit")
    assert limits(interval(evidence, "influence-t", 0.95)) == limits(known)
    assert (evidence.n_folds, evidence.n_repeats, evidence.fewest) == (3, 4, int(one.pooled("b")["n_events"]))


def limits(found):
    return [found.value, found.low, found.high, found.se]


def test_holm_counts_the_comparisons_of_one_metric(one):
    table = waist(n=120, repeats=4, models=("a", "b", "c"), sites=SITES)
    two = comparisons([one, scored(table, "uno_c")], Asked("new-patients"))
    assert len(two) == 6
    for _, rows in two.groupby("metric"):
        np.testing.assert_allclose(rows["p_holm"], holm(rows["p"].to_numpy()))
        assert set(rows["n_comparisons"]) == {3}


def test_a_comparison_that_cannot_be_made_is_not_counted():
    table = waist(models=("a", "b", "c"))
    same = table[table["model"] == "a"].assign(model="d")
    found = comparisons([scored(pd.concat([table, same], ignore_index=True))], Asked("new-patients"))
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
    row = comparisons([one], Asked("new-patients")).iloc[0]
    assert not row["estimable"]
    assert row["reason"] == "a and b were not tested on the same patients"
    assert np.isnan(row["p"])
    assert estimates([one], Asked("new-patients"))["estimable"].all()


def test_too_few_units_are_refused_with_a_reason(one):
    few_people = scored(waist(n=18, repeats=1))
    reasons = estimates([few_people], Asked("new-patients"))["reason"]
    assert reasons.str.startswith("18 patients are too few for an interval by influence functions of patients").all()
    reasons = comparisons([few_people], Asked("new-patients"))["reason"]
    assert reasons.str.startswith("18 patients are too few for the paired test by influence functions").all()
    few_sites = scored(waist(n=120, sites=SITES[:4]))
    table = estimates([few_sites], Asked("new-site"))
    assert not table["estimable"].any()
    assert table["reason"].str.startswith("4 sites are too few for t over sites (at least 5)").all()
    assert table["value"].notna().all()  # the value is told, without an interval
    asked = Asked("procedure", tests={"harrell_c": "nadeau-bengio"})
    reasons = comparisons([scored(waist(repeats=3))], asked)["reason"]
    assert reasons.str.startswith("9 resamples (folds x repeats)").all()


def test_the_corrected_t_needs_the_sizes_of_the_training_parts():
    asked = Asked("procedure", intervals={"harrell_c": "nadeau-bengio"})
    unknown = scored(waist(repeats=4), ratio=None)
    assert set(estimates([unknown], asked)["reason"]) == {"the sizes of the training parts are not known"}
    a, b = (estimates([scored(waist(repeats=4), ratio=ratio)], asked) for ratio in (0.1, 0.5))
    assert (a["se"] < b["se"]).all()


def test_one_that_cannot_be_estimated_does_not_kill_the_table():
    table = waist()
    table.loc[table["model"] == "b", "event"] = 0
    one = scored(table)
    found = estimates([one], Asked("new-patients")).set_index("model")
    assert found.loc["a", "estimable"]
    assert not found.loc["b", "estimable"]
    assert np.isnan(found.loc["b", "value"])
    assert found.loc["b", "reason"]
    pair = comparisons([one], Asked("new-patients")).iloc[0]
    assert not pair["estimable"]
    assert pair["reason"].startswith("b: ")


def test_one_model_has_nobody_to_be_compared_with():
    assert len(comparisons([scored(waist(models=("a",)))], Asked("new-patients"))) == 0


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
    widths = [
        (t["high"] - t["low"]).to_numpy() for t in (estimates([one], Asked("new-patients", lv)) for lv in (0.8, 0.99))
    ]
    assert (widths[0] < widths[1]).all()


def test_the_p_is_that_of_t(one):
    row = comparisons([one], Asked("new-patients")).iloc[0]
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(row["statistic"]), 119))
    assert row["df"] == 119


def test_the_measured_coverage_is_told_where_the_data_are_like_the_simulated_ones():
    told = estimates([scored(waist(n=120))], Asked("new-patients"))["coverage"]
    assert told.str.match(
        r"nominal 95%, measured \d\d\.\d% at worst in the nearest simulated cells \(100 patients"
    ).all()
    assert set(estimates([scored(waist(n=120))], Asked("new-patients", 0.9))["coverage"]) == {"not measured at 90%"}
    again = estimates([scored(waist(n=120, repeats=4))], Asked("procedure"))["coverage"]
    assert again.str.match(r"nominal 95%, measured \d\d\.\d% at worst in the nearest simulated cells \(100 pat").all()
    tests = comparisons([scored(waist(n=120, repeats=4))], Asked("new-patients"))["false_positives"]
    assert tests.str.match(r"nominal 5% false positives, measured \d\.\d% at worst in the nearest").all()


def test_several_rows_per_patient_are_not_told_the_coverage_of_one():
    table = waist(n=120)
    both = pd.concat([table, table.assign(session_id="ses-2", risk=table["risk"] + 0.1)], ignore_index=True)
    row = estimates([scored(both)], Asked("new-patients")).iloc[0]
    assert row["coverage"] == "not measured: the data are unlike any simulated cell"
    assert (row["n_rows"], row["n_units"]) == (240, 120)
    assert row["n_events"] == table.query("model == 'a' and repeat == 0")["event"].sum(), (
        "people with an event, not rows"
    )


def test_few_events_are_refused():
    table = waist(n=120)
    people = table.loc[table["event"] == 1, "participant_id"].unique()[:9]
    few = table.assign(event=table["participant_id"].isin(people).astype(int))
    one = scored(few)
    found = estimates([one], Asked("new-patients"))
    assert not found["estimable"].any()
    assert found["reason"].str.startswith("9 patients with an event are too few for an interval").all()
    assert not comparisons([one], Asked("new-patients"))["estimable"].any()


# ---- the rule, and what it says ----


def classes(people=60, sessions=1, repeats=2, folds=3, models=("a", "b"), seed=0, sites=5, noise=1.0):
    """Predictions of a class; rows of one person share half of what makes them differ."""
    random = np.random.default_rng(seed)
    n = people * sessions
    person = np.repeat(np.arange(people), sessions)
    y = (person % 2).astype(int)
    keys = {
        "cohort": "c",
        "participant_id": [f"p{k:03d}" for k in person],
        "session_id": [f"ses-{k}" for k in np.tile(np.arange(sessions), people)],
        "site": [f"h{k % sites}" for k in person // 2],
    }
    own = random.normal(size=people)[person]
    parts = []
    for repeat in range(repeats):
        fold = random.permutation(people)[person] % folds
        for k, model in enumerate(models):
            score = y + (noise + k) * (0.9 * own + 0.4 * random.normal(size=n))
            head = {"task": "t", "model": model, "repeat": repeat, "fold": fold, **keys}
            p = 1 / (1 + np.exp(0.5 - score))
            parts.append(pd.DataFrame({**head, "y": y, "score": score, "predicted": (p > 0.5).astype(int), "p": p}))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(
    ("metric", "sessions", "chosen", "test"),
    [
        ("accuracy", 1, "wilson", "mcnemar"),
        ("accuracy", 3, "influence-welch", "sign-flip"),
        ("sensitivity", 1, "wilson", "mcnemar"),
        ("auc", 1, "influence-welch", "paired-welch"),
        ("brier_class", 3, "influence-welch", "sign-flip"),
        ("balanced_accuracy", 3, "influence-welch", "paired-welch"),
    ],
)
def test_the_family_of_the_metric_and_the_rows_per_patient_decide(metric, sessions, chosen, test):
    one = scored(classes(people=100, sessions=sessions, repeats=1, folds=1), metric)
    table, pair = estimates([one], Asked("new-patients")), comparisons([one], Asked("new-patients")).iloc[0]
    assert table["estimable"].all()
    assert set(table["chosen"]) == {chosen}
    assert pair["chosen"] == test
    assert (table["low"] < table["value"]).all()
    assert (table["value"] < table["high"]).all()
    assert set(table["n_units"]) == {50 if metric == "sensitivity" else 100}


def test_wilson_counts_the_positive_patients_of_a_sensitivity():
    row = estimates([scored(classes(repeats=1, folds=1), "sensitivity")], Asked("new-patients")).iloc[0]
    table = classes(repeats=1, folds=1).query("model == 'a' and y == 1")
    known = stats.binomtest(int(table["predicted"].sum()), 30).proportion_ci(method="wilson")
    assert (row["low"], row["high"]) == pytest.approx((known.low, known.high))


def test_one_prediction_per_patient_is_tested_by_mcnemar():
    table = classes(people=90, repeats=1, folds=1, seed=3)
    row = comparisons([scored(table, "accuracy")], Asked("new-patients")).iloc[0]
    right = (table["predicted"] == table["y"]).groupby([table["participant_id"], table["model"]]).first().unstack()
    first, second = int((right["a"] & ~right["b"]).sum()), int((right["b"] & ~right["a"]).sum())
    assert first != second
    below = stats.binom.cdf(min(first, second), first + second, 0.5)
    here = stats.binom.pmf(min(first, second), first + second, 0.5)
    assert (row["chosen"], row["p"]) == ("mcnemar", pytest.approx(2 * below - here))


def test_the_dependence_of_rows_is_told_where_patients_have_several():
    row = estimates([scored(classes(sessions=4), "accuracy")], Asked("new-patients")).iloc[0]
    assert 0.3 < row["icc"] < 1
    assert 60 <= row["n_eff"] < 200
    assert (row["n_rows"], row["n_units"]) == (240, 60)
    assert estimates([scored(classes(), "accuracy")], Asked("new-patients"))["icc"].isna().all()


def test_to_repeat_every_row_adds_no_information():
    """The same scan five times: the interval of several rows is that of one."""
    table = classes(repeats=1, folds=1)
    five = pd.concat([table.assign(session_id=f"ses-{k}") for k in range(5)], ignore_index=True)
    plain, fold = (estimates([scored(t, "auc")], Asked("new-patients")).iloc[0] for t in (table, five))
    assert (fold["low"], fold["high"]) == pytest.approx((plain["low"], plain["high"]))
    assert fold["icc"] == pytest.approx(1)
    assert fold["n_eff"] == pytest.approx(60, rel=0.02)


def test_a_study_can_ask_for_another_method():
    one = scored(classes(people=90, repeats=1, folds=1), "auc")
    asked = Asked("new-patients", intervals={"auc": "influence-t"}, tests={"auc": "sign-flip"})
    table, pair = estimates([one], asked), comparisons([one], asked).iloc[0]
    assert set(table["chosen"]) == {"influence-t"}
    assert table["why"].str.startswith("asked for in the study; ").all()
    assert table["coverage"].str.startswith("nominal 95%, measured 9").all()
    assert pair["chosen"] == "sign-flip"
    plain = estimates([one], Asked("new-patients"))
    np.testing.assert_allclose(table["high"], plain["high"], atol=0.01)


def test_what_cannot_answer_is_refused_in_the_table_with_its_coverage():
    one = scored(classes(sessions=3, repeats=1, folds=1), "accuracy")
    asked = Asked("new-patients", intervals={"accuracy": "wilson"}, tests={"accuracy": "mcnemar"})
    table = estimates([one], asked)
    assert not table["estimable"].any()
    assert table["reason"].str.contains(r"needs one row per patient; .* 72 to 73 %").all()
    assert "22 to 27 %" in comparisons([one], asked).iloc[0]["reason"]


def test_a_bootstrap_takes_the_predictions():
    table = classes(people=80, repeats=1, folds=1)
    one = scored(table, "auc")
    asked = Asked("new-patients", intervals={"auc": "bootstrap-bca"}, tests={"auc": "paired-bootstrap"})
    assert set(estimates([one], asked)["reason"]) == {"a bootstrap needs the predictions, and this evidence holds none"}
    one = replace(one, drawn=drawn(table, None, "auc", None))
    found, plain = estimates([one], asked), estimates([one], Asked("new-patients"))
    np.testing.assert_allclose(found[["low", "high"]], plain[["low", "high"]], atol=0.03)
    p = [comparisons([one], a).iloc[0]["p"] for a in (asked, Asked("new-patients"))]
    assert p[0] == pytest.approx(p[1], abs=0.05)


# ---- roles: nulls are compared, controls apart ----


def test_controls_have_a_table_of_their_own():
    models = ("a", "b", "none", "control-site", "permuted-a")
    table = classes(models=models)
    kept = (table["model"] != "permuted-a") | (table["repeat"] == 0)
    one = scored(table[kept].reset_index(drop=True), "auc")
    roles = {"a": "model", "b": "model", "none": "null", "control-site": "control", "permuted-a": "control"}
    asked = Asked("new-patients", roles=roles)
    pairs, controls = comparisons([one], asked), against_controls([one], asked)
    assert list(zip(pairs["model_a"], pairs["model_b"], strict=True)) == [("a", "b"), ("a", "none"), ("b", "none")]
    assert list(zip(controls["model_a"], controls["model_b"], strict=True)) == [
        ("a", "control-site"),
        ("b", "control-site"),
    ]
    for family in (pairs, controls):
        np.testing.assert_allclose(family["p_holm"], holm(family["p"].to_numpy()))
        assert set(family["n_comparisons"]) == {len(family)}
    told = estimates([one], asked).set_index("model")
    assert told["estimable"].all(), "controls have intervals too"
    assert told["p_best"].notna().to_dict() == {m: roles[m] != "control" for m in models}


def test_without_controls_that_table_is_empty(one):
    assert len(against_controls([one], Asked("new-patients"))) == 0


@pytest.mark.parametrize("estimand", ["new-patients", "new-site", "procedure"])
def test_the_probability_of_the_best(one, estimand):
    """Model a hides least noise; what all share does not count."""
    share = estimates([one], Asked(estimand)).set_index("model")["p_best"]
    assert share.sum() == pytest.approx(1)
    assert share["a"] > share["b"] > share["c"] - 0.05
    alone = estimates([scored(waist(n=120, models=("a",)))], Asked(estimand))["p_best"]
    assert alone.isna().all()


def test_lower_is_better_for_losses():
    one = scored(classes(people=200, models=("a", "b")), "brier_class")
    table = estimates([one], Asked("new-patients")).set_index("model")
    better = table["value"].idxmin()
    assert table.loc[better, "p_best"] == table["p_best"].max()


def test_a_margin_asks_for_equivalence(one):
    plain = comparisons([one], Asked("new-patients"))
    assert "verdict" not in plain
    wide, narrow = (comparisons([one], Asked("new-patients", margins={"harrell_c": m})) for m in (0.5, 1e-4))
    assert set(wide["verdict"]) == {"equivalent"}
    assert (wide["p_equivalence"] < 0.05).all()
    for row in narrow.itertuples():
        outside = row.low > 0 or row.high < 0
        assert row.verdict == (("better" if row.difference > 0 else "worse") if outside else "undecided")
    assert (narrow["p_equivalence"] > 0.05).all()


# ---- bad input ----


def told(table, metric="auc", **asked):
    """Rows of scores and of comparisons."""
    one, asked = scored(table, metric), Asked(asked.pop("estimand", "new-patients"), **asked)
    return estimates([one], asked).set_index("model"), comparisons([one], asked)


def test_one_class_only():
    table = classes().assign(y=1)
    scores, pairs = told(table)
    assert not scores["estimable"].any()
    assert scores["reason"].str.contains("both classes").all()
    assert pairs["reason"].str.startswith("a: ").all()
    assert told(table, "accuracy")[0]["estimable"].all()  # a share of right rows needs no second class


def test_two_patients():
    scores, pairs = told(classes(people=2, repeats=1, folds=1), "accuracy")
    assert (scores["high"] - scores["low"] > 0.5).all(), "Wilson's interval of two patients says that nothing is known"
    assert not pairs["estimable"].any()  # they differ on no patient, or on too few
    scores, _ = told(classes(people=2, repeats=1, folds=1), "brier_class")
    assert scores["reason"].str.startswith("2 patients are too few").all()


@pytest.mark.parametrize("sites", [1, None])
def test_one_site_or_none(sites):
    table = classes(sites=1)
    table = table if sites else table.drop(columns="site")
    scores, pairs = told(table, estimand="new-site")
    n = sites or 0
    assert scores["reason"].str.startswith(f"{n} sites are too few for t over sites (at least 5); ").all()
    assert pairs["reason"].str.contains("65 to 67 %").all()
    assert told(table)[0]["estimable"].all()


def test_a_site_that_is_missing_for_some_patients():
    table = classes(people=120, sites=6)
    lost = table["participant_id"].isin([f"p{k:03d}" for k in range(0, 120, 24)])
    scores, _ = told(table.assign(site=table["site"].mask(lost)), estimand="new-site")
    assert scores["estimable"].all()
    assert set(scores["n_units"]) == {6}


def test_perfect_separation():
    table = classes()
    perfect = table.assign(score=np.where(table["model"] == "a", table["y"] * 9.0, table["score"]))
    scores, pairs = told(perfect)
    assert scores.loc["a", "value"] == 1
    assert not scores.loc["a", "estimable"]
    assert "not to be believed" in scores.loc["a", "reason"]
    assert scores.loc["b", "estimable"]
    assert pairs.iloc[0]["estimable"]


def test_a_constant_score_and_ties_everywhere():
    table = classes()
    flat = table.assign(score=np.where(table["model"] == "a", 0.5, table["y"] // 1 * 0.0))
    scores, pairs = told(flat)
    assert set(scores["value"]) == {0.5}
    assert not scores["estimable"].any()
    assert "do not differ" in pairs.iloc[0]["reason"]
    coarse = table.assign(score=table["score"].round())
    assert told(coarse)[0]["estimable"].all()


def test_scores_that_are_no_numbers_and_no_probabilities_stop_the_run():
    """The waist refuses them before anything is scored, naming the row."""
    table = classes()
    with pytest.raises(DataError, match="score"):
        check_predictions(table.assign(score=table["score"].where(table.index != 7)), "classification", "predictions")
    for wrong in (-0.1, 1.1):
        with pytest.raises(DataError, match="between 0 and 1"):
            check_predictions(
                table.assign(p=table["p"].where(table.index != 7, wrong)), "classification", "predictions"
            )
    check_predictions(table, "classification", "predictions")


def test_folds_of_unequal_size():
    """A fold of few patients counts with its pairs; the pooled value stays that of all pairs."""
    table = classes(repeats=4)
    small = table["participant_id"].isin([f"p{k:03d}" for k in range(4)])
    uneven = table.assign(fold=np.where(small, 2, table["fold"] % 2))
    scores, _ = told(uneven)
    assert scores["estimable"].all()
    resamples, _ = told(uneven, estimand="procedure")
    assert resamples["estimable"].all()
    assert set(resamples["n_units"]) == {12}


def test_a_fold_without_a_value_is_left_out_and_told():
    table = classes(repeats=4)
    lonely = (table["participant_id"] == "p001") & (table["repeat"] == 0)
    alone = table.assign(fold=np.where(lonely, 3, table["fold"]))
    by_rule, pairs = told(alone, estimand="procedure")
    assert by_rule["estimable"].all()
    assert set(by_rule["n_units"]) == {12}
    assert pairs["n_units"].tolist() == [12]
    asked = {"estimand": "procedure", "intervals": {"auc": "nadeau-bengio"}}
    assert told(alone, **asked)[0]["method"].str.endswith("4 without a value").all()  # 3 of 4 repeats lack that fold


def test_tables_without_any_estimate_can_be_drawn():
    """Eleven people: no interval and no test, and a figure that says so."""
    few = scored(waist(n=11, repeats=1, models=("a", "b")))
    asked = Asked("new-patients")
    about = {"task": "t", "time_unit": "days", "models": {"a": ("A", "model"), "b": ("B", "null")}}
    for name, table in (("forest", estimates([few], asked)), ("paired", comparisons([few], asked))):
        assert not table["estimable"].any()
        figure = plugins.load("figures", name).draw(for_readers(table, about))
        assert re.search("too few|not estimable", " ".join(text.get_text() for text in figure.findobj(Text))), name
