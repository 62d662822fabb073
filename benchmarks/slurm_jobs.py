"""Small fits on SLURM, a job each and put together by the profile: jobs, and what starting them costs, on the tests' cluster."""

import subprocess
import sys
import tempfile
from pathlib import Path

from many_jobs import ROOT, study
from measure import table

sys.path[:0] = [str(ROOT / "tests" / "slurm"), str(ROOT / "tests" / "workflow"), str(ROOT / "src")]
from cluster import Cluster, missing  # noqa: E402
from runs import FAST, environment, record  # noqa: E402
from small_study import clone, people, write_study  # noqa: E402

from triptych.slurm.usage import read_sacct  # noqa: E402

MODELS, REPEATS, FOLDS = 2, 1, 5
ALONE = ("--group-components", "fits-{task}-{model}=1")


def measured(folder: Path, cluster: Cluster, *words: str) -> tuple[int, float, float]:
    """SLURM jobs that fitted; seconds of CPU of all of them, and of the work itself (reading, fitting, writing)."""
    timings = folder / "timings.tsv"
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "results/many/death/predictions.parquet",
        "--profile",
        "profiles/slurm",
    ]
    own = environment(cluster) | {"TRIPTYCH_TIMINGS": str(timings)}
    command += [*FAST, "--configfile", "study.yaml", *words]
    done = subprocess.run(command, cwd=folder, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"snakemake failed in {folder}:\n{done.stdout[-3000:]}")
    ids = [e["id"] for e in record(folder) if e["event"] == "submitted" and any(p["rule"] == "fit" for p in e["parts"])]
    fields = "JobID,State,ElapsedRaw,TotalCPU,MaxRSS,AllocTRES,TRESUsageInMax"
    used = read_sacct(cluster.ask("sacct", "-n", "-P", "-o", fields, "-j", ",".join(ids)))
    rows = [line.split("\t") for line in timings.read_text().splitlines()]
    return len(ids), sum(job.cpu for job in used.values()), sum(float(row[2]) for row in rows if row[0] == "fit")


def main() -> str:
    """Print and return the markdown section."""
    if missing():
        return "## Small fits on SLURM\n\nNot measured: SLURM is not installed here (`make test-slurm` installs it).\n"
    fits, rows = MODELS * REPEATS * FOLDS, []
    with tempfile.TemporaryDirectory(prefix="slurm-") as name:
        cluster = Cluster(Path(name) / "c")
        try:
            cluster.up()
            for how, words in (("a job each", ALONE), ("put together by the profile", ())):
                folder = clone(Path(name) / ("alone" if words else "together"))
                write_study(folder, study(MODELS, REPEATS), north=people(1, 60))
                jobs, cpu, work = measured(folder, cluster, *words)
                of_300 = 300 if words else 300 // 50
                rows.append([how, str(jobs), f"{cpu / fits:.1f} s", f"{(cpu - work) / fits:.1f} s", str(of_300)])
        finally:
            cluster.down()
    header = [
        "fits",
        "SLURM jobs",
        "CPU per fit",
        "of which not the fit itself",
        "jobs of 6 models x 10 repeats x 5 folds",
    ]
    text = (
        f"## Small fits on SLURM\n\n{fits} fits of a fraction of a second ({MODELS} models x {FOLDS} folds) on the cluster of"
        " the tests.\n\n" + table(header, rows) + "\n"
    )
    print(text)
    return text


if __name__ == "__main__":
    main()
