"""SLURM's words for the state of a job, made safe to act on."""

import subprocess
from collections import Counter
from collections.abc import Iterable

# SLURM may be about to queue such a job again; the plugin takes UNKNOWN for done
SETTLING = ("PREEMPTED", "NODE_FAIL", "UNKNOWN")
PATIENCE = 3  # polls in a row that a job may be settling, or unknown to SLURM, before it counts as failed
REASONS = {  # why a job waits, and what a person can do
    "Resources": "the partition is full; it starts when others end",
    "Priority": "other jobs come first",
    "Dependency": "waits for another job",
    "PartitionConfig": "the partition does not allow this request, it will never start: scancel it, see scontrol show partition",
    "PartitionTimeLimit": "asks for more time than the partition allows, it will never start: lower runtime in the profile",
    "PartitionNodeLimit": "asks for more nodes or CPUs than the partition has, it will never start: lower it in the profile",
    "BadConstraints": "no node can give what it asks for, it will never start: lower it in the profile",
    "ReqNodeNotAvail": "nodes are down or reserved (also: maintenance); see sinfo -R",
    "AssocGrpCPUMinutesLimit": "the account's share is used up",
    "QOSMaxJobsPerUserLimit": "you run as many jobs as your QOS allows",
    "InvalidAccount": "the account is not valid: correct slurm_account in the profile",
    "JobHeldUser": "held: scontrol release it",
    "JobHeldAdmin": "held by an administrator",
    "launch failed requeued held": "it could not be launched and is held: see sinfo -R, then scontrol release it",
    "BeginTime": "was queued again and starts in a moment",
}


def word(state: str) -> str:
    """The state without what sacct adds: ``CANCELLED by 1000`` -> ``CANCELLED``."""
    return state.split()[0].rstrip("+") if state.split() else ""


def explain(reason: str) -> str:
    """SLURM's reason for waiting, and what it means."""
    reason = reason.strip("()")
    known = REASONS.get(reason.split(",")[0])
    return f"{reason}: {known}" if known else reason


class Patience:
    """Turns states that would be waited for without end into failures, after some polls."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def settle(self, states: dict[str, str], active: Iterable[str]) -> dict[str, str]:
        """States of the active jobs, as a poll found them.

        Parameters
        ----------
        states
            Job: state, as SLURM says it.
        active
            Jobs that are waited for.

        Returns
        -------
        dict
            Job: one word.  A job that is missing, preempted or lost with its node in ``PATIENCE`` polls in a row is FAILED.
        """
        found = {job: word(state) for job, state in states.items()}
        for job in active:
            if job in found and found[job] not in SETTLING:
                self._seen.pop(job, None)
                continue
            self._seen[job] += 1
            if self._seen[job] >= PATIENCE:
                found[job] = "FAILED"
        return found


def ask_sacct(jobs: Iterable[str]) -> dict[str, str]:
    """States of jobs that squeue has forgotten; nothing where there is no accounting."""
    try:
        command = ["sacct", "-X", "-n", "-P", "-o", "JobIDRaw,State", "-j", ",".join(jobs)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    lines = [line.split("|") for line in done.stdout.splitlines()]
    return {line[0]: line[1] for line in lines if len(line) == 2 and line[1]}
