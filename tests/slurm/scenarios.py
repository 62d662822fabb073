"""What happens to jobs on a cluster: sleeping jobs under this project's profile, each scenario in a folder of its own."""

import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

from runs import Run, environment, record, submitted, tiny

ONE = """\
rule job:
    output: "done.txt"
    log: "logs/job.log"
    shell: "({body}) > {{log}} 2>&1 && echo ok > {{output}}"
"""
BIG = "python3 -c 'import time; x = bytearray(450_000_000); time.sleep(8)'"
BRANCHES = """\
rule fails:
    output: "parts/{k}.bad.txt"
    log: "logs/fails/{k}.log"
    shell: "echo the option is wrong > {log}; exit 1"

rule works:
    output: "parts/{k}.good.txt"
    log: "logs/works/{k}.log"
    shell: "sleep 3; echo ok > {output} 2> {log}"

rule join:
    input: "parts/a.bad.txt", "parts/b.good.txt"
    output: "done.txt"
    shell: "cat {input} > {output}"
"""
FAN = """\
rule sleep:
    output: "parts/{k}.txt"
    shell: "test {wildcards.k} = 0 || sleep 300; echo ok > {output}"

rule join:
    input: expand("parts/{k}.txt", k=range(3))
    output: "done.txt"
    shell: "cat {input} > {output}"
"""
WIDE = "\n\nrule both:\n    input: expand('{k}.txt', k=range(6))\n    output: 'done.txt'\n    shell: 'cat {input} > {output}'\n"
GROUP = "rule one:\n    output: '{k}.txt'\n    group: 'heavy'\n    shell: 'echo ok > {output}'\n" + WIDE


def slow_once(folder):
    """A workflow of one job, whose second attempt is quick."""
    return tiny(folder, ONE.format(body="test -f again || (touch again; sleep 300)"))


def in_its_shell(run):
    """SLURM id of the job of ``slow_once``, once it sleeps."""
    run.until(lambda: (run.folder / "again").exists())
    return submitted(run.folder, "job")[0]


def cancelled(folder, cluster, *words, fast=True):
    """A person cancels a job."""
    run = Run(slow_once(folder), cluster, *words, fast=fast)
    job = in_its_shell(run)
    if not fast:
        time.sleep(45)  # until polls have become rare
    cluster.ask("scancel", job)
    at = time.time()
    return SimpleNamespace(rc=run.wait(), job=job, at=at, run=run, folder=folder)


def cancelled_sacct(folder, cluster):
    return cancelled(folder, cluster, "--slurm-status-command", "sacct")


def cancelled_slow(folder, cluster):
    return cancelled(folder, cluster, fast=False)


def cancelled_forgotten(folder, forgetful):
    return cancelled(folder, forgetful)


def over_memory(folder, cluster):
    run = Run(tiny(folder, ONE.format(body=BIG)), cluster, "--set-resources", "job:mem_mb=350 * attempt")
    return SimpleNamespace(rc=run.wait(), run=run, folder=folder)


def over_time(folder, cluster):
    run = Run(
        tiny(folder, ONE.format(body="echo conf=$SLURM_CONF; squeue -ho %i; sleep 65")),
        cluster,
        "--set-resources",
        "job:runtime=2 * attempt - 1",
    )
    return SimpleNamespace(rc=run.wait(600), run=run, folder=folder)


def fails(folder, cluster):
    run = Run(tiny(folder, BRANCHES), cluster, "--retries", "1")
    return SimpleNamespace(rc=run.wait(), run=run, folder=folder)


def interrupted(folder, cluster):
    """Ctrl-C when one job is done and two run, while the plugin asks for their states: it then has no list of them."""
    programs = tiny(folder, FAN) / "programs"
    programs.mkdir()
    squeue = programs / "squeue"
    squeue.write_text(
        f'#!/bin/sh\ntrap "" INT\ntouch {programs}/asked\nsleep 3\nrm {programs}/asked\nexec {shutil.which("squeue")} "$@"\n'
    )
    squeue.chmod(0o755)
    run = Run(folder, cluster, programs=programs)
    run.until(lambda: [e["event"] for e in record(folder)].count("done") == 1)
    run.until((programs / "asked").exists)
    return SimpleNamespace(rc=run.interrupt(), run=run, folder=folder, ids=submitted(folder, "sleep"))


def killed(folder, cluster):
    """kill -9, then the same command again while the jobs of the first one run, and once more when they are gone."""
    first = Run(slow_once(folder), cluster)
    job = in_its_shell(first)
    first.kill()
    unlock = [sys.executable, "-m", "snakemake", "--unlock", "--cores", "1"]
    subprocess.run(unlock, cwd=folder, env=environment(cluster), check=True, capture_output=True)
    second = Run(folder, cluster)
    refused = second.wait()
    said = second.said
    cluster.ask("scancel", job)
    cluster.until_gone(job)
    third = Run(folder, cluster)
    return SimpleNamespace(refused=refused, said=said, job=job, rc=third.wait(), folder=folder)


def refused_group(folder, cluster):
    words = ("--retries", "0", "--group-components", "heavy=6", "--set-resources", "one:mem_mb=33000")
    run = Run(tiny(folder, GROUP), cluster, *words)
    return SimpleNamespace(rc=run.wait(), run=run)


def wrong_account(folder, cluster):
    site = ("slurm_account=nobodys", "slurm_partition=cpu", "mem_mb=100", "runtime=1")
    words = ("--retries", "0", "--group-components", "heavy=6", "--default-resources", *site)
    run = Run(tiny(folder, GROUP), cluster, *words)
    return SimpleNamespace(rc=run.wait(), run=run, folder=folder)


def impossible(folder, cluster):
    """A job that waits for ever, asked about, then interrupted."""
    run = Run(tiny(folder, ONE.format(body="true")), cluster, "--set-resources", "job:runtime=3000")
    run.until(lambda: submitted(folder, "job"))
    said = subprocess.run([sys.executable, "-m", "triptych.slurm", "status"], cwd=folder, env=environment(cluster),
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    run.interrupt()
    return SimpleNamespace(said=said.stdout + said.stderr, rc=said.returncode, job=submitted(folder, "job")[0])


def silent(folder, forgetful):
    """The daemons that answer are down for some time, in which the job ends."""
    run = Run(tiny(folder, ONE.format(body="touch begun; sleep 15")), forgetful)
    run.until((folder / "begun").exists)
    forgetful.stop_daemons()
    try:
        run.until(lambda: "SLURM does not answer" in run.said)
    finally:
        forgetful.up()
    return SimpleNamespace(rc=run.wait(), run=run, folder=folder)


def node_down(folder, forgetful):
    """A node is gone in the middle of a job; states come from squeue, since polls are so frequent."""
    body = "echo $SLURMD_NODENAME >> nodes.txt; test $(wc -l < nodes.txt) -gt 1 || sleep 300"
    run = Run(tiny(folder, ONE.format(body=body)), forgetful, "--slurm-init-seconds-before-status-checks", "1")
    nodes = folder / "nodes.txt"
    node = run.until(lambda: nodes.exists() and nodes.read_text().strip())
    forgetful.kill_node(node)
    try:
        return SimpleNamespace(rc=run.wait(), run=run, folder=folder, node=node, nodes=nodes.read_text().split())
    finally:
        forgetful.start_node(node)
        forgetful.wait_for_nodes()


MECHANICS = (
    over_time,
    cancelled_slow,
    over_memory,
    killed,
    cancelled,
    cancelled_sacct,
    fails,
    interrupted,
    refused_group,
    wrong_account,
    impossible,
)
FAULTS = (cancelled_forgotten, silent, node_down)
