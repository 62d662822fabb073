"""The state of a study on SLURM: done, running, waiting and why, failed and where to read it."""

import subprocess
from collections import Counter
from typing import Any

from triptych.slurm import record, states

Event = dict[str, Any]
SHOWN = 10  # jobs of one kind that are listed


def ask_squeue(ids: list[str]) -> dict[str, dict[str, str]]:
    """Id: state, reason, node and time used, of those jobs that SLURM still has.

    Raises
    ------
    FileNotFoundError
        Where there is no SLURM.
    """
    command = ["squeue", "-h", "--me", "-o", "%i|%T|%r|%N|%M|%l"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    names = ("id", "state", "reason", "node", "used", "limit")
    rows = [dict(zip(names, line.split("|"), strict=False)) for line in done.stdout.splitlines()]
    return {row["id"]: row for row in rows if row["id"] in ids}


def report(study: str, events: list[Event], queue: dict[str, dict[str, str]], alive: bool) -> str:
    """The state of the last run as text.

    Parameters
    ----------
    events
        The study's record.
    queue
        What SLURM says of its jobs now (``ask_squeue``).
    alive
        Whether the snakemake that submits is running.
    """
    events = record.last_run(events)
    if not events:
        return f"no run of {study!r} with the SLURM profile in this folder yet"
    jobs = {e["id"]: e for e in events if e["event"] == "submitted"}
    ended = {e["id"]: e["event"] for e in events if e["event"] in ("done", "failed") and e["id"]}
    now = {
        i: queue[i]
        for i in jobs
        if i in queue and i not in ended and queue[i]["state"] in ("PENDING", "RUNNING", "COMPLETING")
    }
    waiting = {i: row for i, row in now.items() if row["state"] == "PENDING"}
    running = {i: row for i, row in now.items() if i not in waiting}
    lines = [_head(study, events, alive), "", *_table(events, jobs, ended, waiting, running)]
    lines += _list(
        "running",
        [f"{i} on {row['node']}, {row['used']} of {row['limit']}: {_named(jobs[i])}" for i, row in running.items()],
    )
    lines += _list("waiting", [f"{i} {states.explain(row['reason'])}: {_named(jobs[i])}" for i, row in waiting.items()])
    lines += _list("failed", [_indent(e["why"]) for e in _unresolved(events)])
    return "\n".join(lines)


def _head(study: str, events: list[Event], alive: bool) -> str:
    if any(e["event"] == "end" for e in events):
        return f"{study}: the run has ended" + (", some jobs have no result" if _unresolved(events) else "")
    if alive:
        return f"{study}: running (snakemake has the process id {events[0]['pid']})"
    return f"{study}: snakemake is gone without an end (killed?); when its jobs are over: snakemake --unlock, then start it again"


def _table(events: list[Event], jobs: dict[str, Event], ended: dict[str, str], *of: dict[str, Any]) -> list[str]:
    """One line per rule: planned, done, running, waiting, failed."""
    waiting, running = of
    done = Counter(p["rule"] for i, how in ended.items() if how == "done" and i in jobs for p in jobs[i]["parts"])
    lost = Counter(p["rule"] for e in _unresolved(events) for p in e["parts"])
    now = [Counter(p["rule"] for i in some for p in jobs[i]["parts"]) for some in (running, waiting)]
    rows = [("rule", "planned", "done", "running", "waiting", "failed")]
    rows += [
        (rule, str(n), *(str(count[rule]) for count in (done, *now, lost)))
        for rule, n in sorted(events[0]["planned"].items())
        if rule != "all"
    ]
    width = max(len(row[0]) for row in rows)
    return [f"{row[0]:{width}} " + " ".join(f"{cell:>8}" for cell in row[1:]) for row in rows]


def _unresolved(events: list[Event]) -> list[Event]:
    """Failures after which the same job was not submitted again; the last of each."""
    last: dict[str, Event] = {}
    for event in events:
        if event["event"] in ("submitted", "failed"):
            last[str(sorted(p["outputs"] for p in event["parts"]))] = event
    return [event for event in last.values() if event["event"] == "failed"]


def _named(job: Event) -> str:
    """Rules, what they are about, and the log of the first."""
    first, n = job["parts"][0], len(job["parts"])
    words = " ".join([first["rule"], *(f"{k}={v}" for k, v in first["wildcards"].items())])
    more = f" and {n - 1} more in group {job['name']}" if n > 1 else ""
    return f"{words}{more} (log: {first['log'] or job['log']})"


def _list(title: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    more = [f"  and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return ["", f"{title}:", *(f"  {line}" for line in lines[:SHOWN]), *more]


def _indent(text: str) -> str:
    return text.replace("\n", "\n  ")
