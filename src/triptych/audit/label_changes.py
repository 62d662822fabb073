"""A label that changes between the sessions of one person: progression, or a mistake."""

import pandas as pd

from triptych.audit._context import Context, finding, findings, looked
from triptych.audit._people import names, person, rows

TITLE = "An outcome that changes between sessions"
LEAK_CLASS = "target"
SEVERITY = "warn"


def check(context: Context) -> pd.DataFrame:
    """List people whose sessions have different classes, or an event in one and none in another."""
    table = rows(context)
    column = "event" if "event" in table else "y"
    if column == "y" and context.kind != "classification":
        return looked("a number may change from session to session")
    who = person(table)
    changing = table[table.groupby(who)[column].transform("nunique") > 1]
    if changing.empty:
        return findings()
    people, several = names(changing, table), int((who.value_counts() > 1).sum())
    message = f"the outcome differs between sessions in {len(people)} of {several} people with several sessions"
    action = "say which session's label counts, or check these labels"
    share = len(people) / several
    return findings(
        finding(SEVERITY, message, keys=people, action=action, measure="share of people", value=share, threshold=0)
    )
