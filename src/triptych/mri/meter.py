"""Seconds of CPU and peak memory of each step of a job."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Meter:
    """Remembers what each step took: name -> ``cpu_s`` and ``peak_mb``."""

    def __init__(self):
        self.steps: dict[str, dict[str, float]] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what happens inside; the peak is that of the whole process meanwhile. A step may come again."""
        _forget_peak()
        before = _seconds()
        yield
        known = self.steps.get(name, {"cpu_s": 0.0, "peak_mb": 0})
        cpu, peak = _seconds() - before, round(_peak())
        self.steps[name] = {"cpu_s": round(known["cpu_s"] + cpu, 2), "peak_mb": max(known["peak_mb"], peak)}


def _seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _forget_peak() -> None:
    """Linux remembers the peak until it is told to forget; elsewhere, and where it may not, the peak is that of the job."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    """Largest resident memory, MB."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
