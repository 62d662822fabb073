"""Snakemake runs on the cluster of tests, in a process group of their own, and SLURM's own records of their jobs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).resolve().parents[2]
FAST = ("--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2")
FIELDS = ("JobIDRaw", "State", "Partition", "NodeList", "AllocTRES", "ReqMem", "Timelimit", "Start", "End")
TINY = """\
# A workflow of sleeping jobs, with this project's profile and executor.
import sys
from triptych.slurm import executor

executor.install(sys.modules, workflow, "tiny")

rule all:
    input: "done.txt"

"""


class Run:
    """One call of snakemake; ``programs`` is a folder that is searched for commands before any other."""

    alive: ClassVar[list] = []

    def __init__(self, folder, cluster, *words, profile="profiles/slurm", fast=True, programs=None):
        self.folder, self.cluster = Path(folder), cluster
        own = environment(cluster)
        own["PATH"] = os.pathsep.join([*([str(programs)] if programs else []), own["PATH"]])
        self.output = self.folder / "said.txt"
        command = [sys.executable, "-m", "snakemake", "--profile", profile, *(FAST if fast else ()), *map(str, words)]
        with self.output.open("a") as out:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=own,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                # a shell's background job ignores SIGINT, and hands that on
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
        self.alive.append(self)

    def wait(self, seconds=400):
        """The exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {seconds} s:\n{self.said[-3000:]}") from None

    def interrupt(self):
        """Ctrl-C: the signal goes to the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.wait()

    def kill(self):
        """kill -9 of everything that it runs on this machine; its jobs go on."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def until(self, true, seconds=240):
        """Wait for something that this run or one of its jobs does."""
        deadline = time.monotonic() + seconds
        while not (found := true()):
            assert self.process.poll() is None, f"it has ended:\n{self.said[-3000:]}"
            assert time.monotonic() < deadline, f"nothing came in {seconds} s:\n{self.said[-3000:]}"
            time.sleep(0.2)
        return found

    @property
    def said(self):
        return self.output.read_text()


def record(folder):
    """What the executor noted: all events of the folder's study."""
    files = list((Path(folder) / ".triptych" / "slurm").glob("*.jsonl"))
    return [json.loads(line) for line in files[0].read_text().splitlines()] if files else []


def submitted(folder, rule, **wildcards):
    """SLURM ids of the jobs that held a rule (with these wildcards), in the order of submission."""

    def holds(part):
        return part["rule"] == rule and wildcards.items() <= part["wildcards"].items()

    return [e["id"] for e in record(folder) if e["event"] == "submitted" and any(map(holds, e["parts"]))]


def environment(cluster=None):
    """This process' environment, without what would change a run, with the cluster."""
    drop = ("TRIPTYCH_", "SNAKEMAKE_", "PYTHONPATH", "SLURM_", "SBATCH_", "SRUN_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
    return kept | (cluster.environment if cluster else {}) | {"PYTHONPATH": str(ROOT / "src")}


def tiny(folder, rules):
    """A folder with the tiny workflow, some rules, and this project's profile."""
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    (folder / "Snakefile").write_text(TINY + rules)
    return folder


def accounted(cluster, ids):
    """SLURM's accounting of some jobs: id -> {field: value}; of a requeued job the last start."""
    text = cluster.ask("sacct", "-X", "-nP", "-o", ",".join(FIELDS), "-j", ",".join(ids))
    rows = [dict(zip(FIELDS, line.split("|"), strict=True)) for line in text.splitlines()]
    return {row["JobIDRaw"]: row for row in rows}
