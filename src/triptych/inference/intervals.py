"""Intervals at the unit of the claim: patients by influence functions, sites by t, resamples by Nadeau & Bengio."""

from dataclasses import dataclass

import numpy as np
from scipy import special  # scipy.stats would cost every job half a second to import

from triptych.errors import NotEstimableError

FEWEST_UNITS = 20
FEWEST_SITES = 5
FEWEST_RESAMPLES = 10


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval, and how it was made."""

    value: float
    low: float
    high: float
    se: float
    df: float
    method: str


def from_influence(value: float, influence: np.ndarray, *, level: float, scale: str, unit: str = "patient") -> Interval:
    """Interval from the influence of each independent unit.

    Parameters
    ----------
    value
        The estimate.
    influence
        (I,) sum of the influences of each unit's rows; the variance of the estimate is I/(I-1) times the sum of squares
        (infinitesimal jackknife; for a mean this is the cluster-robust variance).
    scale
        ``logit`` for values between 0 and 1 (the interval stays inside), ``identity`` else.

    Raises
    ------
    NotEstimableError
        With fewer than 20 units: the normal approximation does not hold there.
    """
    n = len(influence)
    if n < FEWEST_UNITS:
        raise NotEstimableError(f"{n} {unit}s are too few for an interval (at least {FEWEST_UNITS})")
    se = float(np.sqrt(n / (n - 1) * np.sum(np.square(influence))))
    half = float(special.stdtrit(n - 1, 0.5 + level / 2)) * se
    method = f"influence function by {unit}, {'logit-' if scale == 'logit' else ''}t with {n - 1} degrees of freedom"
    if scale == "logit" and 0 < value < 1:
        centre, half = np.log(value / (1 - value)), half / (value * (1 - value))
        low, high = (float(1 / (1 + np.exp(-(centre + sign * half)))) for sign in (-1, 1))
    else:
        low, high = value - half, value + half
    return Interval(value, low, high, se, n - 1, method)


def over_sites(values: np.ndarray, *, level: float) -> Interval:
    """Mean over sites with a t interval of S-1 degrees of freedom.

    Raises
    ------
    NotEstimableError
        Below five sites: the interval would not be informative.
    """
    n = len(values)
    if n < FEWEST_SITES:
        raise NotEstimableError(f"{n} sites are not informative about a new site (at least {FEWEST_SITES})")
    se = float(np.std(values, ddof=1) / np.sqrt(n))
    half = float(special.stdtrit(n - 1, 0.5 + level / 2)) * se
    value = float(np.mean(values))
    return Interval(value, value - half, value + half, se, n - 1, f"t over sites with {n - 1} degrees of freedom")


def over_resamples(values: np.ndarray, *, ratio: float, level: float) -> Interval:
    """Mean over resamples of the training set with the corrected variance of Nadeau & Bengio (2003).

    Parameters
    ----------
    values
        (J,) one per fold and repeat.
    ratio
        Size of a test part over that of its training part.

    Raises
    ------
    NotEstimableError
        Below ten resamples.
    """
    n = len(values)
    if n < FEWEST_RESAMPLES:
        raise NotEstimableError(f"{n} resamples are too few (at least {FEWEST_RESAMPLES}; 10 x 10 is better)")
    se = float(np.sqrt((1 / n + ratio) * np.var(values, ddof=1)))
    half = float(special.stdtrit(n - 1, 0.5 + level / 2)) * se
    value = float(np.mean(values))
    return Interval(value, value - half, value + half, se, n - 1, f"Nadeau-Bengio t over {n} resamples")
