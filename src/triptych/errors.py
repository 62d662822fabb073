"""One family of errors: a message says what is wrong, where (file, row, column, key) and what to do next."""

from collections.abc import Iterable
from difflib import get_close_matches


class TriptychError(Exception):
    """Anything that a user can mend; shown without a traceback by the commands."""


class StudyError(TriptychError):
    """The study file asks for something that cannot be done."""


class DataError(TriptychError, ValueError):
    """The data are not what the study or the format says."""


class NotEstimableError(TriptychError, ValueError):
    """A quantity has no value on these data (say, no comparable pair); the message is the reason that a reader sees."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the nearest known name, else a list of the known ones."""
    known = list(known)
    near = get_close_matches(wrong, known, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known: {', '.join(known[:20]) or 'none'}"
