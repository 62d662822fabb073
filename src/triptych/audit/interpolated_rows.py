"""Rows that lie exactly between two others: made by SMOTE or the like, before the split."""

import numpy as np
import pandas as pd

from triptych.audit._context import Context, finding, findings, meet, not_assessable
from triptych.audit._inputs import inputs, numbers
from triptych.audit._people import person, rows

TITLE = "Rows made from others before the split (SMOTE)"
LEAK_CLASS = "augmentation"
SEVERITY = "stop"
OF_SPLIT = True
COLUMNS, MOST_COLUMNS, SAMPLE = 4, 8, 1000
CLOSE = 1e-10  # 1 - |cosine|: three rows on one line to five digits, which chance does not do in four dimensions
FEWEST = 3  # rows, below which rounding may be to blame


def check(context: Context) -> pd.DataFrame:
    """Look for three rows on one line in the space of the inputs (Chawla et al. 2002: a new row is a + u (b - a)).

    Of more than a thousand rows a thousand are looked at, each against all.
    """
    table = inputs(context.examples)
    if table is None:
        return not_assessable("no inputs to compare: the predictions were made elsewhere")
    _, values = numbers(table)
    measured = _measured(values)
    if measured is None:
        return not_assessable(f"fewer than {COLUMNS} inputs are measured finely enough to tell rows on one line")
    x, complete = measured
    keys = rows(context).iloc[complete]
    chosen = list(range(len(x)))
    if len(x) > SAMPLE:
        chosen = sorted(np.random.default_rng(context.seed).permutation(len(x))[:SAMPLE].tolist())
    made = {k: pair for k in chosen if (pair := _between(x, k)) is not None}
    if len(made) < FEWEST:
        return findings()
    apart = any(meet(context, keys.iloc[[k, *pair]], np.zeros(3)) for k, pair in made.items())
    where = "on two sides of a split" if apart else "always on the same side of the split"
    message = f"{len(made)} of {len(chosen)} rows lie exactly between two others, {where}"
    named = (person(keys) + "/" + keys["session_id"].astype(str)).iloc[list(made)]
    action = "make new rows inside training only, after the split"
    return findings(finding(SEVERITY if apart else "warn", message, keys=named, action=action, threshold=FEWEST))


def _measured(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Up to eight columns (m, d) whose values hardly ever repeat, scaled, and the m rows without gaps in them.

    None with fewer than four such columns, or where fewer than half of the rows are complete.
    """
    kept: list[np.ndarray] = []
    for column in values.T:
        known = column[~np.isnan(column)]
        if len(known) > 2 and len(known) >= 0.9 * len(column) and len(np.unique(known)) >= 0.9 * len(known):
            kept.append(column)
        if len(kept) == MOST_COLUMNS:
            break
    if len(kept) < COLUMNS:
        return None
    x = np.column_stack(kept)
    complete = np.flatnonzero(~np.isnan(x).any(axis=1))
    x = x[complete]
    return ((x - x.mean(axis=0)) / x.std(axis=0), complete) if 2 * len(x) >= len(values) else None


def _between(x: np.ndarray, k: int) -> tuple[int, int] | None:
    """Two rows with row k on the line between them; rows of one direction are neighbours in the order of a slope."""
    away = x - x[k]
    length = np.linalg.norm(away, axis=1)
    others = np.flatnonzero(length > 1e-12)
    unit = away[others] / length[others, None]
    with np.errstate(divide="ignore"):
        order = np.argsort(unit[:, 1] / unit[:, 0], kind="stable")
    unit, others = unit[order], others[order]
    for lag in (1, 2):
        cosine = np.sum(unit[lag:] * unit[:-lag], axis=1)
        hit = np.flatnonzero(cosine < -(1 - CLOSE))
        if hit.size:
            return int(others[hit[0]]), int(others[hit[0] + lag])
    return None
