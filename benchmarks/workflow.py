"""The default study from nothing: wall time, and how much of the work is interpreter start-up and scheduling."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("Snakefile", "workflow", "scripts", "src", "config", "profiles", "envs")


def main() -> str:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder)
        for name in PARTS:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, clone / name)
        plan = cpu(clone, "-n")[1]
        wall, total = cpu(clone)
        again = cpu(clone)[1]
        jobs = [line.split("\t") for line in (clone / "timings.tsv").read_text().splitlines()]
    useful = sum(float(inside) for _, _, inside in jobs) - imports(sum(name == "fit" for name, _, _ in jobs))
    rows = [
        ("jobs", f"{len(jobs)}"),
        ("wall time, 2 cores", f"{wall:.0f} s"),
        ("CPU of all processes", f"{total:.0f} s"),
        ("CPU of the work itself (fits, scores, figures, page)", f"{useful:.0f} s"),
        ("CPU of start-up, imports and scheduling", f"{total - useful:.0f} s, {1 - useful / total:.0%} of all"),
        ("CPU of a plan (`snakemake -n`) in a fresh clone", f"{plan:.1f} s"),
        ("CPU of a second run with nothing to do", f"{again:.1f} s"),
    ]
    lines = [
        "## The default study, from nothing",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    return text


def cpu(clone: Path, *flags: str) -> tuple[float, float]:
    """Wall and CPU seconds (with all children) of one snakemake run."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *flags]
    environment = {**os.environ, "TRIPTYCH_TIMINGS": str(clone / "timings.tsv")}
    subprocess.run(command, cwd=clone, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def imports(fits: int) -> float:
    """CPU seconds that the fits of the default study spend on importing their model, which is no work either."""
    models = ("kaplan_meier", "cox", "cox", "coxnet", "random_survival_forest", "deepsurv")
    code = "import time; t = time.process_time(); import triptych.models.{}; print(time.process_time() - t)"
    seconds = [float(subprocess.check_output([sys.executable, "-c", code.format(name)], text=True)) for name in models]
    return sum(seconds) * fits / len(models)


if __name__ == "__main__":
    main()
