"""The record of a run on SLURM, and the state of a study that is read from it."""

import json
import os

import pytest

from triptych.slurm import record
from triptych.slurm.__main__ import main
from triptych.slurm.executor import prefix, sentence
from triptych.slurm.status import report


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def part(rule, log="", outputs=(), **wildcards):
    return {"rule": rule, "wildcards": wildcards, "log": log, "outputs": list(outputs)}


def job(slurm, *parts, name="fits", attempt=1, **more):
    return {
        "id": slurm,
        "name": name,
        "parts": list(parts),
        "attempt": attempt,
        "retries": 2,
        "log": "slurm.log",
        **more,
    }


FITS = [part("fit", f"logs/{k}.log", [f"{k}.parquet"], task="os", model="cox", batch=f"repeat-{k}") for k in range(3)]
NET = part("fit_on_gpu", "logs/net.log", ["net.parquet"], task="os", model="net", batch="all")


def test_events_are_read_as_they_were_added(here):
    record.add("mine", "run", pid=1, planned={"fit": 3})
    record.add("mine", "submitted", **job("7", *FITS))
    with record.path("mine").open("a") as file:
        file.write('{"event": "fail')  # cut off by a kill
    found = record.read("mine")
    assert [e["event"] for e in found] == ["run", "submitted"]
    assert found[1]["parts"] == json.loads(json.dumps(FITS))
    assert record.read("another") == []


def test_only_the_last_run_counts():
    events = [{"event": word, "at": k} for k, word in enumerate(["run", "done", "run", "submitted"])]
    assert [e["at"] for e in record.last_run(events)] == [2, 3]
    assert record.last_run([]) == []


def row(text, rule):
    return [int(n) for n in next(line for line in text.splitlines() if line.startswith(rule + " ")).split()[1:]]


def test_done_running_waiting_failed():
    events = [
        {"event": "run", "pid": 5, "planned": {"fit": 4, "fit_on_gpu": 1, "all": 1}},
        {"event": "submitted", **job("7", *FITS[:2])},
        {"event": "submitted", **job("8", NET)},
        {"event": "submitted", **job("9", FITS[2])},
        {"event": "done", "id": "7"},
        {"event": "failed", "why": "One job has no result\n  reason: OUT_OF_MEMORY", **job("9", FITS[2])},
        {"event": "submitted", **job("10", FITS[2], attempt=2)},
    ]
    queue = {
        "8": {"state": "PENDING", "reason": "PartitionConfig", "node": "", "used": "0:00", "limit": "1:00"},
        "10": {"state": "RUNNING", "reason": "None", "node": "cpu1", "used": "0:12", "limit": "30:00"},
    }
    text = report("mine", events, queue, alive=True)
    assert row(text, "fit") == [4, 2, 1, 0, 0]
    assert row(text, "fit_on_gpu") == [1, 0, 0, 1, 0]
    assert "10 on cpu1, 0:12 of 30:00: fit task=os model=cox batch=repeat-2 (log: logs/2.log)" in text
    assert "8 PartitionConfig: the partition does not allow this request, it will never start" in text
    assert "failed:" not in text, "it was submitted again"
    assert "running (snakemake has the process id 5)" in text
    events.append(
        {"event": "failed", "why": "One job has no result\n  reason: TIMEOUT", **job("10", FITS[2], attempt=2)}
    )
    text = report("mine", [*events, {"event": "end"}], {}, alive=False)
    assert row(text, "fit") == [4, 2, 0, 0, 1]
    assert "reason: TIMEOUT" in text
    assert "the run has ended, some jobs have no result" in text


def test_a_killed_snakemake_is_told():
    text = report("mine", [{"event": "run", "pid": 5, "planned": {}}], {}, alive=False)
    assert "snakemake is gone without an end" in text
    assert "no run of 'mine'" in report("mine", [], {}, alive=False)


def test_a_failure_names_what_has_no_result(here):
    (here / "0.parquet").touch()
    (here / "1.parquet").touch()
    os.utime(here / "1.parquet", (50, 50))  # of an earlier run
    said = sentence(job("7", *FITS), "7", "SLURM status is: 'TIMEOUT'", "slurm.log", since=100)
    assert said.startswith("2 of 3 jobs of the group 'fits' have no result; SLURM job 7, attempt 1 of 3:")
    assert "fit task=os model=cox batch=repeat-1 (log: logs/1.log)" in said
    assert "batch=repeat-0" not in said
    assert "TIMEOUT" in said
    assert said.endswith("it is tried again")
    last = sentence(job(None, NET, attempt=3), None, "sbatch: error: no", "", since=100)
    assert "SLURM job (refused), attempt 3 of 3" in last
    assert "it is not tried again" in last


def test_names_of_jobs_are_short_enough_for_the_plugin():
    assert prefix("small") == "triptych_small"
    assert len(prefix("a" * 80)) == 50


def test_the_command(here, capsys):
    assert main([]) == 2
    assert main(["status"]) == 1
    assert "no run with the SLURM profile" in capsys.readouterr().out
    record.add("one", "run", pid=2**22 + 1, planned={"fit": 1})
    assert main(["status"]) == 0
    assert "one: snakemake is gone" in capsys.readouterr().out
    record.add("two", "run", pid=1, planned={})
    assert main(["status"]) == 1
    assert "which study? one two" in capsys.readouterr().out
    assert main(["status", "two"]) == 0
