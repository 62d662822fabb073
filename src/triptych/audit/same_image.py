"""Different ids, same image: scans that agree voxel by voxel, and volumes or tiles that show one head or one piece of tissue,
however they were changed.
"""

from itertools import combinations

import pandas as pd

from triptych.audit._context import Context, finding, findings, looked, not_assessable
from triptych.audit._likeness import ACTION, apart, compare, told
from triptych.audit._people import person
from triptych.contents import vectors
from triptych.errors import NotEstimableError
from triptych.tables import PERSON

TITLE = "One person under two ids (images that are the same, or look the same)"
LEAK_CLASS = "identity"
SEVERITY = "stop"
OF_SPLIT = True
ONLY_EQUAL = "copies that were changed are found where `roles: {image: [column]}` names the files"


def check(context: Context) -> pd.DataFrame:
    """Compare the scans of different people of the task, and their images, each column of images for itself."""
    here = context.splits[PERSON].drop_duplicates()
    found = _voxels(context, context.scans.merge(here, on=PERSON)) if len(context.scans) else []
    if context.content.empty:
        said = "no column of the role image whose files could be read: nothing to compare"
        return pd.concat(found) if found else not_assessable(said)
    images = context.content.merge(here, on=PERSON).groupby(["modality", "kind"])
    found += [_of(context, rows, modality, kind) for (modality, kind), rows in images]
    return pd.concat(found, ignore_index=True) if found else not_assessable("no image of the people of this task")


def _voxels(context: Context, scans: pd.DataFrame) -> list[pd.DataFrame]:
    """Findings on scans of different people whose intensities are all equal; none when no scan could be read."""
    scans = scans[scans["voxels"].notna() & (scans["voxels"] != "")]
    if scans.empty:
        return []
    groups = person(scans).groupby(scans["voxels"]).unique()
    same = [sorted(people) for people in groups if len(people) > 1]
    seen = f"{len(scans)} scans of {person(scans).nunique()} people"
    if not same:
        return [looked(f"no two of {seen} are equal voxel by voxel; {ONLY_EQUAL}")]
    split = apart(
        context, pd.DataFrame([pair for people in same for pair in combinations(people, 2)], columns=["a", "b"])
    )
    message = f"{len(same)} sets of ids share a scan, equal voxel by voxel, among {seen}, {told(split)}"
    keys = [" = ".join(people) for people in same]
    return [findings(finding("stop" if split else "warn", message, keys=keys, action=ACTION))]


def _of(context: Context, rows: pd.DataFrame, modality: str, kind: str) -> pd.DataFrame:
    """Findings on the images of one column; too few of one kind leave those of another alone."""
    try:
        return compare(context, *vectors(rows), f"{kind}s of the column {modality!r}")
    except NotEstimableError as error:
        return not_assessable(f"{kind}s of the column {modality!r}: {error}")
