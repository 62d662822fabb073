"""An input that is the outcome, or is made from it: it tells the outcome almost perfectly on its own."""

import numpy as np
import pandas as pd
from scipy import special

from triptych.audit._association import LEVEL, LEVELS
from triptych.audit._context import Context, finding, findings, not_assessable
from triptych.audit._inputs import inputs, numbers
from triptych.audit._people import outcome_score, rows
from triptych.errors import NotEstimableError
from triptych.inference.auc import row_influence
from triptych.survival.concordance import harrell

TITLE = "The outcome among the inputs"
LEAK_CLASS = "target"
SEVERITY = "stop"
LIMIT = 0.98
MANY, SCREENED = 500, 300  # of so many columns, so many rows decide which are looked at closely
NEAR = 0.6  # rank correlation with the outcome, as a share of the largest possible; a C or AUC of .98 means .9 and more
MEASURE = {"survival": "C", "classification": "AUC", "regression": "rank correlation"}
TOLD = {"survival": "equals the event", "classification": "equals the class", "regression": "tells the value"}


def check(context: Context) -> pd.DataFrame:
    """Look at each input alone: C, AUC or Spearman's correlation of numbers, and categories that tell event or class.

    A perfect order of very few events among very many columns can be chance: a rank-sum test, corrected for the number of
    columns, must reject, too.
    """
    table = inputs(context.examples)
    if table is None:
        return not_assessable("no inputs to look at: the predictions were made elsewhere")
    outcome = rows(context)
    kind = "survival" if "event" in outcome else context.kind
    score, chance = outcome_score(outcome, kind), LEVEL / table.shape[1]
    target = outcome["event" if kind == "survival" else "y"].to_numpy(float)
    known, values = numbers(table)
    words = table.columns.difference(known, sort=False)
    few, near = _screen(values, score)
    suspects = {}
    for column in [*words, *np.array(known, dtype=object)[few]]:
        if _tells(table[column], target, chance):
            suspects[column] = f"{column} ({TOLD[kind]})"
    for k in np.flatnonzero(near):
        strength = _strength(values[:, k], outcome, score, kind)
        if strength and max(strength[0], strength[1]) > LIMIT and strength[2] < chance:
            suspects.setdefault(known[k], f"{known[k]} ({MEASURE[kind]} {strength[0]:.3f})")
    if not suspects:
        return findings()
    named = [suspects[column] for column in table if column in suspects]
    message = f"{len(named)} inputs tell the outcome almost perfectly on their own ({MEASURE[kind]} beyond {LIMIT} either way)"
    action = "leave them out, or show that they are known at baseline"
    return findings(finding(SEVERITY, message, keys=named, action=action, measure=MEASURE[kind], threshold=LIMIT))


def _screen(values: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which columns (p,) hold a few different values, and which order the rows much as the outcome does."""
    n, p = values.shape
    if p > MANY and n > SCREENED:
        chosen = np.argsort(score, kind="stable")[np.linspace(0, n - 1, SCREENED).round().astype(int)]
        values, score = values[chosen], score[chosen]
    wanted = score - score.mean()
    largest = np.sort(wanted) @ (np.arange(len(wanted)) - (len(wanted) - 1) / 2)
    few, near = np.zeros(p, bool), np.zeros(p, bool)
    for start in range(0, p, MANY):
        part = np.ascontiguousarray(values[:, start : start + MANY].T, dtype=np.float64)
        gaps = np.isnan(part)
        order = np.argsort(part, axis=1, kind="stable")
        ordered = np.take_along_axis(part, order, axis=1)
        with np.errstate(invalid="ignore"):
            few[start : start + MANY] = (np.diff(ordered, axis=1) > 0).sum(axis=1) < LEVELS
        ranks = np.empty(part.shape)
        np.put_along_axis(ranks, order, np.arange(float(part.shape[1]))[None], axis=1)
        counts = (~gaps).sum(axis=1, keepdims=True)
        ranks = np.where(gaps, 0.0, ranks - (counts - 1) / 2)
        seen = np.abs(ranks @ wanted) / np.maximum(counts[:, 0] / part.shape[1], 1e-9) ** 2
        near[start : start + MANY] = seen > NEAR * largest
    return few, near


def _strength(x: np.ndarray, outcome: pd.DataFrame, score: np.ndarray, kind: str) -> tuple[float, float, float] | None:
    """C, AUC or rank correlation of one column, the same with the column reversed, and how likely that is by chance."""
    seen = ~np.isnan(x)
    x, score, outcome = x[seen], score[seen], outcome[seen]
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(score) == 0:
        return None
    rank = pd.Series(x).rank().to_numpy()
    r = np.corrcoef(rank, score)[0, 1]
    chance = special.gammaincc(0.5, (len(x) - 1) * r**2 / 2)
    if kind == "regression":
        return r, -r, chance
    if kind == "survival":
        try:
            value = harrell(outcome["time"], outcome["event"], x, influence=False).c
        except NotEstimableError:
            return None
        return value, 1 - value, chance
    y = outcome["y"].to_numpy(float)
    value = row_influence(y, x)[0]
    if value in (0.0, 1.0):  # exactly: one of all orders of the classes
        m, n = y.sum(), len(y)
        chance = min(chance, 2 * np.exp(special.gammaln(m + 1) + special.gammaln(n - m + 1) - special.gammaln(n + 1)))
    return value, 1 - value, chance


def _tells(values: pd.Series, target: np.ndarray, chance: float) -> bool:
    """Whether the category (a number or a word) tells the target; many categories of few rows each would by chance."""
    seen = values.notna().to_numpy()
    codes, names = pd.factorize(values[seen])
    target = target[seen]
    if len(names) < 2 or np.ptp(target) == 0 or not (len(names) == 2 or len(codes) >= 5 * len(names)):
        return False
    mean = (np.bincount(codes, target) / np.bincount(codes))[codes]
    if np.ptp(mean) == 0:
        return False
    r = np.corrcoef(mean, target)[0, 1]
    return bool(r > LIMIT and special.gammaincc((len(names) - 1) / 2, (len(target) - 1) * r**2 / 2) < chance)
