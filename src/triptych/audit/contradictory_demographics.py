"""One person with two sexes, or who grows younger: two people under one id, or a mistake."""

import pandas as pd

from triptych import visits
from triptych.audit._context import Context, finding, findings, not_assessable
from triptych.audit._people import moments, names, person, taken
from triptych.tables import KEY

TITLE = "Demographics that contradict each other"
LEAK_CLASS = "identity"
SEVERITY = "stop"
CODES = 3  # numbers with so few values are codes, as of sex


def check(context: Context) -> pd.DataFrame:
    """Compare the demographics of a person over the sessions; an age that falls is a warning only."""
    table = context.participants
    columns = [c for c in context.roles.get("demographics", []) if c in table]
    if not columns:
        return not_assessable("no demographic columns (age, sex): contradictions between sessions cannot be seen")
    fixed = [c for c in columns if not pd.api.types.is_numeric_dtype(table[c]) or table[c].nunique() <= CODES]
    dates = [c for c in context.roles.get("visit", []) if c in table]
    order = [visits.DATE] if visits.DATE in table else []
    table = table[list(dict.fromkeys([*KEY, *columns, *dates, *order]))]
    table = table[person(table).map(person(table).value_counts()) > 1]
    found = []
    for column in columns:
        if "age" in column.casefold().split("_") or column.casefold().startswith("age"):
            wrong, what, severity = _falling(table, column, dates), "a falling", "warn"
        elif column in fixed:
            wrong, what, severity = _changing(table, column), "more than one", SEVERITY
        else:
            continue
        if len(wrong):
            people = names(wrong, context.participants)
            message = f"{len(people)} people have {what} {column!r} over their sessions"
            action = "correct the table, or give the two people two ids"
            found.append(finding(severity, message, keys=people, action=action))
    return findings(*found)


def _changing(table: pd.DataFrame, column: str) -> pd.DataFrame:
    words = table[column].map(lambda x: str(x).strip().casefold() if pd.notna(x) else None)
    return table[words.groupby(person(table)).transform("nunique") > 1]


def _falling(table: pd.DataFrame, column: str, dates: list[str]) -> pd.DataFrame:
    """Rows of people whose number is smaller at a later session, by date where one is given, else as sessions are taken."""
    dates = [c for c in dates if c != column]
    when = moments(table[dates[0]])[1] if dates else taken(table)
    told = table.assign(moment=when, number=pd.to_numeric(table[column], errors="coerce"))
    told = told.dropna(subset=["moment", "number"]).sort_values("moment", kind="stable")
    fell = told.groupby(person(told))["number"].diff() < 0
    return told[person(told).isin(person(told[fell]))]
