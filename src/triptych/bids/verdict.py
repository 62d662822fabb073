"""What is said of one scan: usable, usable but odd, or set aside with the reason and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass

from triptych.errors import DataError

BETWEEN = " | "  # the notes of one scan in a cell of a table


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
