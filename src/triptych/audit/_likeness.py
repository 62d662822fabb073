"""Different people whose rows look alike, as a finding."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from triptych.audit._context import Context, finding, findings, looked, meet
from triptych.audit._people import person
from triptych.likeness import pairs
from triptych.splits._groups import group_codes
from triptych.tables import FAMILY, KEY, PERSON

ACTION = "look at the pairs; give them one participant_id or keep one of each; relatives need one family_id"


def compare(context: Context, keys: pd.DataFrame, vectors: np.ndarray, what: str) -> pd.DataFrame:
    """One finding on rows (keys, index 0..n-1) of the task and what they look like (n, d) or (n, views, d).

    Rows of one person or family are not compared; each cohort is measured from its own mean.

    Raises
    ------
    NotEstimableError
        When there are too few people to know how alike strangers are.
    """
    origin = pd.factorize(keys["cohort"])[0]
    found = pairs.find(vectors, _families(context, keys), origin)
    evidence: dict[str, Any] = {"measure": "likeness (cosine)", "threshold": found.threshold}
    names = person(keys).to_numpy(str)
    seen = f"{what} of {len(np.unique(names))} people"
    if not len(found.first):
        return looked(f"no two of {seen} are alike", value=found.strangers, **evidence)
    pair = pd.DataFrame({"a": names[found.first], "b": names[found.second], "score": found.score})
    pair = pair[pair["a"] != pair["b"]]
    swapped = pair["a"] > pair["b"]
    pair.loc[swapped, ["a", "b"]] = pair.loc[swapped, ["b", "a"]].to_numpy()
    pair = pair.groupby(["a", "b"], as_index=False)["score"].max().sort_values("score", ascending=False, kind="stable")
    split = apart(context, pair)
    where = told(split)
    message = f"{len(pair)} pairs of ids look like one person among {seen}, {where}"
    named = [f"{row.a} = {row.b} ({row.score:.3f})" for row in pair.itertuples()]
    severity, score = "stop" if split else "warn", float(pair["score"].iloc[0])
    return findings(finding(severity, message, keys=named, action=ACTION, value=score, **evidence))


def _families(context: Context, keys: pd.DataFrame) -> np.ndarray:
    """Code (n,) of the family, else of the person, of each row."""
    if FAMILY not in context.people:
        return group_codes(keys)
    family = context.people.dropna(subset=FAMILY).drop_duplicates(PERSON)[[*PERSON, FAMILY]]
    return group_codes(keys[KEY].merge(family, on=PERSON, how="left"))


def told(split: bool) -> str:
    """Where ids that look like one person are, in words."""
    return "some on two sides of a split" if split else "always on the same side of the split"


def apart(context: Context, pair: pd.DataFrame) -> bool:
    """Whether ids that look like one person are on two sides of the split in any fold."""
    names, code = np.unique(pair[["a", "b"]].to_numpy(str).ravel(), return_inverse=True)
    a, b = code.reshape(-1, 2).T
    label = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(len(names),) * 2), directed=False)[1]
    rows = context.splits[KEY].drop_duplicates()
    group = person(rows).map(dict(zip(names, label.astype(str), strict=True)))
    return meet(context, rows[group.notna()], group.dropna().to_numpy())
