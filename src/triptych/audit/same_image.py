"""One person under two ids: volumes or tiles that show the same, whatever was done to the file."""

import numpy as np
import pandas as pd

from triptych.audit._alike import Alike, alike, same_files
from triptych.audit._context import Context, not_assessable
from triptych.audit._people import person
from triptych.likeness import match, tiles, volumes
from triptych.tables import KEY

TITLE = "One person under two ids (image)"
LEAK_CLASS = "identity"
SEVERITY = "stop"
OF_SPLIT = True


def check(context: Context) -> pd.DataFrame:
    """Compare all volumes, and all tiles, of the task's cohorts with each other."""
    content = context.content.reset_index(drop=True)
    if not len(content):
        return not_assessable("no images: no cohort of this task has files that could be read")
    keys = content[KEY]
    who, cohort = pd.factorize(person(keys))[0], pd.factorize(keys["cohort"])[0]
    found, reasons = [], []
    for kind, rows in content.groupby("kind", sort=True).indices.items():
        if why := match.refusal(who[rows]):
            reasons.append(f"{kind}s: {why}")
            continue
        vectors = content.loc[rows, [c for c in content if c[0] == "e" and c[1:].isdigit()]].to_numpy(np.float32)
        vectors = vectors[:, ~np.isnan(vectors).all(0)]
        poses, least = (
            ([vectors, volumes.mirrored(vectors)], volumes.SAME_HEAD)
            if kind == "volume"
            else (tiles.poses(vectors), tiles.SAME_TILE)
        )
        matches = match.find(poses, who[rows], cohort[rows], least)
        found.append(Alike(str(kind), rows, matches, np.ones(len(rows), bool)))
    copies = same_files(content, who)
    if not found and not len(copies[0]):
        return not_assessable("; ".join(reasons))
    return alike(context, keys, found, copies)
