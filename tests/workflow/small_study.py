"""A small study in a copy of the clone: run once, copied per test, and asked with ``snakemake -n`` what it would do."""

import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["Snakefile", "workflow", "scripts", "src", "config", "profiles", "envs", "pyproject.toml"]
STUDY = """\
name: small
title: Does a marker add to age?
question: Do models that read a marker rank people better than chance?
estimand: new-patients

cohorts:
  north: {table: data/north.csv}
  south: {table: data/south.csv}

tasks:
  both:
    title: Both hospitals
    cohorts: [north, south]
    outcome: {time: months, event: status, event_value: 1, unit: months}
    inputs: {clinical: [age, stage], markers: [m1, m2]}
    horizon: 24
  south:
    title: One hospital
    cohorts: [south]
    outcome: {time: months, event: status, event_value: 1, unit: months}
    inputs: {clinical: [age, stage], markers: [m1, m2]}
    horizon: 24

models:
  chance: {use: kaplan_meier, label: Kaplan-Meier, role: "null"}
  cox: {use: cox, label: Cox, role: "null", job: fold}
  forest: {use: random_survival_forest, label: Forest, options: {trees: 10}, tasks: [south]}

validation:
  split: repeated_kfold
  options: {folds: 2, repeats: 1}

statistics:
  metrics: [harrell_c, brier]
  level: 0.95
  figures: [forest, km_by_risk]

controls: [permuted, site]
seed: 11
device: cpu
"""


class Done:
    """What a finished command said, and how many CPU seconds it and its children took."""

    def __init__(self, process: subprocess.CompletedProcess, cpu: float):
        self.rc, self.cpu = process.returncode, cpu
        self.said = process.stdout + process.stderr


def environment(**more):
    """This process' environment, without what would change the study."""
    drop = ("TRIPTYCH_", "SNAKEMAKE_", "PYTHONPATH")
    return {k: v for k, v in os.environ.items() if not k.startswith(drop)} | more


def snakemake(folder, *words, **more):
    """Run snakemake in a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment(**more), timeout=1800)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Done(done, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def planned(folder, *words):
    """Jobs by rule that a dry run would start."""
    done = snakemake(folder, "-n", *(words or ("--configfile", "study.yaml")))
    assert done.rc == 0, done.said[-3000:]
    table = done.said.partition("\ntotal ")[0]
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.M) if rule != "all"}


def replace(path, old, new):
    """Edit a file; the old text must be there once."""
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path}"
    path.write_text(text.replace(old, new))


def clone(folder):
    """What a run needs of this clone; file times and compiled code are kept."""

    def copy(source, target):
        try:
            return shutil.copy2(source, target)
        except FileNotFoundError:  # a cache that another process has just replaced
            return target

    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, copy_function=copy)
        else:
            shutil.copy2(ROOT / part, folder / part)
    return folder


def people(seed, n):
    """A cohort of ``n`` people p01, p02, ... with a marker that matters; about two thirds have the event."""
    random = np.random.default_rng(seed)
    m1 = random.normal(size=n)
    hidden = random.exponential(30 * np.exp(-1.2 * m1))
    censored = random.uniform(20, 80, n)
    return pd.DataFrame(
        {
            "participant_id": [f"p{k:02d}" for k in range(1, n + 1)],
            "site": random.choice(["h1", "h2"], n),
            "months": np.minimum(hidden, censored).round(1) + 0.1,
            "status": (hidden <= censored).astype(int),
            "age": random.normal(60, 9, n).round(1),
            "stage": random.choice(["I", "II", "III"], n),
            "m1": m1.round(4),
            "m2": random.normal(size=n).round(4),
        }
    )


def write_study(folder, study=STUDY, **tables):
    """A study file and its tables in a clone."""
    (folder / "data").mkdir(exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / "data" / f"{name}.csv", index=False)
    (folder / "study.yaml").write_text(study)
    return folder
