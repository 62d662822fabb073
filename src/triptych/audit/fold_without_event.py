"""A fold in which nothing can be ranked: no event, or no patient followed beyond the first event."""

import pandas as pd

from triptych.audit._context import Context, finding, findings
from triptych.tables import KEY

TITLE = "A test part without a comparable pair"
LEAK_CLASS = "design"
SEVERITY = "stop"


def check(context: Context) -> pd.DataFrame:
    """Look at the outcome of each test part."""
    outcome = context.people[[*KEY, "time", "event"]]
    tested = context.splits[context.splits["part"] == "test"].merge(outcome, on=KEY, how="left")
    found = []
    for (repeat, fold), rows in tested.groupby(["repeat", "fold"]):
        events = rows[rows["event"].astype(bool)]
        if not len(events) or not (rows["time"] > events["time"].min()).any():
            message = (
                f"repeat {repeat + 1}, fold {fold + 1}: {len(rows)} patients, {len(events)} events, no comparable pair"
            )
            found.append(finding(SEVERITY, message, action="use fewer folds"))
    return findings(*found)
