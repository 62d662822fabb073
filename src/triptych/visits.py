"""In which order the sessions of a person, and the scans of a session, follow each other: one rule for all stages.

By their dates where all have one, else by their names.  Standard library only: the order must be known while the workflow is
parsed.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from triptych.bids import names

DATE = "scan_date"  # column of a cohort's table: a date, or days since any one day
# Of dates, beside those of ISO 8601; 6/11/2019 may be two days.
FORMATS = ("%d.%m.%Y", "%Y/%m/%d", "%d %B %Y", "%d %b %Y", "%d-%b-%Y")
DAYS = re.compile(r"[+-]?\d{1,5}(\.\d+)?")
ORIGIN = datetime(500, 1, 1)  # of numbers of days: no date that is written lies there
OLDEST = datetime(1000, 1, 1)  # of dates
EMPTY = ("", "n/a", "na", "nan", "nat", "none", "null")
Item = TypeVar("Item")


def moment(said: Any) -> datetime | None:
    """What a cell says of when: a date (and time), or a number of days; None where it is empty or not clear."""
    text = str(said).strip()
    if DAYS.fullmatch(text):
        return ORIGIN + timedelta(days=float(text))
    readers: list[Callable[[str], datetime]] = [datetime.fromisoformat]
    readers += [lambda text, how=how: datetime.strptime(text, how) for how in FORMATS]  # type: ignore[misc]
    for reader in readers:
        try:
            return reader(text).replace(tzinfo=None)
        except ValueError:
            continue
    return None


def unclear(said: Any) -> bool:
    """Whether a cell says something of when that is not understood."""
    return str(said).strip().casefold() not in EMPTY and moment(said) is None


def in_time(items: Iterable[Item], when: Callable[[Item], datetime | None], name: Callable[[Item], Any]) -> list[Item]:
    """Things in the order of time: by their moments where all have one, of one kind (dates, or days), else by their names.

    Parameters
    ----------
    name
        Sort key, which also decides between equal moments: ``names.session_order`` of sessions, ``names.natural`` of runs.
    """
    by_name = sorted(items, key=name)
    moments = {k: day for k, item in enumerate(by_name) if (day := when(item))}
    if len(moments) < len(by_name) or len({day < OLDEST for day in moments.values()}) > 1:
        return by_name
    return [by_name[k] for k in sorted(moments, key=moments.__getitem__)]


def sessions(said: Iterable[tuple[str, datetime | None]]) -> dict[str, datetime | None]:
    """Sessions of one person in the order of time, each with its first moment; ``said`` has one or more for each."""
    first: dict[str, datetime | None] = {}
    for session, day in said:
        known = [one for one in (first.get(session), day) if one]
        first[session] = min(known) if known else None
    return {session: first[session] for session in in_time(first, first.__getitem__, names.session_order)}
