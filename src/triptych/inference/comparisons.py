"""Paired tests at the unit of the claim, and the correction for how many were made."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from triptych.errors import NotEstimableError
from triptych.inference.intervals import Interval, from_influence, over_resamples, over_sites


@dataclass(frozen=True)
class Comparison:
    """A difference (first minus second) with interval, statistic and two-sided p."""

    interval: Interval
    statistic: float
    p: float


def by_unit(
    value_a: float, value_b: float, influence_a: np.ndarray, influence_b: np.ndarray, *, level: float
) -> Comparison:
    """Two models on the same units, from the difference of their influences.

    For C-indices this is the paired test of two concordances by the infinitesimal jackknife.

    Parameters
    ----------
    influence_a, influence_b
        (I,) per unit, in the same order.

    Raises
    ------
    NotEstimableError
        With too few units, or when the two models never differ.
    """
    interval = from_influence(value_a - value_b, influence_a - influence_b, level=level, scale="identity")
    return tested(interval, f"paired influence functions by patient, t with {interval.df:g} degrees of freedom")


def by_site(values_a: np.ndarray, values_b: np.ndarray, *, level: float) -> Comparison:
    """Two models on the same sites: t over the differences per site."""
    interval = over_sites(values_a - values_b, level=level)
    return tested(interval, f"paired t over sites with {interval.df:g} degrees of freedom")


def by_resample(values_a: np.ndarray, values_b: np.ndarray, *, ratio: float, level: float) -> Comparison:
    """Two ways of training on the same resamples: corrected t of Nadeau & Bengio (2003)."""
    interval = over_resamples(values_a - values_b, ratio=ratio, level=level)
    return tested(interval, f"paired Nadeau-Bengio t over {int(interval.df) + 1} resamples")


def tested(interval: Interval, method: str) -> Comparison:
    """The two-sided t test that an interval of a difference goes with; NotEstimableError where nothing varies."""
    if not interval.se > 1e-14:
        raise NotEstimableError("the two models do not differ on any unit")
    statistic = interval.value / interval.se
    p = float(2 * special.stdtr(interval.df, -abs(statistic)))
    return Comparison(
        Interval(interval.value, interval.low, interval.high, interval.se, interval.df, method), statistic, p
    )


def holm(p: np.ndarray) -> np.ndarray:
    """P values (m,) corrected for m comparisons (Holm 1979); NaN stays NaN and is not counted."""
    p = np.asarray(p, float)
    corrected = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected
