"""Test of proportional hazards: does the effect of a column change over time?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, special

from triptych.errors import DataError, NotEstimableError
from triptych.survival.checks import Floats, checked
from triptych.survival.nonparametric import kaplan_meier


@dataclass(frozen=True)
class Proportionality:
    """Score tests: chi2 and p of each column, (p,), with one degree of freedom, and of all columns together with p."""

    chi2: Floats
    p: Floats
    global_chi2: float
    global_p: float


def proportional_hazards_test(x: ArrayLike, time: ArrayLike, event: ArrayLike, beta: ArrayLike) -> Proportionality:
    """Score test for adding g(t) x to a Cox model with Efron ties (Grambsch & Therneau 1994, in the exact form of R's cox.zph).

    g(t) is 1 - Kaplan-Meier just before t, centred over the events.

    Parameters
    ----------
    x
        (n, p) columns of the model.
    time, event
        (n,) as in `checks.survival_arrays`.
    beta
        (p,) maximum of the partial likelihood.

    Raises
    ------
    NotEstimableError
        With one event time only: nothing can change over time.
    """
    times, events, _, _ = checked(time, event)
    columns, b = np.asarray(x, np.float64), np.asarray(beta, np.float64)
    if columns.ndim != 2 or columns.shape != (times.size, b.size):
        raise DataError(f"x must have {times.size} rows and {b.size} columns, it is {columns.shape}")
    when = np.unique(times[events])
    if when.size < 2:
        raise NotEstimableError("events at one time only: an effect that changes over time cannot be seen")
    deaths = np.array([np.sum(times[events] == t) for t in when])
    g = 1 - kaplan_meier(times, events).left(when)
    g -= np.average(g, weights=deaths)
    information, crossed, squared, score = _moments(columns - columns.mean(axis=0), times, events, b, when, g)
    explained = linalg.solve(information, crossed, assume_a="pos")
    rest = squared - crossed.T @ explained
    chi2 = score**2 / np.diag(rest)
    total = float(score @ linalg.solve(rest, score, assume_a="pos"))
    return Proportionality(chi2, special.chdtrc(1, chi2), total, float(special.chdtrc(b.size, total)))


def _moments(x: Floats, times: Floats, events: np.ndarray, beta: Floats, when: Floats, g: Floats) -> tuple[Floats, ...]:
    """Information of beta, of beta with the g(t) x, of the g(t) x; and the score of the g(t) x."""
    p = x.shape[1]
    information, crossed, squared, score = np.zeros((p, p)), np.zeros((p, p)), np.zeros((p, p)), np.zeros(p)
    h = (x * beta).sum(axis=1)
    weight = np.exp(h - h.max())
    for t, at in zip(when, g, strict=True):
        risk, dead = times >= t, (times == t) & events
        m = int(dead.sum())
        for r in range(m):  # Efron: the r-th of m tied deaths leaves the share r/m of the ties out of the risk set
            w = weight * (risk - (r / m) * dead)
            mean = w @ x / w.sum()
            variance = (x * w[:, None]).T @ x / w.sum() - np.outer(mean, mean)
            information += variance
            crossed += at * variance
            squared += at**2 * variance
            score -= at * mean
        score += at * x[dead].sum(axis=0)
    return information, crossed, squared, score
