"""What is said of one scan: usable, usable but odd, or set aside with the reason and what to do."""

import errno
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass

from triptych.errors import DataError

BETWEEN = " | "  # the notes of one scan in a cell of a table
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Unusable(DataError):
    """A scan that is set aside: the reason, and what to do about it."""

    def __init__(self, reason: str, advice: str):
        super().__init__(f"{reason}; {advice}")
        self.reason, self.advice = reason, advice


@dataclass(frozen=True)
class Verdict:
    """``status`` is ``ok``, ``warn`` (see ``notes``) or ``quarantine`` (see ``reason`` and ``advice``)."""

    status: str
    reason: str = ""
    advice: str = ""
    notes: tuple[str, ...] = ()


def fine(notes: Iterable[str]) -> Verdict:
    """Usable; with notes it is worth a look."""
    notes = tuple(notes)
    return Verdict("warn" if notes else "ok", notes=notes)


def quarantine(error: Unusable, notes: Iterable[str] = ()) -> Verdict:
    """Set aside."""
    return Verdict("quarantine", error.reason, error.advice, tuple(notes))


def unforeseen(error: Exception, *, private: bool) -> Unusable:
    """Set a scan aside for an error that nobody foresaw; its traceback goes to the log, so that a wrong line is not missed.

    Parameters
    ----------
    private
        Messages may quote who was scanned: neither reason nor log hold them.

    Raises
    ------
    OSError
        The error itself when nothing can be written any more: that is no fault of the scan, and the job has to run again.
    """
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        raise error
    name = type(error).__name__
    words = "" if private else " ".join(str(error).split())
    places = traceback.format_tb(error.__traceback__)
    print(
        "Traceback (most recent call last):\n", *places, f"{name}: {words}" if words else name, sep="", file=sys.stderr
    )
    return Unusable(
        f"unexpected error: {name}{f': {words}' if words else ''}",
        "the log of this scan's job holds the traceback; once the cause is mended, delete its .json status and run again",
    )
