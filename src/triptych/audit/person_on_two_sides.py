"""One person on both sides of a split, or tested twice in one repeat; spellings of one id count as one person."""

import pandas as pd

from triptych.audit._context import Context, finding, findings, on_both_sides
from triptych.audit._people import canonical, names

TITLE = "A person on both sides of a split"
LEAK_CLASS = "identity"
SEVERITY = "stop"
OF_SPLIT = True


def check(context: Context) -> pd.DataFrame:
    """Compare the people of the train and the test part of every fold, and of the test parts of every repeat."""
    keys = context.splits.reset_index(drop=True)
    person = keys["cohort"].astype(str) + "\t" + canonical(keys["participant_id"])
    found = [
        finding(
            SEVERITY,
            f"{fold}: {person.loc[rows].nunique()} people in training and in test",
            keys=names(keys.loc[rows], keys),
            action="group the split by person",
        )
        for fold, rows in on_both_sides(keys, person)
    ]
    tested = keys[keys["part"] == "test"].assign(person=person)
    tested = tested.drop_duplicates(["repeat", "fold", "person"])
    twice = tested[tested.duplicated(["repeat", "person"], keep=False)]
    if len(twice):
        message = f"{twice['person'].nunique()} people are tested in more than one fold of a repeat"
        found.append(finding(SEVERITY, message, keys=names(twice, keys), action="one fold for each person"))
    return findings(*found)
