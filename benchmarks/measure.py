"""Timing and memory of small functions, and markdown tables, for the scripts of this folder."""

import ctypes
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def alternate(
    functions: Mapping[str, Callable[[], object]],
    repeats: int,
    warm: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median seconds per function; the functions take turns, so a slow spell of the machine hits all of them."""
    if warm:
        for function in functions.values():
            function()
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            start = clock()
            function()
            seconds[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def _status(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise KeyError(field)


def extra_megabytes(function: Callable[[], object]) -> float:
    """Peak memory above the level before the call, in MB (Linux: the high-water mark is reset first)."""
    function()
    try:
        # memory that the allocator keeps for reuse would hide what the call needs
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return float("nan")
    before = _status("VmRSS")
    function()
    return max(0.0, _status("VmHWM") - before)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A markdown table; numbers as they are given."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def milliseconds(seconds: float) -> str:
    """Three significant digits, in ms."""
    return f"{1000 * seconds:.3g}" if seconds < 1 else f"{1000 * seconds:.0f}"
