"""Who was left out, by class and by site: how many, which share, and for what kind of reason."""

from typing import Any

import pandas as pd

from triptych.audit._excluded import people
from triptych.inference.proportions import modified_wilson
from triptych.ledger import KINDS

COLUMNS = ["by", "group", "people", "left_out", "share", "low", "high", *KINDS, "method"]
UNKNOWN = "not known"


def table(kept: pd.DataFrame, gone: pd.DataFrame, kind: str, level: float) -> pd.DataFrame:
    """One row for all people, for each class (of numbers: below and above the median of those kept) and for each site.

    Parameters
    ----------
    kept, gone
        As for ``triptych.audit._excluded.people``.
    level
        Of the intervals: each is that of a proportion of independent people.

    Returns
    -------
    DataFrame
        ``COLUMNS``; empty when nobody was left out. A person has one kind of reason, the first of ``KINDS`` that applies.
    """
    found = people(kept, gone, kind)
    if not found["gone"].any():
        return pd.DataFrame(columns=COLUMNS)
    parts = [("all", pd.Series("everyone", index=found.index)), ("class", _classes(found, kind))]
    if found["place"].notna().any():
        parts.append(("site", found["place"].fillna(UNKNOWN)))
    made = [_row(by, group, found[label == group], level) for by, label in parts for group in sorted(label.unique())]
    return pd.DataFrame(made, columns=COLUMNS)


def _classes(found: pd.DataFrame, kind: str) -> pd.Series:
    if kind != "regression":
        return found["outcome"].fillna(UNKNOWN)
    numbers = pd.to_numeric(found["outcome"])
    middle = numbers[found["gone"] == 0].median()
    words = (numbers > middle).map({False: f"up to {middle:.3g}", True: f"above {middle:.3g}"})
    return words.where(numbers.notna(), UNKNOWN)


def _row(by: str, group: str, some: pd.DataFrame, level: float) -> list[Any]:
    out = int(some["gone"].sum())
    share = modified_wilson(out, len(some), level=level)
    kinds = [int((some["why"] == kind).sum()) for kind in KINDS]
    return [by, group, len(some), out, share.value, share.low, share.high, *kinds, share.method.partition(" on ")[0]]
