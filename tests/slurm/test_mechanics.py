"""Jobs that are cancelled, too big, too long, broken or interrupted: what SLURM and the files say afterwards."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from runs import ROOT, Run, accounted, environment, record, submitted, tiny
from scenarios import (
    FAN,
    cancelled,
    cancelled_forgotten,
    cancelled_sacct,
    cancelled_slow,
    fails,
    impossible,
    interrupted,
    killed,
    node_down,
    over_memory,
    over_time,
    refused_group,
    silent,
    wrong_account,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
import small_study


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
def test_a_cancelled_job_is_seen_within_a_minute_and_tried_again(outcome, cluster, how):
    """sacct says `CANCELLED by uid`, which the plugin takes for running; and its polls become rarer and rarer."""
    seen_and_tried_again(outcome(how), cluster)


def test_where_squeue_forgets_jobs_early_the_plugin_asks_sacct_and_that_is_safe_too(outcome, forgetful):
    done = outcome(cancelled_forgotten)
    assert "Falling back to 'sacct'" in done.run.said
    seen_and_tried_again(done, forgetful)


def test_slurm_may_be_silent_for_some_time(outcome, forgetful):
    """The plugin would forget its jobs when a query fails, and wait for ever."""
    done = outcome(silent)
    assert done.rc == 0, done.run.said[-3000:]
    assert states(forgetful, submitted(done.folder, "job")) == ["COMPLETED"]


def test_a_job_over_its_memory_gets_more(outcome, cluster):
    done = outcome(over_memory)
    assert done.rc == 0, done.run.said[-3000:]
    jobs = accounted(cluster, submitted(done.folder, "job"))
    asked = [row["ReqMem"] for row in jobs.values()]
    assert asked[:2] == ["350M", "700M"]
    assert [row["State"] for row in jobs.values()][-1] == "COMPLETED"
    assert all(row["State"] in ("FAILED", "OUT_OF_MEMORY") for row in list(jobs.values())[:-1])
    assert planned(done.folder) == {}


def test_a_job_over_its_time_gets_more(outcome, cluster):
    done = outcome(over_time)
    assert done.rc == 0, done.run.said[-3000:]
    jobs = list(accounted(cluster, submitted(done.folder, "job")).values())
    assert [(row["State"], row["Timelimit"]) for row in jobs] == [("TIMEOUT", "00:01:00"), ("COMPLETED", "00:03:00")]
    assert planned(done.folder) == {}


def test_what_runs_inside_a_job_finds_slurm(outcome, cluster):
    """The jobstep of the plugin drops SLURM_CONF: its srun, and what a job asks of SLURM, would look in the default place."""
    done = outcome(over_time)
    said = (done.folder / "logs" / "job.log").read_text().split()
    assert said[0] == f"conf={cluster.folder / 'slurm.conf'}"
    assert submitted(done.folder, "job")[-1] in said


def test_a_job_that_fails_for_good_says_where_and_why_and_stops_nothing_else(outcome, cluster):
    done = outcome(fails)
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


def test_ctrl_c_cancels_the_jobs_and_what_was_done_stays(outcome, cluster):
    done = outcome(interrupted)
    assert done.rc != 0
    found = states(cluster, done.ids)
    assert sorted(found) == ["CANCELLED", "CANCELLED", "COMPLETED"]
    assert [path.name for path in (done.folder / "parts").iterdir()] == ["0.txt"]
    assert not list((done.folder / ".snakemake" / "locks").glob("*"))
    assert planned(done.folder) == {"sleep": 2, "join": 1}


def test_jobs_of_a_killed_run_are_not_doubled(outcome, cluster):
    done = outcome(killed)
    assert done.refused != 0
    assert f"scancel {done.job}" in done.said
    assert "two jobs would write one file" in done.said
    assert done.rc == 0
    assert len(submitted(done.folder, "job")) == 2


def test_a_refused_group_says_why(outcome):
    done = outcome(refused_group)
    assert done.rc != 0
    assert "SLURM job (refused)" in done.run.said
    assert "one k=0 (log: " in done.run.said
    assert "Memory specification can not be satisfied" in done.run.said


def test_an_account_that_is_not_yours_is_told(outcome):
    """The plugin fails over a group that it cannot submit, in a thread where nobody hears of it, and waits for ever."""
    done = outcome(wrong_account)
    assert done.rc != 0
    assert re.search(r"The given account nobodys appears to be invalid. Available accounts:\n.*\blab\b", done.run.said)
    assert [e["event"] for e in record(done.folder)] == ["run", "failed", "end"]


def test_a_request_that_can_never_be_met_is_shown(outcome):
    done = outcome(impossible)
    assert done.rc == 0
    assert f"{done.job}" in done.said
    # SLURM names the one or the other, as it has looked at the job in its plan or only at its submission
    assert re.search(r"Partition(TimeLimit|Config): .*, it will never start", done.said), done.said


def test_job_arrays_are_refused(cluster, tmp_path):
    run = Run(tiny(tmp_path / "tiny", FAN), cluster, "--slurm-array-jobs", "all")
    assert run.wait() != 0
    assert "job arrays mix up their tasks" in run.said
    assert not submitted(run.folder, "sleep")


def test_a_node_that_goes_down_is_survived(outcome, forgetful):
    done = outcome(node_down)
    assert done.rc == 0, done.run.said[-3000:]
    assert "Falling back to 'sacct'" not in done.run.said
    assert len(done.nodes) == 2
    assert done.nodes[0] == done.node
    ids = submitted(done.folder, "job")
    assert states(forgetful, ids)[-1] == "COMPLETED"
    history = forgetful.ask("sacct", "-X", "-nP", "--duplicates", "-o", "State,NodeList", "-j", ids[0])
    assert f"NODE_FAIL|{done.node}" in history
    assert planned(done.folder) == {}


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
