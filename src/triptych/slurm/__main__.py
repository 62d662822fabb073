"""Look at a study on SLURM, in the folder where snakemake runs.

    python -m triptych.slurm status [STUDY]    done, running, waiting and why, failed and where to read it
    python -m triptych.slurm usage [STUDY]     asked for and used, per rule, with lines for the profile that fit better

STUDY is the `name:` of its file; it may be left out where only one was run.
"""

import os
import sys

from triptych.slurm import record, status, usage


def main(words: list[str]) -> int:
    """Print the answer; the exit code."""
    commands = {"status": _status, "usage": _usage}
    if len(words) not in (1, 2) or words[0] not in commands:
        print(__doc__)
        return 2
    known = sorted(path.stem for path in record.FOLDER.glob("*.jsonl"))
    if len(words) == 1 and len(known) != 1:
        print("no run with the SLURM profile in this folder yet" if not known else f"which study? {' '.join(known)}")
        return 1
    study = words[1] if len(words) == 2 else known[0]
    try:
        print(commands[words[0]](study))
    except FileNotFoundError as error:
        print(f"this machine has no {error.filename}: ask where SLURM is")
        return 1
    return 0


def _status(study: str) -> str:
    events = record.read(study)
    run = record.last_run(events)
    ids = [e["id"] for e in run if e["event"] == "submitted"]
    return status.report(study, events, status.ask_squeue(ids) if ids else {}, bool(run) and _alive(run[0]["pid"]))


def _usage(study: str) -> str:
    events = record.read(study)
    used = usage.ask_sacct([e["id"] for e in events if e["event"] == "submitted" and e["id"]])
    return usage.report(usage.rows(events, used))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
