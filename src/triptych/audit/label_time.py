"""Inputs and outcome from different moments: a diagnosis of a later visit, or inputs taken after the outcome was known."""

import numpy as np
import pandas as pd

from triptych.audit._context import Context, finding, findings, not_assessable
from triptych.audit._people import moments, rows
from triptych.tables import KEY

TITLE = "Outcome or inputs of a later visit"
LEAK_CLASS = "time"
SEVERITY = "warn"


def check(context: Context) -> pd.DataFrame:
    """Compare the moment of the inputs (``roles: visit``) with that of the outcome (``outcome: visit``), row by row.

    A survival outcome is later by its nature; there, only inputs that are later than the outcome are a fault.
    """
    visit, label = context.roles.get("visit", []), context.roles.get("label_visit", [])
    if not visit or not label:
        return not_assessable("`roles: visit` and `outcome: visit` do not both say when: their order cannot be checked")
    cohorts = context.participants
    if visit[0] not in cohorts or label[0] not in cohorts:
        return not_assessable(f"no column {visit[0]!r} and {label[0]!r} in the cohorts: their order cannot be checked")
    columns = list(dict.fromkeys([*KEY, visit[0], label[0]]))
    table = rows(context).merge(cohorts[columns].drop_duplicates(KEY), on=KEY, how="left")
    kinds = {moments(table[c])[0] for c in (visit[0], label[0])}
    if len(kinds) > 1:
        return not_assessable(f"{visit[0]!r} and {label[0]!r} hold {' and '.join(sorted(kinds))}s: no common order")
    both = moments(pd.concat([table[visit[0]], table[label[0]]], ignore_index=True))[1].to_numpy()
    gap = both[len(table) :] - both[: len(table)]
    tests = [("the inputs are later than the outcome", gap < 0, "use inputs that were known before the outcome")]
    if "event" not in table:
        action = "take the label of the same visit, or say in the task that the future is predicted"
        tests.insert(0, ("the outcome is later than the inputs", gap > 0, action))
    found = []
    for what, wrong, action in tests:
        if wrong.any():
            known = int(np.isfinite(gap).sum())
            message = f"in {int(wrong.sum())} of {known} rows {what} ({label[0]!r} against {visit[0]!r})"
            keys = table.loc[wrong, KEY[1:]].astype(str).agg("/".join, axis=1)
            share = float(wrong.sum() / known)
            found.append(finding(SEVERITY, message, keys=keys, action=action, measure="share of rows", value=share))
    return findings(*found)
