"""How many rows (scans, sessions) a person has goes with the outcome."""

import numpy as np
import pandas as pd

from triptych.audit._association import associations
from triptych.audit._context import Context, finding, findings, looked
from triptych.audit._people import classes, patients, person, rows

TITLE = "Number of scans that differs by outcome"
LEAK_CLASS = "design"
SEVERITY = "warn"


def check(context: Context) -> pd.DataFrame:
    """Test the number of rows of each person against the outcome by permutation of people."""
    table = rows(context)
    counts = person(table).map(person(table).value_counts()).to_numpy()
    if counts.max() == 1:
        return looked("one row per person")
    people = patients(table.assign(rows=counts), context.kind)
    positive = classes(people, context.kind)
    tested = associations(people["score"].to_numpy(), people[["rows"]], seed=context.seed, positive=positive)
    if not tested:
        return looked(f"{counts[0]} rows for each person")
    evidence = tested[0].evidence
    means = "" if positive is None else _means(people["rows"], positive)
    if not tested[0].found:
        return looked(f"{len(people)} people: no more than chance{means}", **evidence)
    message = f"the number of rows of {len(people)} people goes with their outcome{means} (p {tested[0].p:.2g})"
    action = "weigh patients, not scans: scores here count each patient once; say how scans were ordered"
    return findings(finding(SEVERITY, message, keys=["number of rows"], action=action, **evidence))


def _means(counts: pd.Series, positive: np.ndarray) -> str:
    return f": {counts[positive].mean():.2f} rows with the event or positive, {counts[~positive].mean():.2f} without"
