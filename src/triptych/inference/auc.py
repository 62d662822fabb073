"""Area under the ROC curve with the covariance of DeLong (rows independent) and of Obuchowski (rows in patients).

O(N log N) by midranks. pROC's ``obuchowski`` is another thing (a binormal variance for power).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from triptych.errors import DataError, NotEstimableError
from triptych.inference.checks import numbers, unit_codes
from triptych.inference.comparisons import Comparison
from triptych.inference.intervals import FEWEST_UNITS, Interval


@dataclass(frozen=True)
class Areas:
    """AUCs of one or more scores on the same rows.

    values : (k,). covariance : (k, k), unbiased in the manner of the method. influence : (I, k), change of each value per
    unit, units in the order of their labels; fits `intervals.from_influence` and `comparisons.by_unit`, whose factor
    I/(I-1) differs a little from that of the method here. unit : what a unit is.
    """

    values: np.ndarray
    covariance: np.ndarray
    influence: np.ndarray
    method: str
    unit: str


def two_classes(y: ArrayLike) -> np.ndarray:
    """Flags (n,) of the positive rows from 0 and 1 or booleans.

    Raises
    ------
    DataError
        Another value, naming the row, or one class only.
    """
    values = numbers(y, "y")
    bad = (values != 0) & (values != 1)
    if bad.any():
        raise DataError(f"y is {values[bad][0]:g} in row {int(np.argmax(bad))}; it must be 0 or 1")
    if values.min() == values.max():
        raise DataError(f"y has one class only: every row is {values[0]:g}")
    return values == 1


def score_columns(scores: ArrayLike, n: int) -> np.ndarray:
    """Scores as (n, k) from (n,) or (n, k); infinite ones can be ranked. DataError names a row that is missing."""
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim not in (1, 2) or array.shape[0] != n:
        raise DataError(f"scores has shape {array.shape} where y has {n} rows")
    array = array.reshape(n, -1)
    bad = np.isnan(array).any(axis=1)
    if bad.any():
        raise DataError(f"scores is missing in row {int(np.argmax(bad))}")
    return array


def _midranks(x: np.ndarray) -> np.ndarray:
    _, codes, counts = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[codes]


def placements(y: ArrayLike, score: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Share of negatives that each positive beats (m,), and of positives that beat each negative (n,); ties one half.

    In the order of the rows; the mean of either is the AUC (DeLong, DeLong & Clarke-Pearson 1988).
    """
    positive = two_classes(y)
    x = score_columns(score, positive.size)[:, 0]
    return _placements(positive, x)


def _placements(positive: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ranks, m = _midranks(x), int(positive.sum())
    n = positive.size - m
    v10 = (ranks[positive] - _midranks(x[positive])) / n
    v01 = 1 - (ranks[~positive] - _midranks(x[~positive])) / m
    return v10, v01


def row_influence(y: ArrayLike, score: ArrayLike) -> tuple[float, np.ndarray]:
    """AUC and the influence (n,) of each row: its placement less the AUC, over the size of its class."""
    positive = two_classes(y)
    v10, v01 = placements(y, score)
    value, influence = float(v10.mean()), np.empty(positive.size)
    influence[positive] = (v10 - value) / v10.size
    influence[~positive] = (v01 - value) / v01.size
    return value, influence


def delong(y: ArrayLike, scores: ArrayLike) -> Areas:
    """AUCs and their covariance for independent rows (DeLong et al. 1988, Biometrics 44:837; Sun & Xu 2014).

    Parameters
    ----------
    y
        (n,) 0 or 1.
    scores
        (n,) or (n, k), higher for 1.

    Raises
    ------
    NotEstimableError
        With fewer than 2 rows of a class.
    DataError
        Bad input, naming the row; one class only.
    """
    return _areas(y, scores, None, "DeLong", "row")


def obuchowski(y: ArrayLike, scores: ArrayLike, cluster: ArrayLike, *, unit: str = "patient") -> Areas:
    """AUCs and their covariance for rows in independent clusters (Obuchowski 1997, Biometrics 53:567).

    Parameters
    ----------
    y, scores
        As in `delong`, which it equals with one row per cluster.
    cluster
        (n,) labels; a cluster may hold rows of both classes.

    Raises
    ------
    NotEstimableError
        With fewer than 2 clusters that have a row of a class.
    DataError
        Bad input, naming the row; one class only.
    """
    return _areas(y, scores, cluster, "Obuchowski", unit)


def _areas(y: ArrayLike, scores: ArrayLike, cluster: ArrayLike | None, method: str, unit: str) -> Areas:
    positive = two_classes(y)
    columns = score_columns(scores, positive.size)
    codes, units = unit_codes(cluster, positive.size, "cluster")
    m = np.bincount(codes[positive], minlength=units)
    n = np.bincount(codes[~positive], minlength=units)
    having = np.array([np.count_nonzero(m), np.count_nonzero(n)])
    for count, name in zip(having, ("positive", "negative"), strict=True):
        if count < 2:
            raise NotEstimableError(
                f"{count} {unit} with a {name} row is too few for the variance of an AUC (at least 2)"
            )
    values = np.empty(columns.shape[1])
    a, b = np.empty((units, values.size)), np.empty((units, values.size))
    for j, x in enumerate(columns.T):
        v10, v01 = _placements(positive, x)
        values[j] = v10.mean()
        a[:, j] = np.bincount(codes[positive], v10 - values[j], units) / m.sum()
        b[:, j] = np.bincount(codes[~positive], v01 - values[j], units) / n.sum()
    ten, one = having / (having - 1)
    both = a.T @ b
    covariance = ten * (a.T @ a) + one * (b.T @ b) + units / (units - 1) * (both + both.T)
    return Areas(values, covariance, a + b, method, unit)


def _enough(areas: Areas) -> int:
    units = len(areas.influence)
    if units < FEWEST_UNITS:
        raise NotEstimableError(
            f"{units} {areas.unit}s are too few for an interval of the AUC (at least {FEWEST_UNITS})"
        )
    return units


def auc_interval(areas: Areas, which: int = 0, *, level: float) -> Interval:
    """Interval of one AUC on the logit scale, t with I-2 degrees of freedom.

    Raises
    ------
    NotEstimableError
        Below 20 units, or where a score separates the classes fully: its variance is then 0, which is not to be believed.
    """
    df = _enough(areas) - 2
    value, se = float(areas.values[which]), float(np.sqrt(areas.covariance[which, which]))
    if not 0 < value < 1 or se < 1e-14:
        raise NotEstimableError(f"an AUC of {value:g} without any variation between rows has no interval")
    half = float(special.stdtrit(df, 0.5 + level / 2)) * se / (value * (1 - value))
    low, high = (float(special.expit(special.logit(value) + sign * half)) for sign in (-1, 1))
    return Interval(value, low, high, se, df, f"{areas.method} by {areas.unit}, logit-t with {df} degrees of freedom")


def compare_aucs(areas: Areas, first: int = 0, second: int = 1, *, level: float) -> Comparison:
    """Two AUCs on the same rows, normal z. Not for nested models fitted and tested on the same rows.

    Raises
    ------
    NotEstimableError
        Below 20 units, or when the scores order all rows alike.
    """
    _enough(areas)
    contrast = np.zeros(areas.values.size)
    contrast[first] += 1
    contrast[second] -= 1
    value = float(areas.values[first] - areas.values[second])
    se = float(np.sqrt(max(contrast @ areas.covariance @ contrast, 0.0)))
    if se < 1e-10:
        raise NotEstimableError("the two scores do not differ in how they order the rows")
    half = float(special.ndtri(0.5 + level / 2)) * se
    method = f"paired {areas.method} z by {areas.unit}"
    interval = Interval(value, value - half, value + half, se, np.inf, method)
    return Comparison(interval, value / se, float(2 * special.ndtr(-abs(value / se))))
