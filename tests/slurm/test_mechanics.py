"""What happens to jobs that are cancelled, too big, too long, broken or interrupted: sleeping jobs under this project's profile.

All scenarios run side by side, each in a folder of its own; the tests look at what SLURM and the files say afterwards.
"""

import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from runs import ROOT, Run, accounted, environment, record, submitted, tiny

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
    shell: "sleep 300; echo ok > {output}"

rule join:
    input: expand("parts/{k}.txt", k=range(3))
    output: "done.txt"
    shell: "cat {input} > {output}"
"""
WIDE = "\n\nrule both:\n    input: expand('{k}.txt', k=range(6))\n    output: 'done.txt'\n    shell: 'cat {input} > {output}'\n"
GROUP = "rule one:\n    output: '{k}.txt'\n    group: 'heavy'\n    shell: 'echo ok > {output}'\n" + WIDE


# ---- scenarios -------------------------------------------------------------------------------------


def cancelled(folder, cluster, *words, fast=True):
    """A person cancels a job; its second attempt is quick."""
    run = Run(tiny(folder, ONE.format(body="test -f again || (touch again; sleep 300)")), cluster, *words, fast=fast)
    job = run.running("job")
    if not fast:
        time.sleep(45)  # until polls have become rare
    cluster.ask("scancel", job)
    at = time.time()
    return SimpleNamespace(rc=run.wait(), job=job, at=at, run=run, folder=folder)


def cancelled_sacct(folder, cluster):
    return cancelled(folder, cluster, "--slurm-status-command", "sacct")


def cancelled_slow(folder, cluster):
    return cancelled(folder, cluster, fast=False)


def over_memory(folder, cluster):
    run = Run(tiny(folder, ONE.format(body=BIG)), cluster, "--set-resources", "job:mem_mb=350 * attempt")
    return SimpleNamespace(rc=run.wait(), run=run, folder=folder)


def over_time(folder, cluster):
    run = Run(tiny(folder, ONE.format(body="sleep 95")), cluster, "--set-resources", "job:runtime=attempt")
    return SimpleNamespace(rc=run.wait(600), run=run, folder=folder)


def fails(folder, cluster):
    run = Run(tiny(folder, BRANCHES), cluster, "--retries", "1")
    return SimpleNamespace(rc=run.wait(), run=run, folder=folder)


def interrupted(folder, cluster):
    """Ctrl-C while three jobs run."""
    run = Run(tiny(folder, FAN), cluster)
    run.running("sleep")
    while len(submitted(folder, "sleep")) < 3:
        time.sleep(0.2)
    os.killpg(run.process.pid, signal.SIGINT)
    return SimpleNamespace(rc=run.wait(), run=run, folder=folder, ids=submitted(folder, "sleep"))


def killed(folder, cluster):
    """kill -9, then the same command again while the jobs of the first one run, and once more when they are gone."""
    first = Run(tiny(folder, ONE.format(body="test -f again || (touch again; sleep 300)")), cluster)
    job = first.running("job")
    os.killpg(first.process.pid, signal.SIGKILL)
    first.process.wait()
    unlock = [sys.executable, "-m", "snakemake", "--unlock", "--cores", "1"]
    subprocess.run(unlock, cwd=folder, env=environment(cluster), check=True, capture_output=True)
    second = Run(folder, cluster)
    refused = second.wait()
    said = second.said
    cluster.ask("scancel", job)
    while job in cluster.ask("squeue", "-ho", "%i").split():
        time.sleep(0.2)
    third = Run(folder, cluster)
    return SimpleNamespace(refused=refused, said=said, job=job, rc=third.wait(), folder=folder)


def refused_group(folder, cluster):
    words = ("--retries", "0", "--group-components", "heavy=6", "--set-resources", "one:mem_mb=9000")
    run = Run(tiny(folder, GROUP), cluster, *words)
    return SimpleNamespace(rc=run.wait(), run=run)


def impossible(folder, cluster):
    """A job that waits for ever, asked about, then interrupted."""
    run = Run(tiny(folder, ONE.format(body="true")), cluster, "--set-resources", "job:runtime=3000")
    while not submitted(folder, "job"):
        time.sleep(0.2)
    said = subprocess.run([sys.executable, "-m", "triptych.slurm", "status"], cwd=folder, env=environment(cluster),
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    os.killpg(run.process.pid, signal.SIGINT)
    run.wait()
    return SimpleNamespace(said=said.stdout + said.stderr, rc=said.returncode, job=submitted(folder, "job")[0])


SCENARIOS = (
    over_time,
    cancelled_slow,
    over_memory,
    killed,
    cancelled,
    cancelled_sacct,
    fails,
    interrupted,
    refused_group,
    impossible,
)


@pytest.fixture(scope="module")
def scenario(cluster, side_by_side, tmp_path_factory):
    """Ask for the outcome of a scenario by its function."""
    base = tmp_path_factory.mktemp("mechanics")
    started = {one: side_by_side.submit(one, base / one.__name__, cluster) for one in SCENARIOS}
    return lambda one: started[one].result()


# ---- what must hold --------------------------------------------------------------------------------


def states(cluster, ids):
    return [row["State"].split()[0] for row in accounted(cluster, ids).values()]


@pytest.mark.parametrize("how", [cancelled, cancelled_sacct, cancelled_slow], ids=lambda f: f.__name__)
def test_a_cancelled_job_is_seen_within_a_minute_and_tried_again(scenario, cluster, how):
    """sacct says `CANCELLED by uid`, which the plugin takes for running; and its polls become rarer and rarer."""
    done = scenario(how)
    assert done.rc == 0, done.run.said[-3000:]
    seen = next(e for e in record(done.folder) if e["event"] == "failed")
    assert seen["id"] == done.job
    assert 0 <= seen["at"] - done.at < 60
    assert states(cluster, submitted(done.folder, "job")) == ["CANCELLED", "COMPLETED"]
    assert (done.folder / "done.txt").read_text() == "ok\n"


def test_a_job_over_its_memory_gets_more(scenario, cluster):
    done = scenario(over_memory)
    assert done.rc == 0, done.run.said[-3000:]
    jobs = accounted(cluster, submitted(done.folder, "job"))
    asked = [row["ReqMem"] for row in jobs.values()]
    assert asked[:2] == ["350M", "700M"]
    assert [row["State"] for row in jobs.values()][-1] == "COMPLETED"
    assert all(row["State"] in ("FAILED", "OUT_OF_MEMORY") for row in list(jobs.values())[:-1])


def test_a_job_over_its_time_gets_more(scenario, cluster):
    done = scenario(over_time)
    assert done.rc == 0, done.run.said[-3000:]
    jobs = list(accounted(cluster, submitted(done.folder, "job")).values())
    assert [(row["State"], row["Timelimit"]) for row in jobs] == [("TIMEOUT", "00:01:00"), ("COMPLETED", "00:02:00")]


def test_a_job_that_fails_for_good_says_where_and_why_and_stops_nothing_else(scenario, cluster):
    done = scenario(fails)
    assert done.rc != 0
    ids = submitted(done.folder, "fails")
    assert states(cluster, ids) == ["FAILED", "FAILED"]
    assert (done.folder / "parts" / "b.good.txt").read_text() == "ok\n"
    said = done.run.said
    for word in (
        f"SLURM job {ids[1]}, attempt 2 of 2",
        "fails k=a",
        "logs/fails/a.log",
        "it is not tried again",
        "the option is wrong",
    ):
        assert word in said
    plan = subprocess.run([sys.executable, "-m", "snakemake", "-n", "--cores", "1"], cwd=done.folder, env=environment(cluster),
                          capture_output=True, text=True)  # fmt: skip
    assert "works" not in plan.stdout.partition("total")[0].rpartition("Job stats")[2]
    assert "join" in plan.stdout


def test_ctrl_c_cancels_the_jobs(scenario, cluster):
    done = scenario(interrupted)
    assert done.rc != 0
    assert states(cluster, done.ids) == ["CANCELLED"] * 3
    assert not list((done.folder / "parts").glob("*.txt"))
    assert not list((done.folder / ".snakemake" / "locks").glob("*"))


def test_jobs_of_a_killed_run_are_not_doubled(scenario, cluster):
    done = scenario(killed)
    assert done.refused != 0
    assert f"scancel {done.job}" in done.said
    assert "two jobs would write one file" in done.said
    assert done.rc == 0
    assert len(submitted(done.folder, "job")) == 2


def test_a_refused_group_says_why(scenario):
    done = scenario(refused_group)
    assert done.rc != 0
    assert "SLURM job (refused)" in done.run.said
    assert "one k=0 (log: " in done.run.said
    assert "Memory specification can not be satisfied" in done.run.said


def test_a_request_that_can_never_be_met_is_shown(scenario):
    done = scenario(impossible)
    assert done.rc == 0
    assert f"{done.job}" in done.said
    assert "PartitionTimeLimit: asks for more time than the partition allows, it will never start" in done.said


def test_job_arrays_are_refused(cluster, tmp_path):
    run = Run(tiny(tmp_path / "tiny", FAN), cluster, "--slurm-array-jobs", "all")
    assert run.wait() != 0
    assert "job arrays mix up their tasks" in run.said
    assert not submitted(run.folder, "sleep")


def test_a_node_that_goes_down_is_survived(scenario, cluster, tmp_path):
    for one in SCENARIOS:
        scenario(one)  # no other job may be on that node
    body = "echo $SLURMD_NODENAME >> nodes.txt; test $(wc -l < nodes.txt) -gt 1 || sleep 300"
    run = Run(tiny(tmp_path / "tiny", ONE.format(body=body)), cluster)
    job = run.running("job")
    nodes = tmp_path / "tiny" / "nodes.txt"
    while not nodes.exists():
        time.sleep(0.2)
    node = nodes.read_text().strip()
    cluster.kill_node(node)
    try:
        assert run.wait() == 0, run.said[-3000:]
        first, second = nodes.read_text().split()
        assert first == node
        assert "COMPLETED" in states(cluster, submitted(run.folder, "job"))
        history = cluster.ask("sacct", "-X", "-nP", "--duplicates", "-o", "State,NodeList", "-j", job)
        assert f"NODE_FAIL|{node}" in history, (history, second)
    finally:
        cluster.start_node(node)
        cluster.wait_for_nodes()


def test_polls_never_become_rare(cluster, tmp_path, monkeypatch):
    """The plugin adds ten seconds after each poll in which nothing ended, up to three minutes."""
    program = f"""
import asyncio, json, sys, types
sys.path.insert(0, {str(ROOT / "src")!r})
import snakemake_executor_plugin_slurm as plugin
from triptych.slurm import executor
executor._patch(plugin, "polls")
one = object.__new__(plugin.Executor)
settings = plugin.ExecutorSettings(status_command="squeue", init_seconds_before_status_checks=10)
remote = types.SimpleNamespace(seconds_between_status_checks=10)
one.workflow = types.SimpleNamespace(executor_settings=settings, remote_execution_settings=remote)
one.logger = types.SimpleNamespace(debug=print, info=print, warning=print)
one.run_uuid, one._next_seconds_between_status_checks = {"polls"!r}, None
one._status_query_calls = one._status_query_failures = 0
one._status_query_total_seconds = one._status_query_max_seconds = 0.0
one._status_query_min_seconds, one._status_query_cycle_rows, one._preemption_warning = None, [], False
from contextlib import AsyncExitStack
one.status_rate_limiter = AsyncExitStack()
job = types.SimpleNamespace(external_jobid=sys.argv[1], aux={{}}, job=None)
async def poll():
    return [j async for j in one.check_active_jobs([job])]
waits = []
for _ in range(6):
    assert asyncio.run(poll()) == [job]
    waits.append(one.next_seconds_between_status_checks)
print(json.dumps(waits))
"""
    job = cluster.ask("sbatch", "--parsable", "-J", "polls", "-o", "/dev/null", "--wrap", "sleep 60")
    done = subprocess.run(
        [sys.executable, "-c", program, job], capture_output=True, text=True, env=environment(cluster)
    )
    cluster.ask("scancel", job)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [20, 30, 30, 30, 30, 30]
