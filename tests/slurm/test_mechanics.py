"""What happens to jobs that are cancelled, too big, too long, broken or interrupted: sleeping jobs under this project's profile.

All scenarios run side by side, each in a folder of its own; the tests look at what SLURM and the files say afterwards.
"""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from runs import ROOT, Run, accounted, environment, record, submitted, tiny

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
import small_study

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


# ---- scenarios -------------------------------------------------------------------------------------


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


def over_memory(folder, cluster):
    run = Run(tiny(folder, ONE.format(body=BIG)), cluster, "--set-resources", "job:mem_mb=350 * attempt")
    return SimpleNamespace(rc=run.wait(), run=run, folder=folder)


def over_time(folder, cluster):
    run = Run(tiny(folder, ONE.format(body="sleep 65")), cluster, "--set-resources", "job:runtime=2 * attempt - 1")
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
        f'#!/bin/sh\ntouch {programs}/asked; sleep 3; rm {programs}/asked; exec {shutil.which("squeue")} "$@"\n'
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
    words = ("--retries", "0", "--group-components", "heavy=6", "--set-resources", "one:mem_mb=9000")
    run = Run(tiny(folder, GROUP), cluster, *words)
    return SimpleNamespace(rc=run.wait(), run=run)


def wrong_account(folder, cluster):
    site = ("slurm_account=nobodys", "slurm_partition=cpu", "mem_mb=100", "runtime=1")
    run = Run(tiny(folder, GROUP), cluster, "--retries", "0", "--default-resources", *site)
    return SimpleNamespace(rc=run.wait(), run=run, folder=folder)


def impossible(folder, cluster):
    """A job that waits for ever, asked about, then interrupted."""
    run = Run(tiny(folder, ONE.format(body="true")), cluster, "--set-resources", "job:runtime=3000")
    run.until(lambda: submitted(folder, "job"))
    said = subprocess.run([sys.executable, "-m", "triptych.slurm", "status"], cwd=folder, env=environment(cluster),
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    run.interrupt()
    return SimpleNamespace(said=said.stdout + said.stderr, rc=said.returncode, job=submitted(folder, "job")[0])


def faults(folder, forgetful):
    """A cluster that forgets jobs early, so that the plugin asks sacct; then one whose daemons are down for some time."""
    forgotten = cancelled(folder / "forgotten", forgetful)
    run = Run(tiny(folder / "silent", ONE.format(body="touch begun; sleep 15")), forgetful)
    run.until((run.folder / "begun").exists)
    job = submitted(run.folder, "job")[0]
    forgetful.stop_daemons()
    try:
        run.until(lambda: "SLURM does not answer" in run.said)
    finally:
        forgetful.up()
    return SimpleNamespace(
        forgotten=forgotten, silent=SimpleNamespace(rc=run.wait(), run=run, job=job, folder=run.folder)
    )


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
    wrong_account,
    impossible,
)


@pytest.fixture(scope="module")
def scenario(cluster, forgetful, side_by_side, tmp_path_factory):
    """Ask for the outcome of a scenario by its function."""
    base = tmp_path_factory.mktemp("mechanics")
    started = {one: side_by_side.submit(one, base / one.__name__, cluster) for one in SCENARIOS}
    started[faults] = side_by_side.submit(faults, base / "faults", forgetful)
    return lambda one: started[one].result()


# ---- what must hold --------------------------------------------------------------------------------


def planned(folder):
    """Jobs by rule that are left to do."""
    return small_study.planned(folder, "--rerun-incomplete")


def states(cluster, ids):
    return [row["State"].split()[0] for row in accounted(cluster, ids).values()]


def seen_and_tried_again(done, cluster):
    """A cancelled job: within a minute, with a result in the end and nothing left to do."""
    assert done.rc == 0, done.run.said[-3000:]
    seen = next(e for e in record(done.folder) if e["event"] == "failed")
    assert seen["id"] == done.job
    assert 0 <= seen["at"] - done.at < 60
    assert states(cluster, submitted(done.folder, "job")) == ["CANCELLED", "COMPLETED"]
    assert (done.folder / "done.txt").read_text() == "ok\n"
    assert planned(done.folder) == {}


@pytest.mark.parametrize("how", [cancelled, cancelled_sacct, cancelled_slow], ids=lambda f: f.__name__)
def test_a_cancelled_job_is_seen_within_a_minute_and_tried_again(scenario, cluster, how):
    """sacct says `CANCELLED by uid`, which the plugin takes for running; and its polls become rarer and rarer."""
    seen_and_tried_again(scenario(how), cluster)


def test_where_squeue_forgets_jobs_early_the_plugin_asks_sacct_and_that_is_safe_too(scenario, forgetful):
    done = scenario(faults).forgotten
    assert "Falling back to 'sacct'" in done.run.said
    seen_and_tried_again(done, forgetful)


def test_slurm_may_be_silent_for_some_time(scenario, forgetful):
    """The plugin would forget its jobs when a query fails, and wait for ever."""
    done = scenario(faults).silent
    assert done.rc == 0, done.run.said[-3000:]
    assert submitted(done.folder, "job") == [done.job]
    assert states(forgetful, [done.job]) == ["COMPLETED"]


def test_a_job_over_its_memory_gets_more(scenario, cluster):
    done = scenario(over_memory)
    assert done.rc == 0, done.run.said[-3000:]
    jobs = accounted(cluster, submitted(done.folder, "job"))
    asked = [row["ReqMem"] for row in jobs.values()]
    assert asked[:2] == ["350M", "700M"]
    assert [row["State"] for row in jobs.values()][-1] == "COMPLETED"
    assert all(row["State"] in ("FAILED", "OUT_OF_MEMORY") for row in list(jobs.values())[:-1])
    assert planned(done.folder) == {}


def test_a_job_over_its_time_gets_more(scenario, cluster):
    done = scenario(over_time)
    assert done.rc == 0, done.run.said[-3000:]
    jobs = list(accounted(cluster, submitted(done.folder, "job")).values())
    assert [(row["State"], row["Timelimit"]) for row in jobs] == [("TIMEOUT", "00:01:00"), ("COMPLETED", "00:03:00")]
    assert planned(done.folder) == {}


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
    assert planned(done.folder) == {"fails": 1, "join": 1}


def test_ctrl_c_cancels_the_jobs_and_what_was_done_stays(scenario, cluster):
    done = scenario(interrupted)
    assert done.rc != 0
    found = states(cluster, done.ids)
    assert sorted(found) == ["CANCELLED", "CANCELLED", "COMPLETED"]
    assert [path.name for path in (done.folder / "parts").iterdir()] == ["0.txt"]
    assert not list((done.folder / ".snakemake" / "locks").glob("*"))
    assert planned(done.folder) == {"sleep": 2, "join": 1}


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


def test_an_account_that_is_not_yours_is_told(scenario):
    """The plugin fails over a group that it cannot submit, in a thread where nobody hears of it, and waits for ever."""
    done = scenario(wrong_account)
    assert done.rc != 0
    assert "The given account nobodys appears to be invalid. Available accounts:\nlab" in done.run.said
    assert [e["event"] for e in record(done.folder)] == ["run", "failed", "end"]


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
    node = run.until(lambda: nodes.exists() and nodes.read_text().strip())
    cluster.kill_node(node)
    try:
        assert run.wait() == 0, run.said[-3000:]
        first, second = nodes.read_text().split()
        assert first == node
        assert "COMPLETED" in states(cluster, submitted(run.folder, "job"))
        history = cluster.ask("sacct", "-X", "-nP", "--duplicates", "-o", "State,NodeList", "-j", job)
        assert f"NODE_FAIL|{node}" in history, (history, second)
        assert planned(run.folder) == {}
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
