"""Rows that a split scheme sees, and who must stay together, by brute force."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from triptych.tables import FAMILY, KEY


def people(n=40, **columns):
    table = pd.DataFrame(
        {
            "cohort": "c",
            "participant_id": [f"p{i:03d}" for i in range(n)],
            "session_id": "ses-1",
            "stratum": [i % 3 == 0 for i in range(n)],
        }
    )
    return table.assign(**columns)


def relatives(table):
    """Who must stay together, by brute force: rows that share a person or a family, directly or through others."""
    group = np.arange(len(table))
    person = list(zip(table["cohort"], table["participant_id"], strict=True))
    family = [
        (c, f) if isinstance(f, str) else None
        for c, f in zip(table["cohort"], table.get(FAMILY, [None] * len(table)), strict=True)
    ]
    for _ in range(len(table)):
        for i in range(len(table)):
            for j in range(i):
                if person[i] == person[j] or (family[i] is not None and family[i] == family[j]):
                    group[i] = group[j] = min(group[i], group[j])
    return group


def sides(splits, table):
    """One row per (repeat, fold, relatives): the parts in which they are."""
    group = dict(zip(map(tuple, table[KEY].to_numpy()), relatives(table), strict=True))
    groups = [group[tuple(key)] for key in splits[KEY].to_numpy()]
    return splits.assign(group=groups).groupby(["repeat", "fold", "group"])["part"].nunique()


def same(one, other):
    order = ["repeat", "fold", *KEY]
    pd.testing.assert_frame_equal(
        one.sort_values(order, ignore_index=True), other.sort_values(order, ignore_index=True)
    )


@st.composite
def cohorts(draw):
    """Rows with repeated sessions and families; a family may be named by some sessions of a person only, or be two."""
    n = draw(st.integers(8, 24))
    rows = {}
    for _ in range(n):
        key = (draw(st.sampled_from("ab")), f"p{draw(st.integers(0, 11))}", f"s{draw(st.integers(0, 2))}")
        rows[key] = (draw(st.sampled_from([None, None, "f1", "f2", "f3"])), draw(st.booleans()))
    table = pd.DataFrame([(*key, *rest) for key, rest in rows.items()], columns=[*KEY, FAMILY, "stratum"])
    return table if draw(st.booleans()) else table.drop(columns=FAMILY)
