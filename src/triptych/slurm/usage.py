"""What SLURM jobs asked for and what they used, per rule, and the lines of the profile that would fit better."""

import re
import subprocess
from dataclasses import dataclass, field
from typing import Any

FIELDS = "JobID,State,ElapsedRaw,TotalCPU,MaxRSS,AllocTRES,TRESUsageInMax"
SPARE = 1.5  # what is proposed, over the largest that was used
UNITS = {"K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}


@dataclass
class Used:
    """One SLURM job: seconds of wall and CPU, largest memory in MB (None when no sample was taken), GPUs and their load."""

    state: str
    elapsed: int
    cpu: float = 0.0
    memory: float | None = None
    cpus: int = 1
    gpus: int = 0
    gpu_load: int | None = None


@dataclass
class Row:
    """All jobs of one rule, or of one kind of group."""

    jobs: int = 0
    parts: int = 0
    failed: int = 0
    asked_memory: int = 0
    asked_minutes: int = 0
    asked_gpus: int = 0
    used: list[Used] = field(default_factory=list)


def ask_sacct(ids: list[str]) -> dict[str, Used]:
    """Id: what the job used, by SLURM's accounting."""
    if not ids:
        return {}
    command = ["sacct", "-n", "-P", "-o", FIELDS, "-j", ",".join(ids)]
    return read_sacct(subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout)


def read_sacct(text: str) -> dict[str, Used]:
    """Lines of sacct, one per job and one per step; memory and CPU are those of the steps."""
    found: dict[str, Used] = {}
    for line in text.splitlines():
        job, state, elapsed, cpu, memory, allotted, load = line.split("|")
        name, _, step = job.partition(".")
        if not step:
            tres = dict(item.split("=", 1) for item in allotted.split(",") if "=" in item)
            found[name] = Used(state.split()[0], int(elapsed or 0), seconds(cpu), None, int(tres.get("cpu", 1)))
            found[name].gpus = int(tres.get("gres/gpu", 0))
            continue
        if memory:
            found[name].memory = max(found[name].memory or 0.0, megabytes(memory))
        if loaded := re.search(r"gres/gpuutil=(\d+)", load):
            found[name].gpu_load = max(found[name].gpu_load or 0, int(loaded[1]))
    return found


def seconds(text: str) -> float:
    """``[days-][hours:]minutes:seconds`` in seconds."""
    days, _, clock = text.rpartition("-")
    total = 0.0
    for part in clock.split(":"):
        total = 60 * total + float(part or 0)
    return total + 86400 * int(days or 0)


def megabytes(text: str) -> float:
    """``512K``, ``1.5G`` or plain bytes in MB."""
    return float(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else float(text) / 1024**2


def rows(events: list[dict[str, Any]], used: dict[str, Used]) -> dict[str, Row]:
    """Rule (``fit``) or rules of a group (``gather+score+...``): its jobs, those of all runs that are on record."""
    failed = {e["id"] for e in events if e["event"] == "failed"}
    found: dict[str, Row] = {}
    for event in events:
        if event["event"] != "submitted" or event["id"] not in used:
            continue
        row = found.setdefault("+".join(sorted({p["rule"] for p in event["parts"]})), Row())
        row.jobs, row.parts, row.failed = (
            row.jobs + 1,
            row.parts + len(event["parts"]),
            row.failed + (event["id"] in failed),
        )
        asked = event["asked"]
        row.asked_memory = max(row.asked_memory, int(asked.get("mem_mb", 0)))
        row.asked_minutes = max(row.asked_minutes, int(asked.get("runtime", 0)))
        row.asked_gpus = max(row.asked_gpus, used[event["id"]].gpus)
        row.used.append(used[event["id"]])
    return found


def report(found: dict[str, Row]) -> str:
    """A table, and lines for ``set-resources:`` of the profile."""
    if not found:
        return "SLURM's accounting knows no job of this study"
    head = ("rule", "jobs", "failed", "memory asked", "used", "time asked", "used", "CPUs busy", "GPUs", "GPU busy")
    lines = [head, *(_cells(name, row) for name, row in sorted(found.items()))]
    width = [max(len(line[k]) for line in lines) for k in range(len(head))]
    text = [
        "  ".join(
            f"{cell:{w}}" if k == 0 else f"{cell:>{w}}" for k, (cell, w) in enumerate(zip(line, width, strict=True))
        )
        for line in lines
    ]
    better = [line for name, row in sorted(found.items()) for line in proposal(name, row)]
    return "\n".join(["Asked for and used (the largest of any job):", *text, "", *(better or ["The profile fits."])])


def _cells(name: str, row: Row) -> tuple[str, ...]:
    memory, minutes = _largest(row)
    busy = sum(u.cpu for u in row.used) / max(1.0, sum(u.elapsed * u.cpus for u in row.used))
    loads = [u.gpu_load for u in row.used if u.gpu_load is not None]
    gpu = (str(row.asked_gpus), f"{max(loads)} %" if loads else "not measured") if row.asked_gpus else ("-", "-")
    used = "not sampled" if memory is None else f"{memory:.0f} MB"
    return (
        name,
        str(row.jobs),
        str(row.failed),
        f"{row.asked_memory} MB",
        used,
        f"{row.asked_minutes} min",
        f"{minutes:.1f} min",
        f"{busy:.0%}",
        *gpu,
    )


def proposal(name: str, row: Row) -> list[str]:
    """Lines of the profile that fit what was used: memory and time off by more than a factor two, or jobs that were cut off."""
    memory, minutes = _largest(row)
    per_part = max(1, round(row.parts / row.jobs))
    lines = []
    if memory is not None and (cut := SPARE * memory) and not row.asked_memory / 2 <= cut <= row.asked_memory:
        lines.append(f"    mem_mb: {_round(cut, 100)} * attempt")
    wanted = SPARE * minutes / (per_part if "+" not in name else 1)
    asked = row.asked_minutes / (per_part if "+" not in name else 1)
    if not asked / 2 <= wanted <= asked and max(5, _round(wanted, 5)) != round(asked):
        lines.append(f"    runtime: {max(5, _round(wanted, 5))} * attempt")
    if not lines:
        return []
    if "+" in name:
        return [
            f"  # {name} run as one SLURM job; together they need:",
            *(line.replace("    ", "  #   ", 1) for line in lines),
        ]
    return [f"  {name}:", *lines]


def _largest(row: Row) -> tuple[float | None, float]:
    """Largest memory in MB and longest time in minutes."""
    sampled = [u.memory for u in row.used if u.memory is not None]
    return (max(sampled) if sampled else None), max(u.elapsed for u in row.used) / 60


def _round(value: float, step: int) -> int:
    """Up to the next multiple."""
    return int(-(-value // step) * step)
