"""Plans of studies of 1,000 and 10,000 jobs, and runs with nothing to do: CPU seconds and peak memory, beside a bare workflow."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "workflow"))
from small_study import clone, environment, people, write_study  # noqa: E402

BARE = """\
rule all:
    input: expand("out/{{k}}.txt", k=range({n} - 1))

rule one:
    output: "out/{{k}}.txt"
    shell: "touch {{output}}"
"""
STUDY = """\
name: many
title: Many jobs
question: How long does a plan take?
estimand: new-patients
cohorts:
  north: {{table: data/north.csv}}
tasks:
  death:
    title: Death
    cohorts: [north]
    outcome: {{time: months, event: status, event_value: 1, unit: months}}
    inputs: {{clinical: [age, stage], markers: [m1, m2]}}
    horizon: 24
models:
{models}
validation: {{split: repeated_kfold, options: {{folds: 5, repeats: {repeats}}}}}
controls: []
statistics: {{metrics: [harrell_c], figures: [forest]}}
job: fold
"""


def study(models: int, repeats: int) -> str:
    """A study with 5 x models x repeats fits, each a job."""
    return STUDY.format(repeats=repeats, models="\n".join(f"  m{k}: {{use: cox, label: M{k}}}" for k in range(models)))


def measured(folder: Path, *words: str) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of one call of snakemake."""
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        os.execve(sys.executable, [sys.executable, "-m", "snakemake", *words], environment())
    _, status, used = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"snakemake {' '.join(words)} failed in {folder}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def finish(folder: Path) -> None:
    """Make every output as an empty file and let Snakemake note it as made: nothing is left to do, nothing was computed."""
    command = [sys.executable, "-m", "snakemake", "--configfile", "study.yaml", "--cores", "1"]
    done = subprocess.run(
        [*command, "--summary"], cwd=folder, env=environment(), capture_output=True, text=True, check=True
    )
    for line in done.stdout.splitlines()[1:]:
        path = folder / line.split("\t")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    subprocess.run([*command, "--touch"], cwd=folder, env=environment(), capture_output=True, check=True)


def cells(found: tuple[float, float]) -> str:
    return f"{found[0]:.1f} s, {found[1]:.0f} MB"


def main() -> str:
    """Print and return the markdown section."""
    rows = []
    for models, repeats in ((10, 20), (20, 100)):
        n = 5 * models * repeats
        with tempfile.TemporaryDirectory() as name:
            folder, bare = clone(Path(name) / "study"), Path(name) / "bare"
            write_study(folder, study(models, repeats), north=people(1, 60))
            bare.mkdir()
            (bare / "Snakefile").write_text(BARE.format(n=n))
            alone = measured(bare, "-n", "--cores", "2", "--quiet", "all")
            words = ("-n", "--quiet", "all", "--configfile", "study.yaml")
            plan = measured(folder, *words)
            on_slurm = measured(folder, *words, "--profile", "profiles/slurm")
            finish(folder)
            again = measured(folder, "--quiet", "all", "--configfile", "study.yaml")
            ratio = f"{plan[0] / alone[0]:.2f}"
            rows.append([f"{n:,}", cells(alone), cells(plan), ratio, cells(on_slurm), cells(again)])
    header = [
        "fits, a job each",
        "bare workflow, plan",
        "plan",
        "ratio",
        "plan with the SLURM profile",
        "nothing to do",
    ]
    text = "## Plans of many jobs\n\nCPU seconds and peak memory.\n\n" + table(header, rows) + "\n"
    print(text)
    return text


if __name__ == "__main__":
    main()
