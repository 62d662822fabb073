"""Study files: every fault is one sentence with file, line, key, and the nearest right word."""

import copy
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import DataError, StudyError
from triptych.study_file import read

REPOSITORY = Path(__file__).resolve().parents[2]
HEADER = "participant_id,site,age,sex,size [cm],g1,g2,months,died\n"
STUDY = """\
name: mine
title: A study
question: Which model ranks patients better?
estimand: new-patients
cohorts:
  ours: {table: TABLE}
tasks:
  os:
    title: Overall survival
    cohorts: [ours]
    outcome: {time: months, event: died, event_value: 1}
    inputs:
      clinical: [age, sex]
      genes: [g*]
    horizon: 12
models:
  cox:
    use: cox
    label: Cox
    inputs: [clinical]
    options: {ridge: [1.0, 10.0]}
  km: {use: kaplan_meier}
validation:
  split: repeated_kfold
  options: {folds: 5, repeats: 2}
statistics:
  metrics:
    - harrell_c
    - brier
  figures: [forest]
audit: {same_content: warn}
tolerance: {patients: 0.1}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write the study with one text replaced by another; returns its path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIPTYCH_DATA", raising=False)
    table = tmp_path / "patients.csv"
    table.write_text(HEADER + "p1,a,60,f,1.5,0.1,0.2,12,1\n")

    def written(*changes, name="study.yaml"):
        text = STUDY.replace("TABLE", str(table))
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in the study"
            text = text.replace(old, new)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return written


def line_of(path, word):
    return next(i for i, line in enumerate(path.read_text().splitlines(), 1) if word in line)


def test_a_good_study(write):
    study = read(write())
    assert study.options_of("cox", "os") == {"ridge": [1.0, 10.0]}
    assert study.blocks_of("cox", "os") == ["clinical"]
    assert study.blocks_of("km", "os") == ["clinical", "genes"]
    assert list(study.models_of("os")) == ["cox", "km"]
    assert study.seed == 0
    assert study.root is None


# (what is replaced, by what, kind of error, word that marks the line, message)
REFUSED = {
    "unknown key at the top": (
        ("audit: {", "audits: {"),
        "audits",
        r"key audits: unknown key 'audits'; did you mean 'audit'\?",
    ),
    "unknown key of a cohort": (
        ("{table: ", "{tabel: "),
        "tabel",
        r"key cohorts\.ours\.tabel: unknown key 'tabel'; did you mean 'table'\?",
    ),
    "unknown key of a task": (
        ("    horizon: 12", "    horizn: 12"),
        "horizn",
        r"key tasks\.os\.horizn: unknown key 'horizn'; did you mean 'horizon'\?",
    ),
    "unknown key of an outcome": (
        ("event_value: 1", "event_valu: 1"),
        "event_valu",
        r"key tasks\.os\.outcome\.event_valu: unknown key 'event_valu'; did you mean 'event_value'\?",
    ),
    "unknown key of a model": (
        ("    label: Cox", "    lable: Cox"),
        "lable",
        r"key models\.cox\.lable: unknown key 'lable'; did you mean 'label'\?",
    ),
    "unknown key of the validation": (
        ("  split: repeated", "  splt: repeated"),
        "splt",
        r"key validation\.splt: unknown key 'splt'; did you mean 'split'\? \(1 more below it\)",
    ),
    "unknown key of the statistics": (
        ("  figures: [", "  figurs: ["),
        "figurs",
        r"key statistics\.figurs: unknown key 'figurs'; did you mean 'figures'\?",
    ),
    "unknown key of the tolerance": (
        ("{patients: 0.1", "{patient: 0.1"),
        "patient: 0.1",
        r"key tolerance\.patient: unknown key 'patient'; did you mean 'patients'\?",
    ),
    "unknown key unlike any": (
        ("    label: Cox", "    qqqqqq: Cox"),
        "qqqqqq",
        r"unknown key 'qqqqqq'; known: label, use, column, external, role",
    ),
    "number that is no number": (
        ("horizon: 12", "horizon: a year"),
        "a year",
        r"key tasks\.os\.horizon: .*number.*, not 'a year'",
    ),
    "list that is no list": (
        ("inputs: [clinical]", "inputs: clinical"),
        "inputs: clin",
        r"models\.cox\.inputs: .*list.*, not 'clinical'",
    ),
    "negative horizon": (
        ("horizon: 12", "horizon: -12"),
        "horizon:",
        r"key tasks\.os\.horizon: .*greater than 0, not -12",
    ),
    "infinite horizon": (
        ("horizon: 12", "horizon: .inf"),
        "horizon:",
        r"key tasks\.os\.horizon: a horizon is a finite time",
    ),
    "share above 1": (
        ("patients: 0.1", "patients: 5"),
        "patients: 5",
        r"key tolerance\.patients: .*less than or equal to 1, not 5",
    ),
    "value of a union": (
        ("event_value: 1", "event_value: [1, 2]"),
        "event_value",
        r"key tasks\.os\.outcome\.event_value: .*not \[1, 2\]",
    ),
    "unknown word of a few": (
        ("estimand: new-patients", "estimand: new-patient"),
        "estimand",
        r"key estimand: 'new-patient' is not one of new-patients, new-site, procedure; did you mean 'new-patients'\?",
    ),
    "audit that does something unknown": (
        ("same_content: warn", "same_content: wran"),
        "same_content",
        r"key audit\.same_content: 'wran' is not one of stop, warn, off; did you mean 'warn'\?",
    ),
    "name with a capital": (
        ("name: mine", "name: Mine Own"),
        "name: Mine",
        r"key name: 'Mine Own' must be lower-case letters, digits, - and _",
    ),
    "missing key": (
        ("question: Which model ranks patients better?\n", ""),
        None,
        r"study\.yaml: the key 'question' is missing",
    ),
    "missing key of a task": (
        ("    title: Overall survival\n", ""),
        "  os:",
        r"key tasks\.os: the key 'title' is missing",
    ),
    "key given twice": (
        ("    label: Cox", "    use: cox"),
        None,
        r"study\.yaml:19, key models\.cox\.use: given twice; keep one",
    ),
    "top key given twice": (("audit: {", "title: {"), None, r"study\.yaml:\d+, key title: given twice; keep one"),
    "no YAML": (("inputs: [clinical]", "inputs: [clinical"), None, r"study\.yaml: not valid YAML: .*line \d+"),
    "tab": (("    label: Cox", "\tlabel: Cox"), None, r"study\.yaml: not valid YAML: .*line 19"),
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
    "unknown model": (
        ("use: cox\n", "use: coxx\n"),
        "coxx",
        r"key models\.cox\.use: nothing called 'coxx' in models; did you mean 'cox'\?",
    ),
    "unknown split": (
        ("split: repeated_kfold", "split: kfold"),
        "kfold",
        r"key validation\.split: nothing called 'kfold' in splits; did you mean 'repeated_kfold'\?",
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
    "no metric": (("    - harrell_c\n    - brier", "    []"), "metrics", r"key statistics\.metrics: .*at least 1 item"),
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
        r"key statistics\.metrics: 'harrell_c' cannot score the regression task 'os'",
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
        r"never seen in training\); use given or leave_site_out",
    ),
    "no validation": (
        ("validation:\n  split: repeated_kfold\n  options: {folds: 5, repeats: 2}\n", ""),
        None,
        r"study\.yaml: the key 'validation' is missing; say how the patients are split",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(write, what):
    change, mark, message = REFUSED[what]
    path = write(change)
    with pytest.raises(StudyError) as caught:
        read(path)
    said = str(caught.value)
    assert re.search(message, said), said
    if mark:
        assert said.startswith(f"{path}:{line_of(path, mark)}, "), said
    assert "\n" not in said


def test_a_task_without_a_model(write):
    other = "  other: {title: Other, cohorts: [ours], outcome: {time: months, event: died}, horizon: 1}\nmodels:\n"
    path = write(
        ("models:\n", other),
        ("    label: Cox", "    tasks: [os]"),
        ("{use: kaplan_meier}", "{use: kaplan_meier, tasks: [os]}"),
    )
    with pytest.raises(
        StudyError, match=r"key tasks\.other: no model competes in the task 'other'; add it to the `tasks:`"
    ):
        read(path)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_an_unknown_key_anywhere_is_named(data):
    """Put a key that nobody knows into any mapping whose keys are fixed."""
    content = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    places = [
        (),
        ("tasks", "dmfs"),
        ("tasks", "dmfs", "outcome"),
        ("models", "deepsurv"),
        ("validation",),
        ("statistics",),
    ]
    place = data.draw(st.sampled_from(places))
    key = data.draw(st.from_regex(r"zz[a-z]{1,6}", fullmatch=True))
    part = content = copy.deepcopy(content)
    for name in place:
        part = part[name]
    part[key] = 1
    with pytest.raises(StudyError, match=f"key {re.escape('.'.join([*place, key]))}: unknown key '{key}'; "):
        read(overrides=content)


def test_model_that_cannot_do_the_task(write, tmp_path, monkeypatch):
    import shutil

    from triptych import plugins

    copied = tmp_path / "triptych"
    shutil.copytree(plugins.PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    (copied / "models" / "sorter.py").write_text('"""Sorts."""\nTASKS = ("classification",)\n')
    monkeypatch.setattr(plugins, "PACKAGE", copied)
    path = write(("use: cox\n", "use: sorter\n"))
    with pytest.raises(
        StudyError, match=r":18, key models\.cox\.use: 'sorter' does classification, not the survival task 'os'"
    ):
        read(path)


@pytest.mark.parametrize("kind", ["models", "splits"])
def test_required_option_that_is_missing(write, tmp_path, monkeypatch, kind):
    import shutil

    from triptych import plugins

    copied = tmp_path / "triptych"
    shutil.copytree(plugins.PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    text = '"""."""\nTASKS = ("survival",)\nANSWERS = ("new-patients",)\nclass Options:\n    width: int\n'
    (copied / kind / "strict.py").write_text(text)
    monkeypatch.setattr(plugins, "PACKAGE", copied)
    change = {
        "models": ("{use: kaplan_meier}", "{use: strict}"),
        "splits": ("split: repeated_kfold\n  options: {folds: 5, repeats: 2}", "split: strict"),
    }
    key = {"models": r"models\.km\.options", "splits": r"validation\.options"}[kind]
    with pytest.raises(StudyError, match=rf"study\.yaml:\d+, key {key}: 'strict' needs the option 'width' \(int\)"):
        read(write(change[kind]))


def test_job_fold_needs_folds_that_are_known_when_planning(write):
    new_site = ("estimand: new-patients", "estimand: new-site")
    split = ("split: repeated_kfold\n  options: {folds: 5, repeats: 2}", "split: leave_site_out")
    read(write(new_site, split))
    path = write(new_site, split, ("    label: Cox", "    job: fold"))
    with pytest.raises(
        StudyError,
        match=r"study\.yaml:19, key models\.cox\.job: the folds of the split 'leave_site_out' .* use `job: repeat`",
    ):
        read(path)
    read(write(("    label: Cox", "    job: fold")))  # k folds are known
    read(
        write(
            ("split: repeated_kfold\n  options: {folds: 5, repeats: 2}", "split: given"),
            ("    label: Cox", "    job: fold"),
        )
    )


def test_a_column_name_with_brackets_names_itself(write):
    read(write(("[age, sex]", "[age, 'size [cm]']")))


# ---- files ----


def test_missing_file(tmp_path):
    with pytest.raises(
        StudyError, match=r"nowhere\.yaml: cannot be read \(No such file or directory\); name an existing study"
    ):
        read(tmp_path / "nowhere.yaml")


def test_a_folder(tmp_path):
    with pytest.raises(StudyError, match=r"cannot be read \(Is a directory\)"):
        read(tmp_path)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n", "# only a comment\n"])
def test_not_a_mapping(tmp_path, text):
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(StudyError, match=r"study\.yaml: a study is a mapping of keys, this file is not"):
        read(tmp_path / "study.yaml")


def test_not_utf8(tmp_path):
    (tmp_path / "study.yaml").write_bytes("title: Übersicht\n".encode("latin-1"))
    with pytest.raises(StudyError, match=r"study\.yaml: not UTF-8 text .*save it as UTF-8"):
        read(tmp_path / "study.yaml")


def test_values_of_the_command_line_win(write):
    study = read(
        write(), overrides={"seed": 7, "statistics": {"level": 0.9}, "models": {"cox": {"options": {"ridge": [3]}}}}
    )
    assert (study.seed, study.statistics.level, study.statistics.metrics) == (7, 0.9, ["harrell_c", "brier"])
    assert study.options_of("cox", "os") == {"ridge": [3]}


def test_a_fault_on_the_command_line_names_its_key(write):
    path = write()
    with pytest.raises(StudyError, match=r"^.*study\.yaml, key sead: unknown key 'sead'; did you mean 'seed'\?"):
        read(path, overrides={"sead": 7})


def test_two_files_are_merged_and_each_names_its_own_lines(write, tmp_path):
    second = tmp_path / "more.yaml"
    second.write_text("seed: 9\nmodels:\n  forest: {use: random_survival_forest}\n  cox: {label: Cox again}\n")
    study = read(write(), second)
    assert (study.seed, list(study.models), study.models["cox"].label) == (9, ["cox", "km", "forest"], "Cox again")
    assert study.models["cox"].use == "cox"
    second.write_text("models:\n\n  forest: {use: random_forest}\n")
    with pytest.raises(StudyError, match=r"more\.yaml:3, key models\.forest\.use: nothing called 'random_forest'"):
        read(write(), second)


def test_a_key_may_be_repeated_in_another_file(write, tmp_path):
    (tmp_path / "more.yaml").write_text("title: Another\n")
    assert read(write(), tmp_path / "more.yaml").title == "Another"


def test_fault_in_the_table_names_the_key_of_the_study(write, tmp_path):
    path = write()
    for text, message in (
        (None, r"no such file \(raw data of cohort 'ours'\)"),
        ("", "the file is empty"),
        (HEADER.replace(",", ";"), r"line 1 is one column, .* separated by ';', not by ','"),
        (HEADER.replace("sex", "age"), "line 1 has two columns called 'age'"),
    ):
        (tmp_path / "patients.csv").unlink(missing_ok=True)
        if text is not None:
            (tmp_path / "patients.csv").write_text(text)
        with pytest.raises(DataError, match=rf"study\.yaml:6, key cohorts\.ours\.table: .*patients\.csv: {message}"):
            read(path)


def test_data_root(write, monkeypatch, tmp_path):
    path = write()
    monkeypatch.setenv("TRIPTYCH_DATA", "/from/the/environment")
    assert read(path).root == Path("/from/the/environment")
    assert read(path, overrides={"data_root": str(tmp_path)}).root == tmp_path


# ---- studies with predictions ----

BROUGHT = """\
name: theirs
title: Theirs
question: Is it good?
estimand: new-patients
cohorts:
  ours: {table: TABLE}
tasks:
  os: {title: OS, cohorts: [ours]}
models:
  a: {external: A}
  age: {column: age}
predictions:
  file: p.csv
  columns: {model: m, participant_id: id, risk: r, time: t, event: e}
statistics: {metrics: [harrell_c]}
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("", ""), None),
        (
            ("column: age", "column: agee"),
            r":11, key models\.age\.column: cohort 'ours' has no column 'agee'; did you mean 'age'\?",
        ),
        ((", cohorts: [ours]", ""), r":11, key models\.age\.column: the task 'os' has no `cohorts:`"),
        (
            ("risk: r", "rsik: r"),
            r":14, key predictions\.columns: predictions have no column 'rsik'; did you mean 'risk'\?",
        ),
        (
            ("statistics:", "  site_pattern: ^TCGA\nstatistics:"),
            r":15, key predictions\.site_pattern: '\^TCGA' is no regular expression with a group in parentheses",
        ),
        (
            ("statistics:", "  site_pattern: '('\nstatistics:"),
            r":15, key predictions\.site_pattern: '\(' is no regular",
        ),
        ((", event: e", ""), r":14, key predictions\.columns: say which column of p\.csv holds 'event'"),
        (
            ("statistics:", "validation: {split: given}\nstatistics:"),
            r":15, key validation: .* bring their own folds; remove `validation:`",
        ),
    ],
)
def test_predictions_made_elsewhere(tmp_path, monkeypatch, change, message):
    monkeypatch.delenv("TRIPTYCH_DATA", raising=False)
    (tmp_path / "patients.csv").write_text(HEADER)
    path = tmp_path / "study.yaml"
    path.write_text(BROUGHT.replace("TABLE", str(tmp_path / "patients.csv")).replace(*change, 1))
    if message is None:
        assert read(path).predictions.file == "p.csv"
        return
    with pytest.raises(StudyError, match=message):
        read(path)


@pytest.mark.parametrize(
    "path",
    [REPOSITORY / "config" / "config.yaml", *sorted((REPOSITORY / "config" / "studies").glob("*.yaml"))],
    ids=lambda p: p.stem,
)
def test_the_studies_of_the_project(path):
    study = read(path)
    assert study.models_of(next(iter(study.tasks)))
    assert any(model.role == "null" for model in study.models.values()), "no score without the null it must beat"
