"""Median of scores such as Dice: order statistics where each patient has one row, percentile bootstrap of patients."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from triptych.errors import NotEstimableError
from triptych.inference.bootstrap import FEWEST, cluster_bootstrap, refuse_few
from triptych.inference.checks import numbers, unit_codes
from triptych.inference.intervals import FEWEST_UNITS, Interval


def median_order_statistic(values: ArrayLike, *, level: float, unit: ArrayLike | None = None) -> Interval:
    """Interval of the median between two order statistics: covers at least ``level`` for any distribution, ties or not.

    Parameters
    ----------
    values
        (n,) one per patient.
    unit
        (n,) patients, to make sure of that.

    Raises
    ------
    NotEstimableError
        Where even the smallest and the largest value cover less (below 6 at .95), or a patient has several rows.
    DataError
        Bad input, naming the row.
    """
    x = np.sort(numbers(values, "values"))
    n = x.size
    codes, units = unit_codes(unit, n)
    if units < n:
        row = int(np.flatnonzero(np.bincount(codes)[codes] > 1)[0])
        raise NotEstimableError(
            f"order statistics need one row per patient; that of row {row} has more: use the bootstrap"
        )
    cut = int(np.sum(special.bdtr(np.arange(n // 2 + 1), n, 0.5) <= 0.5 - level / 2))
    if cut == 0:
        least = int(np.ceil(1 - np.log2(1 - level)))
        raise NotEstimableError(f"{n} scores are too few for an interval of the median (at least {least})")
    covered = 1 - 2 * float(special.bdtr(cut - 1, n, 0.5))
    method = f"order statistics {cut} and {n + 1 - cut} of {n}, coverage at least {covered:.3f}"
    return Interval(float(np.median(x)), float(x[cut - 1]), float(x[n - cut]), np.nan, np.inf, method)


def weighted_medians(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Medians (b,) of values (N,) sorted upwards, each taken as often as the whole weights (b, N) say."""
    total = np.cumsum(weights, axis=1)
    half = total[:, -1:] / 2
    lower = np.argmax(total >= half, axis=1)
    upper = np.argmax(total > half, axis=1)
    return (values[lower] + values[upper]) / 2


def median_bootstrap(
    values: ArrayLike,
    unit: ArrayLike | None,
    *,
    level: float,
    rng: np.random.Generator,
    replicates: int = 2000,
    kind: str = "percentile",
) -> Interval:
    """Interval of the median over all rows, resampling whole patients.

    Parameters
    ----------
    values, unit
        (N,) scores and patients; None where each row is a patient.
    kind
        ``percentile``; ``basic`` is refused (it covered .82 to .87 at 20 to 100 patients), and so is ``bca``, whose
        jackknife does not work for a median.

    Raises
    ------
    NotEstimableError
        Below 20 patients of one row, or 50 of several; and for another kind.
    DataError
        Bad input, naming the row.
    """
    x = numbers(values, "values")
    codes, units = unit_codes(unit, x.size)
    refuse_few(units, "patient", kind, FEWEST_UNITS if units == x.size else FEWEST["patient"])
    if kind == "bca":
        raise NotEstimableError("no BCa interval of a median: leaving out one patient gives two values only")
    order = np.argsort(x, kind="stable")
    ordered = x[order]
    return cluster_bootstrap(
        lambda weights: weighted_medians(ordered, weights),
        codes[order],
        level=level,
        rng=rng,
        replicates=replicates,
        kind=kind,
        weighted=True,
        fewest=FEWEST_UNITS if units == x.size else None,
    )
