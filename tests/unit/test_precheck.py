"""The look at the data before planning: faults stop it with their message, a good look is remembered."""

import subprocess

import numpy as np
import pytest

from triptych import check, raw
from triptych.errors import DataError
from triptych.precheck import STAMPS, precheck
from triptych.study_file import read

STUDY = """\
name: mine
title: A study
question: Which model ranks patients better?
estimand: new-patients
cohorts:
  ours: {table: patients.csv}
tasks:
  os: {title: OS, cohorts: [ours], outcome: {time: months, event: died}, inputs: {all: [age]}}
models:
  cox: {use: cox, options: {inner_folds: 3}}
validation: {split: repeated_kfold, options: {folds: 3, repeats: 1}}
statistics: {metrics: [harrell_c]}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIPTYCH_DATA", raising=False)
    (tmp_path / "study.yaml").write_text(STUDY)
    patients()
    return tmp_path


@pytest.fixture
def processes(monkeypatch):
    """The processes that were started."""
    found = []
    true = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: found.append(a) or true(*a, **k))
    return found


def patients(n=40, **columns):
    rng = np.random.default_rng(0)
    made = {
        "participant_id": [f"p{i}" for i in range(n)],
        "age": rng.normal(60, 9, n),
        "months": rng.exponential(9, n),
        "died": rng.integers(0, 2, n),
    }
    made.update(columns)
    lines = [",".join(made), *(",".join(map(str, row)) for row in zip(*made.values(), strict=True))]
    with open("patients.csv", "w") as file:
        file.write("\n".join(lines) + "\n")


def look(**overrides):
    study = read("study.yaml", overrides=overrides)
    precheck(study, {name: raw.digest(name, entry, study.root) for name, entry in study.cohorts.items()})


def test_a_second_look_starts_no_process(here, processes):
    look()
    assert len(processes) == 1
    look()
    look(models={"cox": {"label": "Other"}}, title="Other")  # does not touch the data
    assert len(processes) == 1
    assert len(list(STAMPS.iterdir())) == 1, "the question is removed"


def test_what_asks_for_a_new_look(here, processes):
    look()
    patients(died=["1", "0"] * 20)
    look()
    assert len(processes) == 2, "other content of the table"
    look(validation={"options": {"folds": 4}})
    assert len(processes) == 3, "another split"
    look(tasks={"os": {"outcome": {"event_value": 1}}})
    assert len(processes) == 4, "another outcome"
    look(seed=3)
    assert len(processes) == 5, "another seed"
    look(tasks={"os": {"exclude": {"died": [0]}}})
    assert len(processes) == 6, "other people are left out"
    look(tasks={"os": {"validation": {"split": "repeated_kfold", "options": {"folds": 2}}}})
    assert len(processes) == 7, "another split of the task"
    look(controls=[])
    assert len(processes) == 8, "other columns are read"
    look(controls=["permuted"])
    assert len(processes) == 8, "a permuted model reads what the model itself reads"


def test_a_touched_table_asks_for_no_new_look(here, processes):
    import os

    look()
    os.utime("patients.csv", (1, 1))
    look()
    assert len(processes) == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"months": [5] * 40}, r"^task 'os': the outcome is constant: every 'months' is 5$"),
        ({"died": [0] * 40}, r"^task 'os': 0 of 40 patients has an event in 'died'"),
        (
            {"died": [1, 1] + [0] * 38},
            r"^task 'os': 2 of 40 patients have an event or are positive: too few for 3 folds",
        ),
        (
            {"participant_id": [f"p{i // 2}" for i in range(40)]},
            r"^patients\.csv: rows 2 and 3 are both p0 \(ses-1\) but differ in",
        ),
    ],
)
def test_a_fault_in_the_data_stops_before_planning(here, columns, message):
    patients(**columns)
    for _ in range(2):  # a fault is not remembered as good
        with pytest.raises(DataError, match=message) as caught:
            look()
        assert "Traceback" not in str(caught.value)
    assert list(STAMPS.iterdir()) == []


def test_a_column_that_only_a_control_reads_must_be_readable_too(here):
    patients(sex=["f", "m"] * 19 + ["f", "1"], age=range(40))
    look()
    patients(sex=[*range(38), "?", "?"])
    with pytest.raises(
        DataError, match=r"'sex', row 40: '\?' among .*; only the negative control 'control-demographics' reads"
    ):
        look()
    look(controls=["permuted"])
    look(tasks={"os": {"roles": {"demographics": ["age"]}}})


def test_classes_and_numbers_are_looked_at(here):
    logistic = {"cox": {"use": "logistic", "options": {"inner_folds": 3}}}
    task = {"kind": "classification", "outcome": {"label": "dx", "positive": "AD"}}
    patients(dx=["AD", "CN"] * 20)
    look(tasks={"os": task}, models=logistic, statistics={"metrics": ["auc"]})
    patients(dx=["AD", "CN", "MCI", "CN"] * 10)
    with pytest.raises(DataError, match=r"^label column 'dx' holds more than two values"):
        look(tasks={"os": task}, models=logistic, statistics={"metrics": ["auc"]})
    left_out = {**task, "exclude": {"dx": ["MCI"]}}
    look(tasks={"os": left_out}, models=logistic, statistics={"metrics": ["auc"]})


def test_predictions_made_elsewhere_have_nothing_to_look_at(here, processes):
    study = read("study.yaml").model_copy(update={"predictions": object()})
    precheck(study, {})
    assert processes == []


def test_main_of_the_check(here, monkeypatch, capsys):
    import json

    from triptych.precheck import _relevant

    (here / "q.json").write_text(json.dumps(_relevant(read("study.yaml"))))
    monkeypatch.setattr("sys.argv", ["check", "q.json"])
    assert check.main() == 0
    patients(months=[5] * 40)
    assert check.main() == 1
    assert capsys.readouterr().err == "task 'os': the outcome is constant: every 'months' is 5\n"


def test_tolerance_counts_people_of_two_cohorts_apart(here):
    """p0..p39 of two cohorts are 80 people; 3 bad rows are less than 5 % of them."""
    patients(months=["x", "y", "z", *np.random.default_rng(1).exponential(9, 37)])
    (here / "more.csv").write_text(
        (here / "patients.csv").read_text().replace(",x,", ",1,").replace(",y,", ",2,").replace(",z,", ",3,")
    )
    look(cohorts={"more": {"table": "more.csv"}}, tasks={"os": {"cohorts": ["ours", "more"]}})
    with pytest.raises(DataError, match=r"3 of 40 patients are in quarantine, more than `tolerance: patients: 0\.05`"):
        look()
