"""Study files: read, merged, completed from the command line; those of the project are good."""

import re
from pathlib import Path

import pytest
import yaml
from written_study import HEADER

from triptych import plugins, study
from triptych.errors import DataError, StudyError
from triptych.study_file import read

REPOSITORY = Path(__file__).resolve().parents[2]


def test_a_good_study(write_study):
    study = read(write_study())
    assert study.options_of("cox", "os") == {"ridge": [1.0, 10.0]}
    assert study.blocks_of("cox", "os") == ["clinical"]
    assert study.blocks_of("km", "os") == ["clinical", "genes"]
    assert list(study.models_of("os"))[:2] == ["cox", "km"]
    assert study.seed == 0
    assert study.root is None


def test_a_study_without_tasks_prepares_scans(tmp_path):
    (tmp_path / "heads.csv").write_text("participant_id,t1w\np1,a.nii\n")
    text = f"name: mine\ntitle: Heads\nquestion: Are they usable?\ncohorts:\n  ours: {{table: {tmp_path}/heads.csv}}\n"
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(
        StudyError, match="the key 'tasks' is missing; without it scans are prepared, and no cohort here has some"
    ):
        read(path)
    path.write_text(text.replace(".csv}", ".csv, mri: {}}"))
    assert read(path).tasks == {}


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


def test_values_of_the_command_line_win(write_study):
    study = read(
        write_study(),
        overrides={"seed": 7, "statistics": {"level": 0.9}, "models": {"cox": {"options": {"ridge": [3]}}}},
    )
    assert (study.seed, study.statistics.level, study.statistics.metrics) == (7, 0.9, ["harrell_c", "brier"])
    assert study.options_of("cox", "os") == {"ridge": [3]}


def test_a_fault_on_the_command_line_names_its_key(write_study):
    path = write_study()
    with pytest.raises(StudyError, match=r"^.*study\.yaml, key sead: unknown key 'sead'; did you mean 'seed'\?"):
        read(path, overrides={"sead": 7})


def test_two_files_are_merged_and_each_names_its_own_lines(write_study, tmp_path):
    second = tmp_path / "more.yaml"
    second.write_text("seed: 9\nmodels:\n  forest: {use: random_survival_forest}\n  cox: {label: Cox again}\n")
    study = read(write_study(), second)
    assert (study.seed, list(study.models)[:3], study.models["cox"].label) == (9, ["cox", "km", "forest"], "Cox again")
    assert study.models["cox"].use == "cox"
    second.write_text("models:\n\n  forest: {use: random_foret}\n")
    with pytest.raises(StudyError, match=r"more\.yaml:3, key models\.forest\.use: nothing called 'random_foret'"):
        read(write_study(), second)


def test_a_key_may_be_repeated_in_another_file(write_study, tmp_path):
    (tmp_path / "more.yaml").write_text("title: Another\n")
    assert read(write_study(), tmp_path / "more.yaml").title == "Another"


def test_fault_in_the_table_names_the_key_of_the_study(write_study, tmp_path):
    path = write_study()
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


def test_data_root(write_study, monkeypatch, tmp_path):
    path = write_study()
    monkeypatch.setenv("TRIPTYCH_DATA", "/from/the/environment")
    assert read(path).root == Path("/from/the/environment")
    assert read(path, overrides={"data_root": str(tmp_path)}).root == tmp_path


@pytest.mark.parametrize(
    "path",
    [REPOSITORY / "config" / "config.yaml", *sorted((REPOSITORY / "config" / "studies").glob("*.yaml"))],
    ids=lambda p: p.stem,
)
def test_the_studies_of_the_project(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    heads = tmp_path / "results" / "phantom-heads" / "raw" / "participants.csv"  # `make demo` writes it
    heads.parent.mkdir(parents=True)
    heads.write_text("participant_id,session_id,site,age,sex,group,coin,t1w\n")
    study = read(path)
    assert all(study.models_of(task) for task in study.tasks)
    assert study.tasks or path.stem == "dicom-head"
    nulls = [model for model in study.models.values() if model.role == "null"]
    assert nulls or not study.tasks, "no score without the null it must beat"


# ---- docs/study-file.md --------------------------------------------------------------------------

DOCUMENT = (REPOSITORY / "docs" / "study-file.md").read_text(encoding="utf-8")
KEYS = [study.Study, study.Task, study.Outcome, study.Roles, study.Validation, study.Model, study.Statistics]


@pytest.mark.parametrize("model", [*KEYS, study.Protocols, study.Tolerance], ids=lambda model: model.__name__)
def test_every_key_is_documented(model):
    words = set(re.findall(r"[a-z_0-9]+", " ".join(re.findall(r"`+[^`]+`+", DOCUMENT))))
    assert set(model.model_fields) - words <= {"permuted"}, "set by the negative controls, not by hand"


def test_metrics_of_classes_and_numbers_are_documented():
    for metric in plugins.names("metrics"):
        assert "survival" in plugins.describe("metrics", metric)["TASKS"] or f"`{metric}`" in DOCUMENT, metric


def test_what_each_split_answers_is_documented():
    pairs = {}
    for names, claims in re.findall(r"((?:`\w+`(?: and )?)+) answers? ((?:`[\w-]+`(?: and )?)+)", DOCUMENT):
        for name in re.findall(r"`(\w+)`", names):
            pairs[name] = set(re.findall(r"`([\w-]+)`", claims))
    assert pairs == {
        name: set(plugins.describe("splits", name)["ANSWERS"])
        for name in plugins.names("splits")
        if not plugins.describe("splits", name).literals.get("LEAKS")
    }


def test_the_documented_tasks_are_tasks():
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.S)]
    tasks = [study.Task.model_validate(task) for block in blocks for task in block.get("tasks", {}).values()]
    assert [task.kind for task in tasks] == ["classification", "survival"]
    assert tasks[0].exclude == {"diagnosis": ["MCI"], "protocol": ["pilot"]}
