"""One person on both sides of a split, or tested twice in one repeat."""

import pandas as pd

from triptych.audit._context import Context, finding, findings, on_both_sides
from triptych.tables import PERSON

TITLE = "A person on both sides of a split"
LEAK_CLASS = "identity"
SEVERITY = "stop"


def check(context: Context) -> pd.DataFrame:
    """Compare the people of the train and the test part of every fold, and of the test parts of every repeat."""
    person = context.splits[PERSON].astype(str).agg("\t".join, axis=1)
    found = [
        finding(
            SEVERITY, f"{fold}: {len(who)} people in training and in test", keys=who, action="group the split by person"
        )
        for fold, who in on_both_sides(context.splits, person)
    ]
    tested = context.splits[context.splits["part"] == "test"].drop_duplicates(["repeat", "fold", *PERSON])
    twice = tested[tested.duplicated(["repeat", *PERSON], keep=False)]["participant_id"].unique()
    if len(twice):
        message = f"{len(twice)} people are tested in more than one fold of a repeat"
        found.append(finding(SEVERITY, message, keys=twice, action="one fold for each person"))
    return findings(*found)
