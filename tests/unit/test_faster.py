"""What is changed in Snakemake's planner changes no plan: the same words with it and without it."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = """\
import os, sys
from snakemake.dag import DAG
from triptych import faster

if os.environ["FASTER"] == "1":
    faster.install(sys.modules)
assert ("triptych" in DAG._ready.__module__) == (os.environ["FASTER"] == "1")

rule all:
    input: "done.txt"

rule first:
    input: "raw/{k}.txt"
    output: "first/{k}.txt"
    group: "many"
    resources: mem_mb=lambda wildcards, input: int(100 + 1000 * input.size_mb)
    shell: "cp {input} {output}"

rule second:
    input: "first/{k}.txt", "raw/0.txt"
    output: "second/{k}.txt"
    group: "many"
    resources: mem_mb=lambda wildcards, input: int(100 + 1000 * input.size_mb)
    shell: "cat {input} > {output} # {resources.mem_mb}"

rule join:
    input: expand("second/{k}.txt", k=range(8))
    output: "done.txt"
    group: "last"
    shell: "cat {input} > {output}"
"""


def plan(folder, faster):
    """What a plan for SLURM says (on one machine there are no groups), its lines in the order of the alphabet: jobs have none."""
    command = [sys.executable, "-m", "snakemake", "-n", "-p", "--executor", "slurm", "--jobs", "5"]
    own = os.environ | {"FASTER": faster, "PYTHONPATH": str(ROOT / "src")}
    words = [*command, "--group-components", "many=3"]
    done = subprocess.run(words, cwd=folder, env=own, capture_output=True, text=True, check=True)
    said = re.sub(r"Workflow ID: .*|\d\d:\d\d:\d\d|jobid: \d+|reason: .*", "", done.stdout)
    return sorted(line.strip() for line in said.splitlines())


def test_a_plan_of_groups_is_the_same(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    for k in range(8):
        (raw / f"{k}.txt").write_text("x" * 1000 * k)
    (tmp_path / "Snakefile").write_text(WORKFLOW)
    slow, fast = plan(tmp_path, "0"), plan(tmp_path, "1")
    text = "\n".join(slow)
    assert text.count("rule second:") == 8
    assert len(set(re.findall(r"mem_mb=(\d+)", text))) > 4, "sizes of inputs count"
    assert fast == slow
