"""Run every benchmark and write docs/benchmarks.md: `python benchmarks/run.py`."""

import importlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

MODULES = ["concordance", "cox_loss", "inference", "likeness", "workflow", "many_jobs", "slurm_jobs"]
PACKAGES = ["numpy", "numba", "torch", "lifelines", "scikit-survival", "torchsurv", "MLstatkit", "confidenceinterval"]
OUTPUT = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def _versions() -> str:
    parts = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            parts.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            parts.append(f"{name} missing")
    return ", ".join(parts)


def main() -> None:
    sections = [importlib.import_module(name).main() for name in MODULES]
    head = (
        "# Benchmarks\n\nWritten by `python benchmarks/run.py`; every ratio compares medians of one run on one machine."
        f"\n\nCPU: {_cpu()}, {os.cpu_count()} cores. {_versions()}.\n"
    )
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(head + "\n" + "\n".join(sections))


if __name__ == "__main__":
    main()
