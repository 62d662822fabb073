"""Relatives (one family_id) on both sides of a split."""

import pandas as pd

from triptych.audit._context import Context, finding, findings, not_assessable, on_both_sides
from triptych.audit._people import names
from triptych.splits._groups import group_codes
from triptych.tables import FAMILY, KEY

TITLE = "Relatives on both sides of a split"
LEAK_CLASS = "identity"
SEVERITY = "stop"
OF_SPLIT = True


def check(context: Context) -> pd.DataFrame:
    """Compare the families of the train and the test part of every fold."""
    if FAMILY not in context.people or context.people[FAMILY].isna().all():
        return not_assessable("no column family_id: relatives on two sides cannot be found")
    people = context.people[[*KEY, FAMILY]]
    people = people.assign(family=group_codes(people))
    several = people.groupby("family")["participant_id"].transform("nunique") > 1
    known = people[several].drop_duplicates(KEY).set_index(KEY)["family"]
    splits = context.splits.reset_index(drop=True)
    family = known.reindex(pd.MultiIndex.from_frame(splits[KEY])).set_axis(splits.index)
    found = []
    for fold, rows in on_both_sides(splits, family):
        who = names(splits.loc[rows], splits)
        message = f"{fold}: {len(who)} relatives in training and in test"
        found.append(finding(SEVERITY, message, keys=who, action="group by family"))
    return findings(*found)
