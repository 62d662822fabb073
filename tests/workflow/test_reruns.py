"""What is run again after an edit: exactly what follows from it, counted by rule."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from small_study import STUDY, environment, planned, replace, snakemake

SRC = "src/triptych"
ALL = {
    "read_cohort": 2,
    "make_examples": 2,
    "split": 2,
    "audit": 2,
    "exclusion": 2,
    "fit": 10,
    "gather": 2,
    "score": 4,
    "infer": 2,
    "km_by_risk": 2,
    "calibration": 2,
    "decision": 2,
    "components": 2,
    "planning": 2,
    "ranks": 1,
    "draw": 4,
    "report": 1,
}
OF_THE_STUDY = ("ranks", "report")  # one for all tasks
BEFORE_FIT = ("read_cohort", "make_examples", "split", "audit", "exclusion", "fit")
AFTER_FIT = {rule: n for rule, n in ALL.items() if rule not in BEFORE_FIT}
AFTER_FIT_OF_ONE_TASK = {rule: n if rule in OF_THE_STUDY else n // 2 for rule, n in AFTER_FIT.items()}
AFTER_SCORES = {"infer": 2, "components": 2, "planning": 2, "ranks": 1, "draw": 2, "report": 1}
AFTER_INTERVAL = {"infer": 2, "planning": 2, "ranks": 1, "draw": 2, "report": 1}
AFTER_LEVEL = {**AFTER_INTERVAL, "exclusion": 2, "calibration": 2, "decision": 2}
NO_OP_CPU = 4.5  # 3 s on an idle machine


def test_a_first_run_plans_every_job(fresh):
    assert planned(fresh) == ALL


def test_nothing_changed_nothing_runs(run):
    done = snakemake(run, "--configfile", "study.yaml")
    print(f"CPU of a run with nothing to do: {done.cpu:.2f} s")
    assert done.rc == 0
    assert "Nothing to be done" in done.said
    assert done.cpu < NO_OP_CPU


@pytest.mark.parametrize(
    ("file", "old", "new", "jobs"),
    [
        ("scoring.py", '"""From predictions to scores', '# a comment\n"""From predictions to scores', {}),
        ("scoring.py", "From predictions to scores", "Another docstring", {}),
        ("models/cox.py", "TASKS =", "# a comment\n\nTASKS =", {}),
        # and the controls, which are made of it
        ("models/cox.py", "penalty = 0.0\n", "penalty = 1e-9\n", {"fit": 4 + 2, **AFTER_FIT}),
        (
            "models/random_survival_forest.py",
            "n_jobs=options.jobs,",
            "n_jobs=options.jobs, bootstrap=False,",
            {"fit": 2, **AFTER_FIT_OF_ONE_TASK},
        ),
        (
            "models/coxnet.py",
            "best = int(np.argmax(score))",
            "best = int(np.argmax(score[::-1]))",
            {},
        ),  # not in the study
        (
            "metrics/harrell_c.py",
            "held.risk, strata=held.fold)",
            "held.risk, strata=None)",
            {"score": 2, **AFTER_SCORES},
        ),
        ("metrics/uno_c.py", "strata=held.fold,", "strata=None,", {}),  # not in the study
        ("inference/evidence.py", "found.se > 1e-14", "found.se > 1e-13", AFTER_INTERVAL),
        ("figures/forest.py", 'TABLE = "scores"\n', 'TABLE = "scores"\nEXTRA = 1\n', {"draw": 2, "report": 1}),
        ("report/page.py", "import", "MORE = 1\nimport", {"report": 1}),
        (
            "audit/fold_without_event.py",
            'SEVERITY = "stop"',
            'SEVERITY = "warn"',
            {"audit": 2, "fit": ALL["fit"], **AFTER_FIT},
        ),
        ("cohorts/gse7390.py", "CITATION =", "EXTRA = 1\nCITATION =", {}),  # not in the study
    ],
)
def test_an_edit_of_the_library(run, file, old, new, jobs):
    path = run / SRC / file
    if old == "import":
        path.write_text(path.read_text().replace(old, new, 1))
    else:
        replace(path, old, new)
    assert planned(run) == jobs


def test_an_edit_of_a_script(run):
    for name in ("fit.py", "score.py", "read_cohort.py"):
        path = run / "scripts" / name
        path.write_text("# a comment\n" + path.read_text())
    assert planned(run) == {}
    replace(
        run / "scripts" / "score.py", "tables.write(by_person, influence)", "tables.write(by_person * 1, influence)"
    )
    assert planned(run) == {"score": 4, **AFTER_SCORES}


@pytest.mark.parametrize(
    ("old", "new", "jobs"),
    [
        ("seed: 11", "seed: 11 # a comment", {}),
        ("options: {trees: 10}", "options: {trees: 12}", {"fit": 2, **AFTER_FIT_OF_ONE_TASK}),
        (
            "label: Cox,",
            "label: A Cox model,",
            {rule: n for rule, n in AFTER_FIT.items() if rule not in ("gather", "score")},
        ),
        (
            "seed: 11",
            "seed: 12",
            {rule: n for rule, n in ALL.items() if rule not in ("read_cohort", "make_examples", "exclusion")},
        ),
        ("level: 0.95", "level: 0.9", AFTER_LEVEL),
        ("controls: [permuted, site]", "controls: [site]", AFTER_FIT_OF_ONE_TASK),  # only one task has a permuted model
        ("title: One hospital", "title: The other hospital", {"report": 1}),
        ("[harrell_c, brier]", "[harrell_c, brier, uno_c]", {"score": 2, **AFTER_SCORES}),
        ("[forest, km_by_risk]", "[forest, km_by_risk, flow]", {"draw": 2, "report": 1}),
    ],
)
def test_an_edit_of_the_study(run, old, new, jobs):
    replace(run / "study.yaml", old, new)
    assert planned(run) == jobs


def test_a_new_model_is_a_file_and_a_line(run):
    models = run / SRC / "models"
    (models / "second_cox.py").write_text((models / "cox.py").read_text())
    assert planned(run) == {}
    replace(run / "study.yaml", "\nvalidation:", "  second: {use: second_cox, label: Second}\n\nvalidation:")
    assert planned(run) == {"fit": 2 + 2, **AFTER_FIT}  # each also with outcomes permuted


def test_a_raw_file_counts_by_content(run):
    table = run / "data" / "north.csv"
    os.utime(table)
    assert planned(run) == {}
    replace(table, "p01,", "p01 ,")  # another spelling of an id
    one_task = {rule: n if rule in OF_THE_STUDY else n // 2 for rule, n in ALL.items()}
    assert planned(run) == {**one_task, "fit": 4}


def test_another_data_root_reruns_nothing(run, tmp_path):
    done = snakemake(run, "-n", "--configfile", "study.yaml", TRIPTYCH_DATA=str(tmp_path))
    assert done.rc == 0
    assert "Nothing to be done" in done.said


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(fresh):
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "study.yaml"]
    process = subprocess.Popen(
        command,
        cwd=fresh,
        env=environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    results = fresh / "results" / "small"
    deadline = time.monotonic() + 120
    while not list(results.glob("*/fits/*/*.parquet")):
        assert process.poll() is None, "the run ended before a fit was written"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*.parquet")}
    for path in before:
        pd.read_parquet(path)  # whatever has its final name is whole
    snakemake(fresh, "--unlock", "--configfile", "study.yaml")
    left = planned(fresh)
    assert not {"read_cohort", "make_examples", "split"} & set(left)
    assert left["report"] == 1
    assert left["gather"] == 2
    done = snakemake(fresh, "--configfile", "study.yaml")
    assert done.rc == 0, done.said[-3000:]
    kept = [path for path in before if "fits" not in path.parts]
    assert len(kept) == 8  # participants, examples, who was left out, and splits of two cohorts and tasks
    assert all(path.stat().st_mtime_ns == before[path] for path in kept)
    for path in results.rglob("*.parquet"):
        assert len(pd.read_parquet(path)) or path.stem == "excluded"
    assert json.loads((results / "provenance.json").read_text())["seed"] == 11
    assert planned(fresh) == {}


def test_the_study_of_these_tests_is_the_one_that_ran(finished):
    assert (finished / "study.yaml").read_text() == STUDY
