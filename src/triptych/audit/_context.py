"""What an audit may look at, and how it says what it found."""

from dataclasses import dataclass
from typing import Any

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
