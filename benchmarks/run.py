"""Run benchmarks and write docs/benchmarks.md: `python benchmarks/run.py`, or `... run.py likeness` for the sections of some."""

import importlib
import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

MODULES = [
    "concordance",
    "cox_loss",
    "inference",
    "likeness",
    "mri_preprocessing",
    "mri_training",
    "mri_gpu",
    "mri_truth",
    "workflow",
    "many_jobs",
    "slurm_jobs",
]
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


def sections(text: str) -> dict[str, str]:
    """Heading: section, of a page or of what a module returns."""
    return {part.splitlines()[0]: part.rstrip() for part in re.split(r"^## ", text, flags=re.M)[1:]}


def main(names: list[str]) -> None:
    """Sections of other modules stay as they are, as does that of GPUs on a machine that has none."""
    found = sections(OUTPUT.read_text()) if OUTPUT.exists() else {}
    where = f"Measured on: {_cpu()}, {os.cpu_count()} cores."
    for name in names or MODULES:
        made = sections(importlib.import_module(name).main())
        found |= {heading: f"{section}\n\n{where}" for heading, section in made.items()}
    head = (
        "# Benchmarks\n\nWritten by `python benchmarks/run.py`; every ratio compares medians of one run on one machine."
        f"\n\n{_versions()}.\n\n"
    )
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(head + "\n\n".join(f"## {section}" for section in found.values()) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
