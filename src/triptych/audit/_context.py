"""What an audit may look at, and how it says what it found."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from triptych.tables import Examples

FINDING = ["severity", "cohort", "keys", "message", "action"]


@dataclass(frozen=True)
class Context:
    """One task before any fit.

    Attributes
    ----------
    splits
        ``repeat, fold, key, part``; of predictions made elsewhere only the tested rows are known.
    examples
        Rows with outcome and inputs, or None for predictions made elsewhere.
    people
        Key, ``site`` and ``family_id`` where known, ``time``, ``event``: one row per example.
    notes
        Rows of the cohorts' ``failures.tsv`` (ids that were unified, copies that were removed).
    estimand
        What the study claims.
    """

    splits: pd.DataFrame
    examples: Examples | None
    people: pd.DataFrame
    notes: pd.DataFrame
    estimand: str


def findings(*rows: dict[str, Any]) -> pd.DataFrame:
    """Findings as a table; none is an empty table, which means: looked for and not found."""
    return pd.DataFrame(list(rows), columns=FINDING)


def finding(severity: str, message: str, *, cohort: str = "", keys: Any = (), action: str = "") -> dict[str, Any]:
    """One finding; of many keys the first twenty are named."""
    keys = list(keys)
    more = f" and {len(keys) - 20} more" if len(keys) > 20 else ""
    named = "; ".join(map(str, keys[:20])) + more
    return {"severity": severity, "cohort": cohort, "keys": named, "message": message, "action": action}


def not_assessable(reason: str) -> pd.DataFrame:
    """The check cannot be made on these data."""
    return findings(finding("not assessable", reason))


def on_both_sides(splits: pd.DataFrame, group: pd.Series) -> Iterator[tuple[str, np.ndarray]]:
    """Folds in which a group (a label for each row, or none) trains and is tested, and the people concerned."""
    for (repeat, fold), rows in splits.assign(group=group).dropna(subset="group").groupby(["repeat", "fold"]):
        shared = set(rows.loc[rows["part"] == "train", "group"]) & set(rows.loc[rows["part"] == "test", "group"])
        if shared:
            yield (
                f"repeat {repeat + 1}, fold {fold + 1}",
                rows.loc[rows["group"].isin(shared), "participant_id"].unique(),
            )
