"""Where the numbers come from: versions, seeds, state of the code, command, raw files."""

import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "triptych",
    "snakemake",
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "scikit-survival",
    "torch",
    "numba",
    "matplotlib",
)


def collect(clone: Path, *, command: str, seed: int, data_root: str | None) -> dict[str, Any]:
    """Facts about this run; they change from run to run, so no rule takes them as input."""
    return {
        "command": command,
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seed": seed,
        "data_root": data_root or "not given",
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "versions": {name: _version(name) for name in PACKAGES},
        "git": _git(clone),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _git(clone: Path) -> dict[str, Any]:
    def ask(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(clone), *words], capture_output=True, text=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit, top = ask("rev-parse", "HEAD"), ask("rev-parse", "--show-toplevel")
    if (
        commit is None or top is None or Path(top).resolve() != clone.resolve()
    ):  # else the clone lies in another project
        return {"commit": "not a git clone", "dirty": None, "branch": None}
    return {
        "commit": commit,
        "dirty": bool(ask("status", "--porcelain")),
        "branch": ask("rev-parse", "--abbrev-ref", "HEAD"),
    }
