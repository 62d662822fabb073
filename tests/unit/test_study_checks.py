"""Names that exist, columns that are there, options that fit: what is not right is one sentence with file, line and key."""

import re
import shutil

import pytest
from written_study import STUDY, line_of

from triptych import plugins
from triptych.errors import StudyError
from triptych.study_file import read

# (what is replaced, by what, word that marks the line, message)
REFUSED = {
    "unknown cohort of a task": (
        ("cohorts: [ours]", "cohorts: [oursd]"),
        "oursd",
        r"key tasks\.os\.cohorts: no cohort 'oursd' in this study; did you mean 'ours'\?",
    ),
    "unknown cohort plug-in": (
        ("ours: {table: ", "gse7391: null\n  ours: {table: "),
        "gse7391",
        r"key cohorts\.gse7391: nothing called 'gse7391' in cohorts; did you mean 'gse7390'\?",
    ),
    "table and BIDS folder": (
        ("ours: {table: ", "ours: {bids: there, table: "),
        "bids",
        r"key cohorts\.ours\.bids: a cohort is a `table:` or a BIDS folder, not both",
    ),
    "scans of a BIDS folder": (
        ("ours: {table: ", "theirs: {bids: there, scans: t1w}\n  ours: {table: "),
        "theirs",
        r"key cohorts\.theirs\.scans: the scans of a BIDS folder are found by their names",
    ),
    "which runs": (
        ("ours: {table: ", "ours: {runs: newest, table: "),
        "runs",
        r"key cohorts\.ours\.runs: 'newest' is not one of first, last, best, all",
    ),
    "the best run without its quality": (
        ("ours: {table: ", "ours: {runs: best, table: "),
        "runs",
        r"key cohorts\.ours\.runs: the best scan is known when all were preprocessed; add `mri: \{\}`",
    ),
    "unknown model": (
        ("use: cox\n", "use: coxx\n"),
        "coxx",
        r"key models\.cox\.use: nothing called 'coxx' in models; did you mean 'cox'\?",
    ),
    "unknown split": (
        ("split: repeated_kfold", "split: repeated_kfolds"),
        "kfolds",
        r"key validation\.split: nothing called 'repeated_kfolds' in splits; did you mean 'repeated_kfold'\?",
    ),
    "unknown metric": (
        ("- harrell_c", "- harel_c"),
        "metrics",
        r"key statistics\.metrics: nothing called 'harel_c' in metrics; did you mean 'harrell_c'\?",
    ),
    "unknown figure": (
        ("figures: [forest]", "figures: [forst]"),
        "figures",
        r"key statistics\.figures: nothing called 'forst' in figures; did you mean 'forest'\?",
    ),
    "unknown audit": (
        ("same_content", "same_contents"),
        "same_contents",
        r"key audit\.same_contents: nothing called 'same_contents' in audit; did you mean 'same_content'\?",
    ),
    "no metric": (
        ("    - harrell_c\n    - brier", "    []"),
        "metrics",
        r"key statistics\.metrics: no metric here can score the survival task 'os'; add brier",
    ),
    "a reference that is not named": (
        ("label: Cox\n", "label: Cox\n    harmonise: {method: reference}\n"),
        "harmonise",
        r"key models\.cox\.harmonise: `method: reference` and `reference:`, a site, go together",
    ),
    "the outcome kept by ComBat": (
        ("label: Cox\n", "label: Cox\n    harmonise: {keep: [months]}\n"),
        "harmonise",
        r"key models\.cox\.harmonise: 'months' is the outcome of the task 'os'; .* \(target leak\)",
    ),
    "ComBat at a new site": (
        (
            "    options: {ridge: [1.0, 10.0]}\n  km: {use: kaplan_meier}\nvalidation:\n  split: repeated_kfold\n"
            "  options: {folds: 5, repeats: 2}\n",
            "    harmonise: {}\n  km: {use: kaplan_meier}\nvalidation:\n  split: leave_site_out\n",
        ),
        "harmonise",
        r"key models\.cox\.harmonise: in the task 'os' the tested site was not in training, so ComBat has no estimates for it",
    ),
    "no devices": (
        ("label: Cox\n", "label: Cox\n    devices: 0\n"),
        "devices: 0",
        r"key models\.cox\.devices: devices are counted from 1, not 0; leave it out for one",
    ),
    "devices as a word": (
        ("label: Cox\n", "label: Cox\n    devices: all\n"),
        "devices: all",
        r"key models\.cox\.devices: Input should be a valid integer, not 'all'",
    ),
    "devices for what is no network": (
        ("label: Cox\n", "label: Cox\n    devices: 2\n"),
        "devices: 2",
        r"key models\.cox\.devices: 'cox' is no network that several processes can train; leave it out",
    ),
    "nodes without GPUs": (
        ("km: {use: kaplan_meier}", "net: {use: deepsurv, devices: 2, nodes: 3}"),
        "nodes: 3",
        r"key models\.net\.nodes: only a fit on GPUs .*add `device: cuda`, or use `devices:` on one node",
    ),
    "negative seed": (
        ("name: mine", "seed: -3\nname: mine"),
        "seed",
        r"key seed: a seed is a whole number, 0 or more, not -3",
    ),
    "missing time column": (
        ("time: months", "time: month"),
        "time: month",
        r"key tasks\.os\.outcome\.time: cohort 'ours' has no column 'month'; did you mean 'months'\?",
    ),
    "missing event column": (
        ("event: died", "event: dead"),
        "event: dead",
        r"key tasks\.os\.outcome\.event: cohort 'ours' has no column 'dead'; did you mean 'died'\?",
    ),
    "no event column": (
        ("event: died, ", ""),
        "outcome",
        r"key tasks\.os\.outcome: .*needs the column of its event; add `event:`",
    ),
    "missing input column": (
        ("[age, sex]", "[agee, sex]"),
        "agee",
        r"key tasks\.os\.inputs\.clinical: cohort 'ours' has no column 'agee'; did you mean 'age'\?",
    ),
    "pattern that finds nothing": (
        ("[g*]", "[gene*]"),
        "gene*",
        r"key tasks\.os\.inputs\.genes: cohort 'ours' has no column 'gene\*'",
    ),
    "outcome among the inputs": (
        ("[age, sex]", "[age, died]"),
        "[age, died]",
        r"key tasks\.os\.inputs\.clinical: 'died' takes the outcome column 'died' as an input \(target leak\)",
    ),
    "time among the inputs": (
        ("[age, sex]", "[age, months]"),
        "[age, months]",
        r"'months' takes the outcome column 'months' as an input \(target leak\)",
    ),
    "outcome among the inputs through a pattern": (
        ("[g*]", '["*d"]'),
        '["*d"]',
        r"key tasks\.os\.inputs\.genes: '\*d' takes the outcome column 'died' as an input \(target leak\); name the inputs",
    ),
    "outcome among the inputs through a star": (("[g*]", '["*"]'), '["*"]', r"target leak"),
    "task of a kind that no metric scores": (
        ("    title: Overall survival", "    title: Overall survival\n    kind: regression"),
        "metrics",
        r"key statistics\.metrics: no metric here can score the regression task 'os'; add mae or r2",
    ),
    "no horizon": (
        ("    horizon: 12\n", ""),
        "  os:",
        r"key tasks\.os: the metric 'brier' needs a horizon; add `horizon:` to the task",
    ),
    "no cohort in a task": (("    cohorts: [ours]\n", ""), "  os:", r"key tasks\.os: a task needs `cohorts:`"),
    "unknown block": (
        ("inputs: [clinical]", "inputs: [clinicl]"),
        "clinicl",
        r"key models\.cox\.inputs: task 'os' has no block of inputs 'clinicl'; did you mean 'clinical'\?",
    ),
    "unknown task of a model": (
        ("inputs: [clinical]", "tasks: [osx]"),
        "osx",
        r"key models\.cox\.tasks: no task 'osx' in this study; did you mean 'os'\?",
    ),
    "unknown task of options": (
        ("inputs: [clinical]", "options_by_task: {osx: {}}"),
        "osx",
        r"key models\.cox\.options_by_task: no task 'osx' in this study; did you mean 'os'\?",
    ),
    "model of two kinds": (
        ("inputs: [clinical]", "column: age"),
        "  cox:",
        r"key models\.cox: say exactly one of `use:` \(a plug-in\), `column:` and `external:`",
    ),
    "model of no kind": (("    use: cox\n", ""), "  cox:", r"key models\.cox: say exactly one of `use:`"),
    "external model without predictions": (
        ("    use: cox\n", "    external: theirs\n"),
        "  cox:",
        r"key models\.cox: `external:` and `column:` go with a study that has `predictions:`",
    ),
    "unknown option of a model": (
        ("{ridge: [1.0, 10.0]}", "{rigde: [1.0, 10.0]}"),
        "rigde",
        r"key models\.cox\.options: 'cox' has no option 'rigde'; did you mean 'ridge'\?",
    ),
    "option of a wrong type": (
        ("{ridge: [1.0, 10.0]}", "{ridge: 1.0}"),
        "ridge",
        r"key models\.cox\.options: option 'ridge' of 'cox' must be tuple\[float, \.\.\.\], not 1\.0",
    ),
    "option of a wrong type for one task": (
        ("inputs: [clinical]", "options_by_task:\n      os: {ties: exact}"),
        "ties: exact",
        r"key models\.cox\.options_by_task\.os: option 'ties' of 'cox' must be Literal\['efron', 'breslow'\], not 'exact'",
    ),
    "unknown option of a split": (
        ("{folds: 5, ", "{fold: 5, "),
        "{fold: 5",
        r"key validation\.options: 'repeated_kfold' has no option 'fold'; did you mean 'folds'\?",
    ),
    "option of a split of a wrong type": (
        ("{folds: 5, ", "{folds: five, "),
        "folds: five",
        r"key validation\.options: option 'folds' of 'repeated_kfold' must be int, not 'five'",
    ),
    "split that does not answer": (
        ("estimand: new-patients", "estimand: new-site"),
        "split:",
        r"key validation\.split: the split 'repeated_kfold' cannot answer the estimand 'new-site' \(these models, at a hospital "
        r"never seen in training\); use .*leave_site_out",
    ),
    "no tasks, but models": (
        (STUDY[STUDY.index("tasks:") : STUDY.index("models:")], ""),
        None,
        r"the key 'tasks' is missing; a study without tasks prepares the scans of its cohorts, and has no 'models' either",
    ),
    "no estimand": (("estimand: new-patients\n", ""), None, r"study\.yaml: the key 'estimand' is missing"),
    "no statistics": (
        ("statistics:\n  metrics:\n    - harrell_c\n    - brier\n  figures: [forest]\n", ""),
        None,
        r"study\.yaml: the key 'statistics' is missing",
    ),
    "no validation": (
        ("validation:\n  split: repeated_kfold\n  options: {folds: 5, repeats: 2}\n", ""),
        None,
        r"study\.yaml: the key 'validation' is missing; say how the patients are split",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(write_study, what):
    change, mark, message = REFUSED[what]
    path = write_study(change)
    with pytest.raises(StudyError) as caught:
        read(path)
    said = str(caught.value)
    assert re.search(message, said), said
    if mark:
        assert said.startswith(f"{path}:{line_of(path, mark)}, "), said
    assert "\n" not in said


def test_a_task_without_a_model(write_study):
    other = "  other: {title: Other, cohorts: [ours], outcome: {time: months, event: died}, horizon: 1}\nmodels:\n"
    path = write_study(
        ("models:\n", other),
        ("    label: Cox", "    tasks: [os]"),
        ("{use: kaplan_meier}", "{use: kaplan_meier, tasks: [os]}"),
    )
    with pytest.raises(
        StudyError, match=r"key tasks\.other: no model competes in the task 'other'; add it to the `tasks:`"
    ):
        read(path)


def test_model_that_cannot_do_the_task(write_study, tmp_path, monkeypatch):

    copied = tmp_path / "triptych"
    shutil.copytree(plugins.PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    (copied / "models" / "sorter.py").write_text('"""Sorts."""\nTASKS = ("classification",)\n')
    monkeypatch.setattr(plugins, "PACKAGE", copied)
    path = write_study(("use: cox\n", "use: sorter\n"))
    with pytest.raises(
        StudyError, match=r":18, key models\.cox\.use: 'sorter' does classification, not the survival task 'os'"
    ):
        read(path)


@pytest.mark.parametrize("kind", ["models", "splits"])
def test_required_option_that_is_missing(write_study, tmp_path, monkeypatch, kind):

    copied = tmp_path / "triptych"
    shutil.copytree(plugins.PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    text = '"""."""\nTASKS = ("survival",)\nNEEDS = ("table",)\nANSWERS = ("new-patients",)\nclass Options:\n    width: int\n'
    (copied / kind / "strict.py").write_text(text)
    monkeypatch.setattr(plugins, "PACKAGE", copied)
    change = {
        "models": ("{use: kaplan_meier}", "{use: strict}"),
        "splits": ("split: repeated_kfold\n  options: {folds: 5, repeats: 2}", "split: strict"),
    }
    key = {"models": r"models\.km\.options", "splits": r"validation\.options"}[kind]
    with pytest.raises(StudyError, match=rf"study\.yaml:\d+, key {key}: 'strict' needs the option 'width' \(int\)"):
        read(write_study(change[kind]))


def test_job_fold_needs_folds_that_are_known_when_planning(write_study):
    new_site = ("estimand: new-patients", "estimand: new-site")
    split = ("split: repeated_kfold\n  options: {folds: 5, repeats: 2}", "split: leave_site_out")
    read(write_study(new_site, split))
    path = write_study(new_site, split, ("    label: Cox", "    job: fold"))
    with pytest.raises(
        StudyError,
        match=r"study\.yaml:19, key models\.cox\.job: the folds of the split 'leave_site_out' .* use `job: repeat`",
    ):
        read(path)
    read(write_study(("    label: Cox", "    job: fold")))  # k folds are known
    read(
        write_study(
            ("split: repeated_kfold\n  options: {folds: 5, repeats: 2}", "split: given"),
            ("    label: Cox", "    job: fold"),
        )
    )


def test_a_column_name_with_brackets_names_itself(write_study):
    read(write_study(("[age, sex]", "[age, 'size [cm]']")))
