"""The section on scans that are odd and used all the same."""

import re

import pandas as pd

from triptych.report import numbers
from triptych.report._view import Body, Cell, Section, Table, heads, number

LONG = 15
NAMED = 5
OF_ONE_SCAN = re.compile(r"sub-\S+|'[^']*'|\d[\d.,]*")  # names and numbers, in which notes of one kind differ


def notes(table: pd.DataFrame) -> Section:
    """Each kind of note (table: cohort, scan, note; an empty note for a scan without any), how many scans have it, and which."""
    title = "Odd scans that are used"
    several = table["cohort"].nunique() > 1
    table = table.assign(scan=table["cohort"] + "/" + table["scan"] if several else table["scan"])
    odd = table[table["note"] != ""]
    words = [
        f"{odd['scan'].nunique()} of {numbers.count(table['scan'].nunique(), 'scan')} that can be used have something odd about "
        "them, which costs nobody. Scans that cannot be used are among the failures."
    ]
    if odd.empty:
        return Section("notes", title, words)
    kinds = [part for _, part in odd.groupby(odd["note"].map(_kind), sort=False)]
    rows = [_row(part) for part in sorted(kinds, key=len, reverse=True)]
    head = [Cell("Note"), Cell("Scans", look="num"), *heads("Which")]
    shown = Table(
        "Notes of scans", head, [Body(rows)], folded=len(rows) > LONG, summary=f"All {len(rows)} kinds of notes"
    )
    return Section("notes", title, words, [shown])


def _kind(note: str) -> str:
    return OF_ONE_SCAN.sub("#", note)


def _row(part: pd.DataFrame) -> list[Cell]:
    scans = list(dict.fromkeys(part["scan"]))
    more = f" and {len(scans) - NAMED} more" if len(scans) > NAMED else ""
    example = part["note"].iloc[0]
    alike = part["note"].nunique() == 1
    return [
        Cell(example if alike else f"{example} (and the like)"),
        number(numbers.count(len(scans), "scan"), len(scans)),
        Cell(", ".join(scans[:NAMED]) + more, look="path"),
    ]
