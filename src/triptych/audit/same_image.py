"""Different ids, same image: volumes or tiles that show one head or one piece of tissue, however they were changed."""

import pandas as pd

from triptych.audit._context import Context, not_assessable
from triptych.audit._likeness import compare
from triptych.contents import vectors
from triptych.errors import NotEstimableError
from triptych.tables import PERSON

TITLE = "One person under two ids (images that look the same)"
LEAK_CLASS = "identity"
SEVERITY = "stop"
OF_SPLIT = True


def check(context: Context) -> pd.DataFrame:
    """Compare the images of different people of the task, each column of images for itself."""
    if context.content.empty:
        return not_assessable("no column of the role image whose files could be read: nothing to compare")
    here = context.content.merge(context.splits[PERSON].drop_duplicates(), on=PERSON)
    found = [_of(context, rows, modality, kind) for (modality, kind), rows in here.groupby(["modality", "kind"])]
    return pd.concat(found, ignore_index=True) if found else not_assessable("no image of the people of this task")


def _of(context: Context, rows: pd.DataFrame, modality: str, kind: str) -> pd.DataFrame:
    """Findings on the images of one column; too few of one kind leave those of another alone."""
    try:
        return compare(context, *vectors(rows), f"{kind}s of the column {modality!r}")
    except NotEstimableError as error:
        return not_assessable(f"{kind}s of the column {modality!r}: {error}")
