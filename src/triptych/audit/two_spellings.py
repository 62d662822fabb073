"""Ids that differ only by blanks, case or zero padding."""

import pandas as pd

from triptych.audit._context import Context, finding, findings

TITLE = "One person under two spellings of an id"
LEAK_CLASS = "identity"
SEVERITY = "group"


def check(context: Context) -> pd.DataFrame:
    """List what was unified when the cohorts were read."""
    notes = context.notes[context.notes["reason"].astype(str).str.contains("another spelling")]
    return findings(
        *(
            finding(
                SEVERITY,
                f"{len(rows)} ids were other spellings of known ids; taken as the same people",
                cohort=cohort,
                keys=rows["participant_id"].unique(),
                action="kept together; spell ids one way",
            )
            for cohort, rows in notes.groupby("cohort")
        )
    )
