"""Tasks of each kind, what their columns stand for, who is left out, and splits that answer what a task claims."""

import re

import pytest
from written_study import line_of

from triptych.errors import StudyError
from triptych.study_file import read

SURVIVAL = "    outcome: {time: months, event: died, event_value: 1}\n"
CLASSES = (
    (SURVIVAL, "    kind: classification\n    outcome: {label: dx, positive: AD}\n"),
    ("    use: cox\n", "    use: logistic\n"),
    ("{use: kaplan_meier}", "{use: dummy}"),
    ("    - harrell_c\n    - brier", "    - auc\n    - brier_class"),
)
NUMBERS = (
    (SURVIVAL, "    kind: regression\n    outcome: {value: score, unit: points}\n"),
    ("    use: cox\n", "    use: ridge\n"),
    ("{use: kaplan_meier}", "{use: dummy}"),
    ("    - harrell_c\n    - brier", "    - mae\n    - r2"),
)
SECOND = "  {name}:\n    title: Another\n    cohorts: [ours]\n    inputs: {{clinical: [age, sex], genes: [g*]}}\n{rest}models:\n"


def second(name="dx", rest="    kind: classification\n    outcome: {label: dx, positive: AD}\n"):
    """The change that adds a task behind the first."""
    return ("models:\n", SECOND.format(name=name, rest=rest))


def refused(path, message, mark=None):
    with pytest.raises(StudyError) as caught:
        read(path)
    said = str(caught.value)
    assert re.search(message, said), said
    assert "\n" not in said
    if mark:
        assert said.startswith(f"{path}:{line_of(path, mark)}, "), said


# ---- kinds ---------------------------------------------------------------------------------------


def test_classes_and_numbers(write_study):
    study = read(write_study(*CLASSES))
    task = study.tasks["os"]
    assert task.outcome.columns == {"label": "dx"}
    assert (task.outcome.positive, study.metrics_of("os")) == ("AD", ["auc", "brier_class"])
    study = read(write_study(*NUMBERS))
    assert study.tasks["os"].outcome.columns == {"value": "score"}
    assert (study.tasks["os"].outcome.unit, study.metrics_of("os")) == ("points", ["mae", "r2"])


def test_a_study_of_two_kinds_scores_each_by_its_own_metrics(write_study):
    both = (
        second(),
        ("    label: Cox", "    tasks: [os]"),
        ("{use: kaplan_meier}", "{use: kaplan_meier, tasks: [os]}\n  logistic: {use: logistic, tasks: [dx]}"),
        ("    - brier\n", "    - brier\n    - auc\n"),
    )
    study = read(write_study(*both))
    assert study.metrics_of("os") == ["harrell_c", "brier"]
    assert study.metrics_of("dx") == ["auc"]
    assert [m for m, entry in study.models_of("dx").items() if entry.role != "control"] == ["logistic"]
    assert study.tasks["dx"].horizon is None, "only metrics of that kind ask for a horizon"


@pytest.mark.parametrize(
    ("changes", "change", "mark", "message"),
    [
        (
            CLASSES,
            ("label: dx, ", ""),
            "outcome:",
            r"key tasks\.os\.outcome: a classification outcome needs .* its label; add `label:`",
        ),
        (
            NUMBERS,
            ("value: score, ", ""),
            "outcome:",
            r"key tasks\.os\.outcome: a regression outcome needs .* its value; add `value:`",
        ),
        (
            CLASSES,
            ("label: dx", "label: dxx"),
            "dxx",
            r"key tasks\.os\.outcome\.label: cohort 'ours' has no column 'dxx'; did you mean 'dx'\?",
        ),
        (
            NUMBERS,
            ("value: score", "value: scores"),
            "scores",
            r"key tasks\.os\.outcome\.value: .* did you mean 'score'\?",
        ),
        (CLASSES, ("positive: AD", "positve: AD"), "positve", r"unknown key 'positve'; did you mean 'positive'\?"),
        (
            CLASSES,
            ("positive: AD", "positive: [AD, MCI]"),
            "MCI",
            r"key tasks\.os\.outcome\.positive: .*not \['AD', 'MCI'\]",
        ),
        (
            CLASSES,
            ("[age, sex]", "[age, dx]"),
            "[age, dx]",
            r"'dx' takes the outcome column 'dx' as an input \(target leak\)",
        ),
        (NUMBERS, ("[g*]", "[s*]"), "[s*]", r"'s\*' takes the outcome column 'score' as an input \(target leak\)"),
        (
            CLASSES,
            ("    use: logistic", "    use: cox"),
            "use: cox",
            r"'cox' does survival, not the classification task 'os'",
        ),
        (
            NUMBERS,
            ("    use: ridge", "    use: logistic"),
            "use: log",
            r"'logistic' does classification, not the regression task 'os'",
        ),
        (
            CLASSES,
            ("    - auc\n    - brier_class", "    - harrell_c\n    - mae"),
            "metrics",
            r"no metric here can score the classification task 'os'; add .*auc or ",
        ),
        (
            CLASSES,
            ("    - brier_class", "    - brier"),
            "metrics",
            r"key statistics\.metrics: 'brier' scores survival, and no task here is of that kind; remove it",
        ),
        (
            NUMBERS,
            ("kind: regression", "kind: regresion"),
            "regresion",
            r"'regresion' is not one of survival, classification, regression, .*did you mean 'regression'\?",
        ),
    ],
)
def test_kinds_refused(write_study, changes, change, mark, message):
    refused(write_study(*changes, change), message, mark)


# ---- what columns stand for, and who is left out -------------------------------------------------

ROLES = "    roles:\n      demographics: [age]\n      acquisition: [scanner]\n      quality: [blur]\n      visit: scan_day\n"


def with_roles(text=ROLES):
    return ("    horizon: 12\n", "    horizon: 12\n" + text)


def test_roles_and_rules(write_study):
    changes = (
        with_roles(ROLES + "    exclude: {scanner: [s9, 3, true]}\n"),
        ("event_value: 1", "event_value: 1, visit: dx_day"),
    )
    task = read(write_study(*changes)).tasks["os"]
    assert (task.roles.demographics, task.roles.acquisition, task.roles.quality) == (["age"], ["scanner"], ["blur"])
    assert (task.roles.visit, task.outcome.visit) == ("scan_day", "dx_day")
    assert task.exclude == {"scanner": ["s9", 3, True]}
    assert "visit" not in task.outcome.columns, "a date is not the outcome"
    plain = read(write_study()).tasks["os"]
    assert (plain.roles.demographics, plain.roles.acquisition, plain.exclude) == (None, [], {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[age]\n",
            "[agee]\n",
            r"key tasks\.os\.roles\.demographics: cohort 'ours' has no column 'agee'; did you mean 'age'\?",
        ),
        (
            "[scanner]",
            "[scaner]",
            r"key tasks\.os\.roles\.acquisition: .* no column 'scaner'; did you mean 'scanner'\?",
        ),
        (
            "[blur]",
            "[blurr]",
            r"key tasks\.os\.roles\.quality: cohort 'ours' has no column 'blurr'; did you mean 'blur'\?",
        ),
        (
            "visit: scan_day",
            "visit: scn_day",
            r"key tasks\.os\.roles\.visit: .* no column 'scn_day'; did you mean 'scan_day'\?",
        ),
        ("quality:", "qualty:", r"key tasks\.os\.roles\.qualty: unknown key 'qualty'; did you mean 'quality'\?"),
        (
            "acquisition: [scanner]",
            "acquisition: scanner",
            r"key tasks\.os\.roles\.acquisition: .*list.*, not 'scanner'",
        ),
    ],
)
def test_roles_refused(write_study, old, new, message):
    refused(write_study(with_roles(ROLES.replace(old, new))), message, new.strip())


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{scaner: [s1]}", r"key tasks\.os\.exclude: cohort 'ours' has no column 'scaner'; did you mean 'scanner'\?"),
        ("{scanner: s1}", r"key tasks\.os\.exclude\.scanner: .*list.*, not 's1'"),
        ("{scanner: []}", r"key tasks\.os\.exclude\.scanner: .*at least 1 item.*, not \[\]"),
    ],
)
def test_rules_refused(write_study, rule, message):
    refused(write_study(with_roles(f"    exclude: {rule}\n")), message, "exclude:")


def test_the_visit_of_an_outcome_must_be_a_column(write_study):
    change = ("event_value: 1", "event_value: 1, visit: dxday")
    refused(
        write_study(change), r"key tasks\.os\.outcome\.visit: .* no column 'dxday'; did you mean 'dx_day'\?", "dxday"
    )


# ---- the names of negative controls --------------------------------------------------------------


@pytest.mark.parametrize("name", ["control-site", "control-x", "permuted-cox", "permuted-"])
def test_names_of_controls_are_taken(write_study, name):
    told = "names that begin with control- or permuted- are those of negative controls; rename it"
    refused(write_study(("  km: {use", f"  {name}: {{use")), rf"key models\.{name}: {told}", f"{name}:")
    refused(
        write_study(("      genes: [g*]", f"      {name}: [g*]")), rf"key tasks\.os\.inputs\.{name}: {told}", f"{name}:"
    )


def test_a_control_that_nobody_knows(write_study):
    path = write_study(("audit: {", "controls: [permuted, sites]\naudit: {"))
    refused(
        path,
        r"key controls\.1: 'sites' is not one of permuted, site, demographics, acquisition, background; did you mean 'site'\?",
    )


# ---- splits and claims of a task -----------------------------------------------------------------

SITES = "    validation: {split: leave_site_out}\n"
LEAKS = "{split: row_kfold, options: {folds: 5}"
OTHER = "    outcome: {time: months, event: died}\n    horizon: 6\n"


def test_a_task_may_claim_and_be_split_in_its_own_way(write_study):
    study = read(write_study(second("site", OTHER + "    estimand: new-site\n" + SITES)))
    assert [study.estimand_of(task) for task in ("os", "site")] == ["new-patients", "new-site"]
    assert [study.validation_of(task).split for task in ("os", "site")] == ["repeated_kfold", "leave_site_out"]


def test_every_task_may_say_its_own_split_and_the_study_none(write_study):
    own = "    validation: {split: repeated_kfold}\n"
    whole = ("validation:\n  split: repeated_kfold\n  options: {folds: 5, repeats: 2}\n", "")
    study = read(write_study(whole, with_roles(own), second("other", OTHER + own)))
    assert study.validation is None
    path = write_study(whole, with_roles(own), second("other", OTHER))
    refused(path, r"study\.yaml: the key 'validation' is missing; say how the patients are split")


@pytest.mark.parametrize(
    ("rest", "key", "mark", "message"),
    [
        (
            "    estimand: new-site\n",
            "validation.split",
            "split: repeated",
            "'repeated_kfold' cannot answer the estimand 'new-site'",
        ),
        (
            "    estimand: new-site\n    validation: {split: repeated_kfold}\n",
            "tasks.other.validation.split",
            "    validation: {split",
            "'repeated_kfold' cannot answer the estimand 'new-site' .*; use .*leave_site_out",
        ),
        (
            "    estimand: procedure\n" + SITES,
            "tasks.other.validation.split",
            "leave_site_out",
            "'leave_site_out' cannot answer the estimand 'procedure' .*; use .*repeated_kfold",
        ),
        (
            f"    validation: {LEAKS}}}\n",
            "tasks.other.validation.split",
            "row_kfold",
            "'row_kfold' leaks: one person is on both sides; use",
        ),
        (
            "    validation: {split: given, options: {colum: x}}\n",
            "tasks.other.validation.options",
            "colum",
            "'given' has no option 'colum'",
        ),
        (
            "    validation: {split: gven}\n",
            "tasks.other.validation.split",
            "gven",
            "nothing called 'gven' in splits; did you mean 'given'",
        ),
        ("    estimand: new-sites\n", "tasks.other.estimand", "new-sites", "did you mean 'new-site'"),
    ],
)
def test_a_split_that_does_not_answer_what_its_task_claims(write_study, rest, key, mark, message):
    refused(write_study(second("other", OTHER + rest)), rf"key {re.escape(key)}: .*{message}", mark)


KFOLD = "validation:\n  split: repeated_kfold\n  options: {folds: 5, repeats: 2}\n"


def test_a_split_that_leaks_must_be_wrong_on_purpose(write_study):
    message = (
        r"key validation\.split: the split 'row_kfold' leaks: one person is on both sides; use repeated_kfold, or say "
        r"`wrong_on_purpose: true` to show what it does"
    )
    refused(write_study((KFOLD, f"validation: {LEAKS}}}\n")), message, "row_kfold")
    refused(write_study((KFOLD, f"validation: {LEAKS}, wrong_on_purpose: false}}\n")), message, "row_kfold")
    study = read(write_study((KFOLD, f"validation: {LEAKS}, wrong_on_purpose: true}}\n")))
    assert study.validation_of("os").wrong_on_purpose
    for estimand in ("new-site", "procedure"):  # it answers nothing, so it may stand beside any claim
        read(
            write_study(
                (KFOLD, f"validation: {LEAKS}, wrong_on_purpose: true}}\n"),
                ("estimand: new-patients", f"estimand: {estimand}"),
            )
        )


def test_a_split_that_does_not_leak_is_not_called_wrong(write_study):
    path = write_study(("  split: repeated_kfold", "  wrong_on_purpose: true\n  split: repeated_kfold"))
    message = r"key validation\.wrong_on_purpose: the split 'repeated_kfold' does not leak, .*; remove it"
    refused(path, message, "wrong_on_purpose")


def test_no_split_that_leaks_is_offered(write_study):
    with pytest.raises(StudyError) as caught:
        read(write_study(("estimand: new-patients", "estimand: new-site")))
    assert "row_kfold" not in str(caught.value)
