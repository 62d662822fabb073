"""The rule that chooses methods: every line of it, its refusals with what was measured, and its table in the docs."""

import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from triptych import plugins
from triptych.choice import check_choices, choose_interval, choose_test, needs_predictions
from triptych.errors import NotEstimableError, StudyError
from triptych.inference import evidence
from triptych.methods import FAMILIES, INTERVALS, LABELS, ONE_CLASS, TESTS, Situation, fewest_flips
from triptych.refusals import MEASURED, REFUSED_INTERVALS, REFUSED_TESTS
from triptych.study import ESTIMANDS, Statistics, Study

ROOT = Path(__file__).resolve().parents[2]
AMPLE = {"patients": 500, "fewest": 200, "sites": 60, "folds": 10, "repeats": 10, "whole": True}
ONE = {"folds": 1, "repeats": 1}  # one trained model


def a_situation(estimand="new-patients", family="rank", **facts):
    return Situation(estimand, family, **({"several": False} | AMPLE | facts))


@pytest.mark.parametrize(
    ("facts", "method"),
    [
        *[({"family": family}, "influence-t-cv") for family in FAMILIES],
        ({"family": "proportion", **ONE}, "wilson"),
        ({"family": "proportion", "patients": 3, "fewest": 0, **ONE}, "wilson"),
        ({"family": "proportion", "several": True, **ONE}, "influence-welch"),
        ({"family": "rank", **ONE}, "influence-welch"),
        ({"family": "rank", "several": True, **ONE}, "influence-welch"),
        ({"family": "mean", **ONE}, "influence-welch"),
        ({"family": "ratio", "patients": 20, "fewest": 10, **ONE}, "influence-welch"),
        *[({"estimand": "new-site", "family": family, "sites": 5}, "t-over-sites") for family in FAMILIES],
        *[({"estimand": "procedure", "family": family, "repeats": 1}, "influence-t-procedure") for family in FAMILIES],
    ],
)
def test_the_rule_for_intervals(facts, method):
    assert choose_interval(a_situation(**facts)).method == method


@pytest.mark.parametrize(
    ("facts", "method"),
    [
        *[({"family": family}, "paired-cv") for family in FAMILIES],
        ({"family": "proportion", **ONE}, "mcnemar"),
        ({"family": "proportion", "several": True, "patients": 6, **ONE}, "sign-flip"),
        ({"family": "mean", **ONE}, "sign-flip"),
        ({"family": "rank", **ONE}, "paired-welch"),
        ({"family": "rank", "several": True, **ONE}, "paired-welch"),
        ({"family": "ratio", **ONE}, "paired-welch"),
        *[({"estimand": "new-site", "family": family, "sites": 5}, "paired-t-over-sites") for family in FAMILIES],
        *[({"estimand": "procedure", "family": family}, "paired-procedure") for family in FAMILIES],
    ],
)
def test_the_rule_for_tests(facts, method):
    assert choose_test(a_situation(**facts)).method == method


def test_ample_data_always_have_an_interval_and_a_test():
    for estimand, family, several in product(ESTIMANDS, FAMILIES, (True, False)):
        for choose in (choose_interval, choose_test):
            choice = choose(a_situation(estimand, family, several=several))
            assert choice.why
            assert choice == choose(a_situation(estimand, family, several=several))


@pytest.mark.parametrize(
    ("choose", "facts", "said"),
    [
        (choose_interval, {"patients": 19}, "19 patients are too few .* .at least 20..* 61 %"),
        (choose_interval, {"fewest": 9}, "9 patients in the rarer class are too few .* .at least 10..* 61 %"),
        (
            choose_interval,
            {"family": "proportion", "several": True, "patients": 19, **ONE},
            "covered 73 %.*one session",
        ),
        (
            choose_interval,
            {"family": "mean", "several": True, "patients": 29, **ONE},
            "29 patients .*at least 30.* 91 %",
        ),
        (choose_interval, {"estimand": "new-site", "sites": 4}, "4 sites are too few .* 82 %"),
        (choose_interval, {"estimand": "procedure", "patients": 19}, "19 patients .* 42 to 45 %"),
        (choose_interval, {"estimand": "procedure", **ONE}, "no method for the rank statistic"),
        (
            choose_test,
            {"family": "mean", "patients": 5, **ONE},
            r"5 patients .* smallest p is 2/2\^5 = 0.062 and cannot reach 0.05",
        ),
        (choose_test, {"fewest": 9}, "9 patients in the rarer class .*18 to 22 %"),
        (choose_test, {"fewest": 9, **ONE}, "9 patients in the rarer class .*31 %"),
        (choose_test, {"estimand": "new-site", "sites": 4}, "4 sites are too few"),
    ],
)
def test_too_few_data_are_refused_with_what_was_measured(choose, facts, said):
    with pytest.raises(NotEstimableError, match=said):
        choose(a_situation(**facts))


@pytest.mark.parametrize("rule", [*INTERVALS, *TESTS], ids=lambda rule: f"{rule.estimand}-{rule.method}")
def test_every_line_can_be_asked_for_and_has_its_minima(rule):
    choose = choose_interval if rule in INTERVALS else choose_test
    made = {"one K-fold": {"repeats": 1}, "5x2": {"folds": 2, "repeats": 5}, "one model": ONE}
    facts = {"several": rule.rows == "several", **made.get(rule.made, {})}
    s = a_situation(rule.estimand, rule.families[0], **facts)
    assert choose(s, rule.method).method == rule.method
    assert choose(s, rule.method).why.startswith("asked for in the study; ")
    for unit, least in rule.needs.items():
        few = {"resamples": {"folds": least - 1, "repeats": 1}, "flips": {"sites": 5, "patients": 5}}
        short = a_situation(rule.estimand, rule.families[0], **(facts | few.get(unit, {unit: least - 1})))
        with pytest.raises(NotEstimableError, match="too few"):
            choose(short, rule.method)


@pytest.mark.parametrize(
    ("choose", "facts", "wanted", "said"),
    [
        (
            choose_interval,
            {"family": "proportion", "several": True},
            "wilson",
            "needs one row per patient; .*72 to 73 %",
        ),
        (choose_interval, {"family": "proportion", "estimand": "new-site"}, "wilson", "64 to 68 %.*use 't-over-sites'"),
        (choose_interval, {}, "wilson", "is for a proportion, and this is a rank statistic"),
        (choose_interval, {}, "nadeau-bengio", "answers 'procedure' .* and not 'new-patients'.*was not measured"),
        (choose_interval, {"estimand": "new-site"}, "influence-t", "64 to 68 %"),
        (choose_interval, {"estimand": "procedure"}, "t-over-folds", "42 to 45 %; use 'nadeau-bengio'"),
        (choose_interval, {"estimand": "procedure"}, "mean-sd", "covered 100 %"),
        (choose_interval, {}, "bootstrap-bca", "needs one trained model, .*80 to 88 %.*use 'influence-t-cv'"),
        (choose_interval, {}, "bates", "fits more .* which the workflow does not make"),
        (choose_interval, {}, "wilsen", "no method 'wilsen'; did you mean 'wilson'"),
        (
            choose_interval,
            {"estimand": "procedure", "family": "mean"},
            "bayle",
            "needs one K-fold cross-validation, not",
        ),
        (
            choose_test,
            {"family": "proportion", "several": True, **ONE},
            "mcnemar",
            "22 to 27 %.*use 'sign-flip'",
        ),
        (choose_test, {"family": "proportion", "repeats": 3}, "mcnemar", "18 to 22 %.*use 'paired-cv'"),
        (choose_test, {"estimand": "procedure"}, "5x2cv", "other fits, which the workflow does not make"),
        (choose_test, {"estimand": "procedure"}, "t-over-folds", "rejected 56 %"),
        (choose_test, {}, "delong", "31 to 35 %"),
        (choose_test, {}, "friedman", "folds are none"),
        (choose_test, {}, "sign-flop", "did you mean 'sign-flip'"),
    ],
)
def test_what_cannot_answer_is_refused_with_what_was_measured(choose, facts, wanted, said):
    with pytest.raises(StudyError, match=said):
        choose(a_situation(**facts), wanted)


def test_a_score_of_one_class_does_not_tell_of_other_trainings():
    """Sensitivity and specificity move with a threshold that the folds of one data set do not show."""
    for choose in (choose_interval, choose_test):
        with pytest.raises(NotEstimableError, match="26 to 99 %"):
            choose(a_situation("procedure", "proportion", whole=False))
        assert choose(a_situation("new-patients", "proportion", whole=False)).method
    assert "balanced accuracy" in ONE_CLASS


def test_refusals_point_to_methods_that_exist():
    known = {rule.method for rule in (*INTERVALS, *TESTS)}
    texts = [*REFUSED_INTERVALS.values(), *REFUSED_TESTS.values()]
    named = {name for text in texts for name in re.findall(r"'([a-z-]+)'", text)}
    assert named
    assert named <= known
    assert not known & {*REFUSED_INTERVALS, *REFUSED_TESTS}
    assert {method for method, _ in MEASURED} <= known


def test_a_sign_flip_needs_six_units_at_five_percent():
    for level, least in ((0.95, 6), (0.9, 5), (0.99, 8), (0.75, 3)):
        assert fewest_flips(level) == least
        assert 2.0 ** (1 - least) <= 1 - level + 1e-12 < 2.0 ** (2 - least)


def test_every_method_is_computed_and_every_computation_is_in_the_rule():
    assert {rule.method for rule in INTERVALS} == set(evidence.INTERVALS)
    assert {rule.method for rule in TESTS} == set(evidence.TESTS)
    assert set(LABELS) == {*evidence.INTERVALS, *evidence.TESTS}


def test_every_metric_has_a_family_of_the_rule():
    for name in plugins.names("metrics"):
        assert plugins.describe("metrics", name)["FAMILY"] in FAMILIES


MINIMA = {
    "patients": "{} patients",
    "fewest": "{} in the rarer class or with an event",
    "sites": "{} sites",
    "resamples": "{} resamples",
    "flips": "6 units at 5 %",
}


def line(rule):
    """One line of the rule as the docs print it."""
    families = "any" if rule.families == FAMILIES else ", ".join(rule.families)
    families += " of all rows" if rule.whole else ""
    least = ", ".join(MINIMA[unit].format(n) for unit, n in rule.needs.items()) or "-"
    cells = [f"`{rule.estimand}`", families, rule.rows, rule.made, f"`{rule.method}`", least]
    return f"| {' | '.join([*cells, 'asked for' if rule.asked else 'chosen'])} |"


@pytest.mark.parametrize(("heading", "rules"), [("Intervals", INTERVALS), ("Paired tests", TESTS)])
def test_the_docs_show_the_rule(heading, rules):
    """The tables of docs/statistics.md are the rule, line by line."""
    text = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    part = text.partition(f"### {heading}\n")[2].partition("\n#")[0]
    told = [row for row in part.splitlines() if row.startswith("| `")]
    assert told == [line(rule) for rule in rules]


def test_the_docs_name_what_is_refused():
    text = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    for name in (*REFUSED_INTERVALS, *REFUSED_TESTS, *LABELS):
        assert f"`{name}`" in text, name


def test_the_rule_is_light():
    """It is read each time the workflow is parsed."""
    heavy = "import sys, triptych.choice; print([m for m in ('numpy', 'pandas', 'scipy', 'torch') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# ---- a study file ----


def a_study(split="repeated_kfold", estimand="new-patients", options=None, **statistics):
    return Study(
        name="s",
        title="t",
        question="q",
        estimand=estimand,
        tasks={"t": {"title": "t", "horizon": 1.0}, "c": {"title": "c", "kind": "classification"}},
        models={"m": {"use": "cox"}},
        validation={"split": split, "options": options or {}},
        statistics={"metrics": ["harrell_c", "brier", "accuracy", "auc"], **statistics},
    )


def where(*keys):
    return "study.yaml, " + ".".join(map(str, keys))


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {
            "split": "given",  # one trained model, as far as is known before the data are read
            "intervals": {"auc": "bootstrap-bca", "harrell_c": "influence-t"},
            "tests": {"auc": "sign-flip"},
        },
        {"estimand": "procedure", "intervals": {"auc": "nadeau-bengio"}, "options": {"folds": 10, "repeats": 10}},
        {"margins": {"auc": 0.05}},
    ],
)
def test_a_valid_study_passes(facts):
    check_choices(a_study(**facts), where)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"intervals": {"auc": "bootstrap-bac"}},
            "study.yaml, statistics.intervals.auc: no method .*mean 'bootstrap-bca'",
        ),
        ({"intervals": {"acuracy": "wilson"}}, "'acuracy' is none of the study's metrics; did you mean 'accuracy'"),
        ({"tests": {"auc": "mcnemar"}}, "statistics.tests.auc: 'mcnemar' cannot be used: .*is for a proportion"),
        ({"intervals": {"auc": "influence-t"}, "estimand": "new-site"}, "answers 'new-patients'"),
        ({"intervals": {"brier": "bayle"}, "estimand": "procedure", "options": {"repeats": 3}}, "needs one K-fold"),
        ({"tests": {"auc": "5x2cv"}, "estimand": "procedure", "options": {"folds": 5, "repeats": 2}}, "5 repeats of 2"),
        (
            {"tests": {"auc": "nadeau-bengio"}, "estimand": "procedure", "options": {"folds": 3, "repeats": 2}},
            "6 resamples",
        ),
        ({"margins": {"auc": 0.0}}, "statistics.margins.auc: a margin is above 0"),
        ({"margins": {"aux": 0.1}}, "did you mean 'auc'"),
    ],
)
def test_a_study_that_asks_in_vain_is_told_why(facts, said):
    with pytest.raises(StudyError, match=said):
        check_choices(a_study(**facts), where)


def test_predictions_are_read_only_for_a_bootstrap_of_patients():
    assert not needs_predictions(Statistics(metrics=["auc"]))
    assert not needs_predictions(Statistics(metrics=["auc"], intervals={"auc": "bootstrap-sites"}))
    assert needs_predictions(Statistics(metrics=["auc"], intervals={"auc": "bootstrap-bca"}))
    assert needs_predictions(Statistics(metrics=["auc"], tests={"auc": "paired-bootstrap"}))
