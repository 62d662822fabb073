"""Negative controls: which a study gets, for which tasks, and what they may read."""

import pytest

from triptych import plugins
from triptych.controls import complete, demographics
from triptych.study import Outcome, Roles, Task
from triptych.study_file import read

KINDS = ("survival", "classification", "regression")


def controls(study, task="os"):
    """Name of each control of a task: the blocks that it reads."""
    return {
        name: study.blocks_of(name, task) for name, entry in study.models_of(task).items() if entry.role == "control"
    }


def acquisition(write_study, *more):
    return write_study(("    horizon: 12\n", "    horizon: 12\n    roles: {acquisition: [scanner, blur]}\n"), *more)


def test_all_that_apply_are_added_behind_the_models_of_the_study(write_study):
    study = read(acquisition(write_study, ("{use: kaplan_meier}", '{use: kaplan_meier, role: "null"}')))
    assert list(study.models) == [
        "cox",
        "km",
        "control-site",
        "control-demographics",
        "control-acquisition",
        "permuted-cox",
    ]
    assert controls(study) == {
        "control-site": ["control-site"],
        "control-demographics": ["control-demographics"],
        "control-acquisition": ["control-acquisition"],
        "permuted-cox": ["clinical"],  # what the model itself reads
    }
    inputs = study.tasks["os"].inputs
    assert inputs["control-site"] == ["site"]
    assert inputs["control-demographics"] == ["age", "sex"]
    assert inputs["control-acquisition"] == ["scanner", "blur"]
    assert study.blocks_of("km", "os") == ["clinical", "genes"], "a model never reads the blocks of controls"


def test_labels_and_plug_ins(write_study):
    study = read(acquisition(write_study))
    for name in ("control-site", "control-demographics", "control-acquisition"):
        entry = study.models[name]
        assert (entry.use, entry.role, entry.job, entry.permuted) == ("control", "control", "model", False)
    assert [study.models[f"control-{what}"].label for what in ("site", "demographics", "acquisition")] == [
        "Site only",
        "Demographics only",
        "Acquisition only",
    ]
    again = study.models["permuted-cox"]
    assert (again.use, again.role, again.permuted, again.label) == ("cox", "control", True, "Cox, outcomes permuted")
    assert (again.options, again.options_by_task) == (study.models["cox"].options, {})
    assert study.models["permuted-km"].label == "km, outcomes permuted"
    assert set(KINDS) <= set(plugins.describe("models", "control")["TASKS"])


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("[]", []),
        ("[site]", ["control-site"]),
        ("[permuted]", ["permuted-cox", "permuted-km"]),
        ("[acquisition]", []),  # no column is said to be one
        ("[demographics, permuted]", ["control-demographics", "permuted-cox", "permuted-km"]),
    ],
)
def test_a_study_chooses(write_study, wanted, expected):
    study = read(write_study(("audit: {", f"controls: {wanted}\naudit: {{")))
    assert list(controls(study)) == expected


def test_columns_that_only_one_cohort_has_are_no_control(write_study, tmp_path):
    text = (tmp_path / "patients.csv").read_text()
    (tmp_path / "more.csv").write_text(text.replace("site", "hospital").replace("sex", "SEX"))
    changes = (("cohorts: [ours]", "cohorts: [ours, more]"), ("    inputs: [clinical]", "    inputs: [genes]"))
    two = ("tasks:\n  os:", f"  more: {{table: {tmp_path}/more.csv}}\ntasks:\n  os:")
    study = read(write_study(*changes, two, ("clinical: [age, sex]", "clinical: [age]")))
    assert "control-site" not in study.models
    assert study.tasks["os"].inputs["control-demographics"] == ["age"]


def test_controls_of_tasks_with_other_columns_are_of_those_tasks_only(write_study):
    rest = "    outcome: {time: months, event: died}\n    horizon: 6\n    roles: {demographics: [], acquisition: [scanner]}\n"
    other = f"  other:\n    title: Other\n    cohorts: [ours]\n    inputs: {{all: [g1]}}\n{rest}models:\n"
    study = read(write_study(("models:\n", other), ("    inputs: [clinical]", "    tasks: [os]")))
    assert study.models["control-demographics"].tasks == ["os"]
    assert study.models["control-acquisition"].tasks == ["other"]
    assert study.models["control-site"].tasks == ["os", "other"]
    assert study.models["permuted-cox"].tasks == ["os"]
    assert study.models["permuted-km"].tasks == ["os", "other"]
    assert list(controls(study, "other")) == ["control-site", "permuted-km", "control-acquisition"]
    assert "control-acquisition" not in study.tasks["os"].inputs


def test_predictions_made_elsewhere_get_none(write_study):
    study = read(write_study())
    elsewhere = study.model_copy(update={"predictions": object()})
    assert complete(elsewhere) is elsewhere


# ---- demographic columns -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "outcome", "roles", "expected"),
    [
        (["Age", "SEX", "gender", "ages", "stage"], {}, {}, ["Age", "SEX", "gender"]),
        (["age", "sex"], {"value": "age"}, {}, ["sex"]),  # a study of brain age does not read the age
        (["age", "sex"], {"label": "sex"}, {}, ["age"]),
        (["age", "sex"], {}, {"demographics": ["years"]}, ["years"]),
        (["age", "sex"], {}, {"demographics": []}, []),
        (["x"], {}, {}, []),
    ],
)
def test_demographics_are_named_or_known_by_their_name(columns, outcome, roles, expected):
    task = Task(title="t", outcome=Outcome(**outcome), roles=Roles(**roles))
    assert demographics(task, columns) == expected
