"""The examples of docs/add-a-plugin.md, run as they stand: each file is written into a copy of the clone and used by a study."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
STUDY = """
name: documented
title: Examples of the documentation
question: Do the documented plug-ins work?
estimand: new-patients
cohorts: {veteran: }
tasks:
  death:
    title: Death
    cohorts: [veteran]
    outcome: {time: days, event: status, event_value: dead}
    inputs: {clinical: [treatment, age, karnofsky]}
models:
  kaplan-meier: {use: kaplan_meier, role: "null"}
  similar: {use: similar_patients, label: Similar patients, options: {k: 10}}
validation: {split: repeated_kfold, options: {folds: 2, repeats: 1}}
statistics: {metrics: [harrell_c, somers_d], figures: [risk_set]}
controls: []
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clone")
    for name in (
        "Snakefile",
        "workflow",
        "scripts",
        "src",
        "config",
        "profiles",
        "envs",
        "pyproject.toml",
        "tests/unit",
    ):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
    text = (ROOT / "docs" / "add-a-plugin.md").read_text()
    examples = re.findall(r"```python\n# (src/triptych/\S+\.py)\n(.*?)```", text, re.S)
    assert len(examples) == 4
    for path, code in examples:
        assert not (folder / path).exists(), f"{path} is there already; the documentation must add a new file"
        (folder / path).write_text(code)
    (folder / "study.yaml").write_text(STUDY)
    return folder


def test_the_documented_plugins_make_a_report(clone):
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "study.yaml"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    out = clone / "results" / "documented"
    assert "Similar patients" in (out / "report.html").read_text()
    assert (out / "death" / "figures" / "risk_set.svg").stat().st_size > 1000
    scores = pd.read_csv(out / "death" / "tables" / "scores.tsv", sep="\t").set_index(["model", "metric"])
    c = scores.loc[("Similar patients", "harrell_c")]
    assert c["n_units"] == 137
    assert 0.6 < c["value"] < 0.8  # Karnofsky's score is known to predict survival here
    d = scores.loc[("Similar patients", "somers_d")]
    assert d["value"] == pytest.approx(2 * c["value"] - 1)
    assert d["high"] - d["low"] == pytest.approx(2 * (c["high"] - c["low"]), rel=0.2)


@pytest.mark.parametrize(
    "words",
    [
        ["models/test_models_contract.py", "-k", "similar_patients"],
        ["metrics/test_metrics_contract.py", "-k", "somers_d"],
    ],
)
def test_a_plug_in_is_tested_from_the_moment_it_exists(clone, words):
    """The contract tests of the clone find the new file; no line was added to them."""
    path, *which = words
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"tests/unit/{path}", *which]
    environment = {**os.environ, "PYTHONPATH": str(clone / "src")}
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 8


def test_the_study_of_the_readme_can_be_planned(clone):
    study = re.search(r"```yaml\n(name: mylab\n.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    (clone / "readme.yaml").write_text(study)
    (clone / "data").mkdir()
    rows = [f"p{i},{i % 37 + 1},{i % 3 % 2},{40 + i % 31},{'I' * (i % 3 + 1)},{i % 7},{i % 11}" for i in range(60)]
    header = "participant_id,months,died,age,stage,ENSG01,ENSG02"
    (clone / "data" / "mylab.csv").write_text("\n".join([header, *rows]) + "\n")
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "--configfile", "readme.yaml"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "fit" in done.stdout + done.stderr
