"""`make` says in one line what is wrong, on a machine where the environment cannot be made. Real make, pip and sockets."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path):
    (tmp_path / "envs").mkdir()
    files = ["Makefile", "pyproject.toml", "README.md", "LICENSE"]
    for name in (*files, "envs/install.sh", "envs/lock.txt", "envs/triptych_start.py"):
        shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path


def make(clone, **environment):
    done = subprocess.run(
        ["make", "demo", *(f"{k}={v}" for k, v in environment.items() if k == "PYTHON")],
        cwd=clone,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if line.startswith("triptych:")]
    assert len(said) == 1, done.stderr
    return said[0]


def test_no_python(clone):
    assert "no python-that-is-not-there found; install Python 3.11" in make(clone, PYTHON="python-that-is-not-there")


def test_python_too_old(clone):
    old = clone / "python3.9"
    old.write_text('#!/bin/sh\ncase "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac\n')
    old.chmod(0o755)
    assert "Python 3.9.2 is too old; Triptych needs 3.11 or newer" in make(clone, PYTHON=str(old))


def test_disk_too_small(clone):
    said = make(clone, PYTHON=sys.executable, TRIPTYCH_DISK_GB="100000000")
    assert "GB free here, 100000000 GB are needed" in said


def test_index_cannot_be_reached(clone):
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_EXTRA_INDEX_URL": "", "PIP_CONFIG_FILE": os.devnull}
    said = make(clone, PYTHON=sys.executable, TRIPTYCH_DISK_GB="0", PIP_FIND_LINKS="", PIP_RETRIES="0", **nowhere)
    assert "the package index cannot be reached" in said
    assert (clone / ".venv-install.log").exists()
    assert not (clone / ".venv" / ".ok").exists()
