"""What an audit may look at, and how it says what it found."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from triptych.tables import KEY, Examples

FINDING = ["severity", "cohort", "keys", "message", "action", "measure", "value", "low", "high", "threshold"]
NAMED = 20


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
        What the task claims.
    kind
        ``survival``, ``classification`` or ``regression``.
    participants
        All rows and columns of the task's cohorts, also of people who are no examples.
    excluded
        Key, ``site``, ``reason`` and the outcome (``event`` or ``y``) where known, of rows that were left out.
    roles
        Columns of the cohorts by what they stand for: ``demographics``, ``acquisition``, ``quality``, ``visit``, ``label_visit``.
    pretrained
        Model: the people whose data trained the weights it starts from; None when that is not known.
    content
        Key, ``modality``, ``kind``, ``path``, ``view`` and a vector: what the images of the cohorts
        look like (``triptych.contents``).
    scans
        Every scan of the cohorts that have some: key, ``voxels`` (a hash of its intensities) and ``days`` since the person's
        first scan by the DICOM headers, where they say (``triptych.bids.dataset.listing``).
    sessions
        ``all``, or ``baseline`` where the task takes the first session of each person.
    wrong_on_purpose
        Whether the study says that this split leaks.
    seed
        For checks that draw.
    """

    splits: pd.DataFrame
    examples: Examples | None
    people: pd.DataFrame
    notes: pd.DataFrame
    estimand: str
    kind: str = "survival"
    participants: pd.DataFrame = field(default_factory=pd.DataFrame)
    excluded: pd.DataFrame = field(default_factory=pd.DataFrame)
    roles: dict[str, list[str]] = field(default_factory=dict)
    pretrained: dict[str, pd.DataFrame | None] = field(default_factory=dict)
    content: pd.DataFrame = field(default_factory=pd.DataFrame)
    scans: pd.DataFrame = field(default_factory=pd.DataFrame)
    sessions: str = "all"
    wrong_on_purpose: bool = False
    seed: int = 0


def findings(*rows: dict[str, Any]) -> pd.DataFrame:
    """Findings as a table; none is an empty table, which means: looked for and not found."""
    return pd.DataFrame(list(rows), columns=FINDING)


def finding(
    severity: str,
    message: str,
    *,
    cohort: str = "",
    keys: Any = (),
    action: str = "",
    measure: str = "",
    value: float = np.nan,
    low: float = np.nan,
    high: float = np.nan,
    threshold: float = np.nan,
) -> dict[str, Any]:
    """One finding; of many keys the first twenty are named.

    Parameters
    ----------
    severity
        What the run does: ``stop``, ``group`` (kept together, goes on), ``warn``, ``pass`` or ``not assessable``.
    measure, value, low, high, threshold
        The evidence, where it is a number: what was measured, how much, its interval, and from where on it is a finding.
    """
    keys = list(keys)
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    named = "; ".join(map(str, keys[:NAMED])) + more
    values = (severity, cohort, named, message, action, measure, value, low, high, threshold)
    return dict(zip(FINDING, values, strict=True))


def looked(message: str, **evidence: Any) -> pd.DataFrame:
    """Nothing was found; the message and the evidence say what was seen."""
    return findings(finding("pass", message, **evidence))


def not_assessable(reason: str) -> pd.DataFrame:
    """The check cannot be made on these data."""
    return findings(finding("not assessable", reason))


def on_both_sides(splits: pd.DataFrame, group: pd.Series) -> Iterator[tuple[str, pd.Index]]:
    """Folds in which a group (a label for each row, or none) trains and is tested, and the rows of such groups.

    The index of ``splits`` must be that of ``group``, and unique.
    """
    for (repeat, fold), rows in splits.assign(group=group).dropna(subset="group").groupby(["repeat", "fold"]):
        shared = set(rows.loc[rows["part"] == "train", "group"]) & set(rows.loc[rows["part"] == "test", "group"])
        if shared:
            yield f"repeat {repeat + 1}, fold {fold + 1}", rows.index[rows["group"].isin(shared)]


def meet(context: Context, keys: pd.DataFrame, group: np.ndarray) -> bool:
    """Whether rows of one group (a label for each of ``keys``) are on two sides of the split in any fold."""
    label = pd.Series(group, index=pd.MultiIndex.from_frame(keys[KEY]))
    splits = context.splits.reset_index(drop=True)
    here = label[~label.index.duplicated()].reindex(pd.MultiIndex.from_frame(splits[KEY])).set_axis(splits.index)
    return next(on_both_sides(splits, here), None) is not None
