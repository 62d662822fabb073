"""Relatives (one family_id) on both sides of a split."""

import pandas as pd

from triptych.audit._context import Context, finding, findings, not_assessable, on_both_sides
from triptych.splits._groups import group_codes
from triptych.tables import FAMILY, KEY

TITLE = "Relatives on both sides of a split"
LEAK_CLASS = "identity"
SEVERITY = "stop"


def check(context: Context) -> pd.DataFrame:
    """Compare the families of the train and the test part of every fold."""
    if FAMILY not in context.people or context.people[FAMILY].isna().all():
        return not_assessable("no column family_id: relatives on two sides cannot be found")
    people = context.people.assign(family=group_codes(context.people))
    several = people.groupby("family")["participant_id"].transform("nunique") > 1
    known = people[several].drop_duplicates(KEY).set_index(KEY)["family"]
    family = known.reindex(pd.MultiIndex.from_frame(context.splits[KEY])).set_axis(context.splits.index)
    return findings(
        *(
            finding(
                SEVERITY, f"{fold}: {len(who)} relatives in training and in test", keys=who, action="group by family"
            )
            for fold, who in on_both_sides(context.splits, family)
        )
    )
