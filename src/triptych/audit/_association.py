"""Does anything go with the outcome? Permutation tests of many columns at once, at the patient."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

LEVEL = 0.001  # a check of clean data raises a false alarm this often
LEVELS = 12  # numbers with so few different values are looked at as categories
FEW = 3  # rarer categories are taken together
BLOCK, MOST, ENOUGH = 100, 2999, 10


@dataclass(frozen=True)
class Association:
    """How one column goes with the outcome.

    effect : a standardised mean difference, Cramér's V, or the correlation (ratio) with the outcome, by ``measure``.
    p : of the permutation test, corrected for all columns tested together.
    """

    column: str
    measure: str
    effect: float
    p: float

    @property
    def found(self) -> bool:
        """Whether this is more than chance."""
        return self.p <= LEVEL

    @property
    def evidence(self) -> dict[str, Any]:
        """Measure, value and threshold of a finding."""
        return {"measure": self.measure, "value": self.effect, "threshold": LEVEL}

    def __str__(self) -> str:
        return f"{self.column} ({self.measure} {self.effect:.2f}, p {self.p:.2g})"


def associations(
    score: np.ndarray, columns: pd.DataFrame, *, seed: int, positive: np.ndarray | None = None
) -> list[Association]:
    """Test each column against the outcome by exchanging outcomes between patients.

    The statistic of a column is the sum of squares of the score that its ranks (numbers) or its categories explain; columns
    of unlike size are compared by its chi-squared approximation, and the largest of all columns in each permutation
    corrects for their number (Westfall & Young 1993). Drawing ends early where nothing is found (Besag & Clifford 1991).

    Parameters
    ----------
    score
        (n,) a number for the outcome of each patient.
    columns
        (n, k), one row per patient; missing numbers count as average, missing words as a category.
    positive
        (n,) classes, where there are two: effects are then given as differences between them.

    Returns
    -------
    list
        One for each column that is not constant; empty when the outcome is.
    """
    centred = score - score.mean()
    designs = {name: _design(columns[name]) for name in columns}
    designs = {name: design for name, design in designs.items() if design.shape[1]}
    if not designs or np.ptp(score) == 0:
        return []
    first = np.cumsum([0, *(design.shape[1] for design in designs.values())])[:-1]
    basis, df = np.hstack(list(designs.values())), np.array([_df(design) for design in designs.values()])
    variance = centred @ centred / (len(centred) - 1)

    def surprise(outcomes: np.ndarray) -> np.ndarray:
        explained = np.add.reduceat(np.square(outcomes @ basis), first, axis=1) / variance
        return -_log_tail(explained, df)

    p = _adjusted(surprise, centred, seed)
    found = zip(designs, np.add.reduceat(np.square(centred @ basis), first), p, strict=True)
    total = centred @ centred
    return [
        Association(name, *_effect(columns[name], float(np.sqrt(explained / total)), positive), float(value))
        for name, explained, value in found
    ]


def strongest(tested: list[Association]) -> Association:
    """The one with the smallest p, and of those the largest effect."""
    return min(tested, key=lambda one: (one.p, -abs(one.effect)))


def _adjusted(surprise: Callable[[np.ndarray], np.ndarray], centred: np.ndarray, seed: int) -> np.ndarray:
    """Permutation p values (k,), each against the largest statistic of all columns."""
    random = np.random.default_rng(seed)
    observed = surprise(centred[None])[0]
    reached, drawn = np.zeros(len(observed)), 0
    while drawn < MOST and reached.min() < ENOUGH:
        block = min(BLOCK, MOST - drawn)
        largest = surprise(random.permuted(np.tile(centred, (block, 1)), axis=1)).max(axis=1)
        reached += (largest[:, None] >= observed - 1e-9).sum(axis=0)
        drawn += block
    return (reached + 1) / (drawn + 1)


def is_levels(values: pd.Series) -> bool:
    """Whether a column is looked at as categories: words, truth values, or a few different numbers."""
    return not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values) or values.nunique() <= LEVELS


def _design(values: pd.Series) -> np.ndarray:
    """Orthonormal columns (n, df) that the score is projected on; none for a constant."""
    if not is_levels(values):
        ranks = values.astype(float).rank()
        centred = (ranks - ranks.mean()).fillna(0.0).to_numpy()
        return centred[:, None] / np.linalg.norm(centred)
    words = values.astype(object).where(values.notna(), "missing").astype(str)
    counts = words.map(words.value_counts())
    codes, names = pd.factorize(words.where(counts >= FEW, "rare"))
    if len(names) < 2:
        return np.empty((len(values), 0))
    flags = np.zeros((len(values), len(names)))
    flags[np.arange(len(values)), codes] = 1.0
    return flags / np.sqrt(flags.sum(axis=0))


def _df(design: np.ndarray) -> int:
    """Indicators of categories span the mean, too."""
    return max(1, design.shape[1] - 1)


def _log_tail(statistic: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Log of the chi-squared tail; far out, where it is no number any more, its leading term keeps the order."""
    tail = special.gammaincc(df / 2, statistic / 2)
    return np.where(tail > 1e-290, np.log(np.maximum(tail, 1e-290)), -statistic / 2 - 300)


def _effect(values: pd.Series, correlation: float, positive: np.ndarray | None) -> tuple[str, float]:
    """The size of what was found, in the words of the field."""
    if is_levels(values):
        return ("Cramér's V" if positive is not None else "correlation ratio"), correlation
    if positive is None:
        return "rank correlation", correlation
    one, two = (values[positive == flag].dropna().astype(float) for flag in (True, False))
    pooled = np.sqrt((one.var() + two.var()) / 2)
    return "standardised mean difference", float((one.mean() - two.mean()) / pooled) if pooled > 0 else np.inf
