"""Average ranks of several models over several data sets: Friedman, Iman-Davenport, Nemenyi's critical difference.

Source: Demsar 2006, JMLR 7:1-30. Rows must be independent data sets; folds of one data set are refused.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # scipy.stats would cost every job half a second to import

from triptych.errors import DataError, NotEstimableError

FEWEST_DATA_SETS = 5


@dataclass(frozen=True)
class RankTest:
    """A chi-squared or F statistic with its degrees of freedom and p value; df2 is infinite for chi-squared."""

    statistic: float
    df1: float
    df2: float
    p: float


@dataclass(frozen=True)
class Friedman:
    """Average ranks (k,), 1 the best, of k models over n data sets, and three tests that all are equal.

    plain : Demsar's formula, without correction for ties. corrected : for ties, as in scipy.
    iman_davenport : F from the plain statistic, less conservative.
    """

    ranks: NDArray[np.float64]
    n: int
    plain: RankTest
    corrected: RankTest
    iman_davenport: RankTest


def refuse_folds(rows: str, n: int) -> None:
    """Refuse rows that are not independent data sets, or too few of them.

    Raises
    ------
    NotEstimableError
        rows is "folds", or n is below 5.
    DataError
        rows is neither "data sets" nor "folds".
    """
    if rows not in ("data sets", "folds"):
        raise DataError(f"rows is {rows!r}; it must be 'data sets' or 'folds'")
    if rows == "folds":
        raise NotEstimableError(
            "folds of one data set share their training data: ranks over them prove nothing; "
            "compare by the corrected t over resamples"
        )
    if n < FEWEST_DATA_SETS:
        raise NotEstimableError(f"{n} data sets are too few to rank models (at least {FEWEST_DATA_SETS})")


def row_ranks(scores: ArrayLike, *, higher_is_better: bool) -> NDArray[np.float64]:
    """Ranks (n, k) within each row of (n, k) scores, 1 the best, ties averaged.

    Raises
    ------
    DataError
        Not a table with two columns or more, or a score that is missing, naming the row.
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise DataError(f"scores has shape {table.shape}; it must be (data sets, models) with two models or more")
    bad = np.isnan(table).any(axis=1)
    if bad.any():
        raise DataError(f"a score is missing in row {int(np.argmax(bad))}; every model needs one on every data set")
    table = -table if higher_is_better else table
    below = (table[:, None, :] < table[:, :, None]).sum(axis=2)
    equal = (table[:, None, :] == table[:, :, None]).sum(axis=2)
    return below + (equal + 1) / 2


def friedman(scores: ArrayLike, *, higher_is_better: bool, rows: str = "data sets") -> Friedman:
    """Friedman's test of equal models over independent data sets.

    Parameters
    ----------
    scores : (n, k), one row per data set, one column per model.
    higher_is_better : direction of the score; never guessed.
    rows : "data sets", or "folds", which is refused.

    Raises
    ------
    NotEstimableError
        Fewer than 5 data sets, folds, or models that tie on every data set.
    DataError
        Bad input, naming the row.
    """
    ranks = row_ranks(scores, higher_is_better=higher_is_better)
    n, k = ranks.shape
    refuse_folds(rows, n)
    mean = ranks.mean(axis=0)
    between = n * float(np.sum((mean - (k + 1) / 2) ** 2))
    within = float(np.sum((ranks - (k + 1) / 2) ** 2)) / (n * (k - 1))
    if within <= 0:
        raise NotEstimableError("the models tie on every data set")
    plain, corrected = between / (k * (k + 1) / 12), between / within
    spare = n * (k - 1) - plain
    f = (n - 1) * plain / spare if spare > 1e-12 else np.inf
    df2 = float((k - 1) * (n - 1))
    return Friedman(
        mean,
        n,
        RankTest(plain, k - 1, np.inf, float(special.chdtrc(k - 1, plain))),
        RankTest(corrected, k - 1, np.inf, float(special.chdtrc(k - 1, corrected))),
        RankTest(float(f), k - 1, df2, float(special.fdtrc(k - 1, df2, f)) if np.isfinite(f) else 0.0),
    )


def nemenyi_q(k: int, *, alpha: float = 0.05) -> float:
    """Critical value of Nemenyi's test for k models: studentised range with infinite df, over the root of 2."""
    from scipy.stats import studentized_range  # only here: scipy.stats is slow to import

    if k < 2:
        raise DataError(f"k is {k}; two models or more are needed")
    return float(studentized_range.isf(alpha, k, np.inf) / np.sqrt(2))


@dataclass(frozen=True)
class Nemenyi:
    """Critical difference of average ranks, and which pairs exceed it, (k, k)."""

    critical_difference: float
    differ: NDArray[np.bool_]


def nemenyi(ranks: ArrayLike, n: int, *, alpha: float = 0.05, rows: str = "data sets") -> Nemenyi:
    """Nemenyi's post-hoc test: all pairs of average ranks, (k,), over n data sets at a family-wise level of alpha.

    Raises
    ------
    NotEstimableError
        As in `friedman`.
    """
    refuse_folds(rows, n)
    mean = np.asarray(ranks, dtype=np.float64)
    k = mean.size
    critical = nemenyi_q(k, alpha=alpha) * float(np.sqrt(k * (k + 1) / (6 * n)))
    return Nemenyi(critical, np.abs(mean[:, None] - mean) > critical)
