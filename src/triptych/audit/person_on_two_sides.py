"""One person (or family) on both sides of a split, or tested twice in one repeat."""

import pandas as pd

from triptych.audit._context import Context, finding, findings
from triptych.splits._groups import group_codes
from triptych.tables import FAMILY, KEY, PERSON

TITLE = "A person on both sides of a split"
LEAK_CLASS = "identity"
SEVERITY = "stop"


def check(context: Context) -> pd.DataFrame:
    """Compare the groups of the train and the test part of every fold."""
    group = dict(zip(map(tuple, context.people[KEY].to_numpy()), group_codes(context.people), strict=True))
    found = []
    splits = context.splits.assign(group=[group.get(tuple(key), -1) for key in context.splits[KEY].to_numpy()])
    for (repeat, fold), rows in splits.groupby(["repeat", "fold"]):
        shared = set(rows.loc[rows["part"] == "train", "group"]) & set(rows.loc[rows["part"] == "test", "group"])
        if shared:
            who = rows.loc[rows["group"].isin(shared), "participant_id"].unique()
            message = f"repeat {repeat + 1}, fold {fold + 1}: {len(who)} people in training and in test"
            found.append(finding(SEVERITY, message, keys=who, action="group the split by person and family"))
    tested = splits[splits["part"] == "test"].drop_duplicates(["repeat", "fold", *PERSON])
    twice = tested[tested.duplicated(["repeat", *PERSON], keep=False)]
    if len(twice):
        message = f"{twice['participant_id'].nunique()} people are tested in more than one fold of a repeat"
        found.append(
            finding(SEVERITY, message, keys=twice["participant_id"].unique(), action="one fold for each person")
        )
    if FAMILY not in context.people:
        found.append(finding("not assessable", "no column family_id: relatives on two sides cannot be found"))
    return findings(*found)
