"""The state of a training after an epoch, kept beside the outputs of its fit: a job that was stopped goes on from there.

A fit says where (``keeping``), each training in it takes the next file, and ``triptych.training`` writes and reads them.
No torch at the top: fits that train nothing pass here too.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from triptych.launching import agreed
from triptych.processes import group, leads

PAUSE = 10  # seconds between two files of a training in one process; several processes write after each epoch
_KEEPING: ContextVar["_Keeping | None"] = ContextVar("keeping", default=None)


@dataclass(frozen=True)
class Keep:
    """Where the trainings of one fit are kept, and a hash of all that the fit is told: options, code, files."""

    path: Path
    told: str


@dataclass
class _Keeping:
    path: Path
    about: dict[str, str]
    trainings: int = 0


@contextmanager
def keeping(keep: Keep | None, seen: str) -> Iterator[None]:
    """Within it, trainings are kept; ``seen`` is the hash of the training keys.  Nothing is kept for ``None``."""
    token = _KEEPING.set(
        None if keep is None else _Keeping(keep.path, {"training keys": seen, "options, code or files": keep.told})
    )
    try:
        yield
    finally:
        _KEEPING.reset(token)


def remove(keep: Keep) -> None:
    """Remove what was kept of a fit that is finished."""
    for path in keep.path.parent.glob(f"{keep.path.name}-*"):
        path.unlink(missing_ok=True)


def next_one() -> "Checkpoint | None":
    """The file of the training that begins now; None when nothing is kept."""
    where = _KEEPING.get()
    if where is None:
        return None
    where.trainings += 1
    return Checkpoint(where.path.with_name(f"{where.path.name}-{where.trainings}"), where.about)


@dataclass
class Checkpoint:
    """The file of one training."""

    path: Path
    about: dict[str, str]
    _written: float = field(default_factory=time.monotonic)

    @property
    def due(self) -> bool:
        """Whether the epoch that has ended is to be written."""
        return group() is not None or time.monotonic() - self._written > PAUSE

    def read(self) -> dict[str, Any] | None:
        """What was written, the same on every process of a group; None without a file that is of this training."""
        found, why = self._read() if leads() else (None, "")
        if why:
            print(f"checkpoint {self.path} {why}; it is not used, training begins with the first epoch", flush=True)
        return agreed(found)

    def _read(self) -> tuple[dict[str, Any] | None, str]:
        """The state, or why the file is refused."""
        import torch

        if not self.path.exists():
            return None, ""
        try:
            found = torch.load(self.path, map_location="cpu", weights_only=True)
            other = [name for name, value in self.about.items() if found["about"].get(name) != value]
        except Exception as error:  # whatever the file holds, training can begin anew
            return None, f"cannot be read ({type(error).__name__})"
        return (None, f"is of other {' and other '.join(other)}") if other else (found["state"], "")

    def write(self, state: dict[str, Any]) -> None:
        """Put the state in place of the file, whole or not at all; only the first process of a group writes."""
        import torch

        self._written = time.monotonic()
        if not leads():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        torch.save({"about": self.about, "state": state}, beside)
        beside.replace(self.path)


@contextmanager
def noticing(checkpoint: Checkpoint | None) -> Iterator[list[int]]:
    """Within it, SIGTERM and SIGUSR1 are noted in the list and do not end the process; not without a checkpoint."""
    noted: list[int] = []
    if checkpoint is None:
        yield noted
        return
    before = {n: signal.signal(n, lambda number, _: noted.append(number)) for n in (signal.SIGTERM, signal.SIGUSR1)}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(number: int, epoch: int) -> NoReturn:
    """End the process after a signal, when its epoch has been written.

    SIGTERM is what SLURM sends before it ends or requeues a job.  SIGUSR1 asks that the job is queued again, which is done here.
    The exit code, 128 and the signal's number, is a failure, so that Snakemake tries again where SLURM does not.
    """
    name = signal.Signals(number).name
    agreed(None)  # all have come so far: the file is there
    if leads():
        print(f"{name}: stopped after epoch {epoch}, which is kept; the next attempt goes on from there", flush=True)
        job = os.environ.get("SLURM_JOB_ID")
        if number == signal.SIGUSR1 and job:
            subprocess.run(["scontrol", "requeue", job], check=False)
    sys.exit(128 + number)
