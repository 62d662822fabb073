"""A test part in which nothing can be ranked: no event or nobody followed beyond it, one class only, one value only."""

import pandas as pd

from triptych.audit._context import Context, finding, findings
from triptych.audit._people import OUTCOME
from triptych.tables import KEY, PERSON

TITLE = "A test part without a comparable pair"
LEAK_CLASS = "design"
SEVERITY = "stop"


def check(context: Context) -> pd.DataFrame:
    """Look at the outcome of each test part."""
    outcome = context.people[[*KEY, *(c for c in OUTCOME if c in context.people)]].drop_duplicates(KEY)
    tested = context.splits[context.splits["part"] == "test"].merge(outcome, on=KEY, how="left")
    found = []
    for (repeat, fold), rows in tested.groupby(["repeat", "fold"]):
        fault = _fault(rows, context.kind)
        if fault:
            people = len(rows[PERSON].drop_duplicates())
            message = f"repeat {repeat + 1}, fold {fold + 1}: {people} patients, {fault}"
            found.append(finding(SEVERITY, message, action="use fewer folds, or test on larger sites only"))
    return findings(*found)


def _fault(rows: pd.DataFrame, kind: str) -> str:
    """Why no pair of these rows can be compared; empty when one can."""
    if "event" in rows:
        events = rows[rows["event"].astype(bool)]
        some = len(events) and (rows["time"] > events["time"].min()).any()
        return "" if some else f"{len(events)} events, no comparable pair"
    if rows["y"].nunique() > 1:
        return ""
    return f"one class only (y = {rows['y'].iloc[0]:g})" if kind == "classification" else "one value only"
