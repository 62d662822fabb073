"""What was handed to SLURM, kept beside the study: one line of JSON per event, so that any process can add and read.

SLURM knows jobs by number and forgets them; Snakemake knows rules and wildcards and ends.  The record ties the two together for
``python -m triptych.slurm``.  Kinds of events:

``run``        pid, planned (rule: number of jobs)
``submitted``  id, name, parts (rule, wildcards, log, outputs of each), attempt, asked (memory, time, ...), log
``done``, ``failed``  id, name; why
``end``        of the run
"""

import json
import time
from pathlib import Path
from typing import Any

FOLDER = Path(".triptych") / "slurm"


def path(study: str) -> Path:
    """The record of a study, relative to the working directory."""
    return FOLDER / f"{study}.jsonl"


def add(study: str, event: str, **what: Any) -> None:
    """Append one event; a line is written at once, so that two writers never mix."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with path(study).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"event": event, "at": round(time.time(), 1), **what}) + "\n")


def read(study: str) -> list[dict[str, Any]]:
    """All events, oldest first; a last line that was cut off by a kill is left out."""
    events = []
    for line in path(study).read_text(encoding="utf-8").splitlines() if path(study).exists() else []:
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events


def last_run(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events since the newest ``run``."""
    starts = [k for k, event in enumerate(events) if event["event"] == "run"]
    return events[starts[-1] :] if starts else []
