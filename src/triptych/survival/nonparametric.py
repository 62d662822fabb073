"""Kaplan-Meier, Nelson-Aalen, the censoring curve of IPCW, and log-rank tests.

Convention: an event and a censoring at one time happen in that order, so a row censored at t is at risk at t.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # scipy.stats would cost every job half a second to import

from triptych.errors import DataError, NotEstimableError
from triptych.survival.checks import Flags, Floats, checked, group_codes

# R calls a survival of one half "equal to 0.5" within this; the products that make it up carry rounding errors
_HALF_TOLERANCE = 1e-8


@dataclass(frozen=True)
class StepCurve:
    """A right-continuous step function: `start` before times[0], then values[k] from times[k] on.

    times : (m,) strictly increasing. values : (m,).
    """

    times: Floats
    values: Floats
    start: float = 1.0

    def at(self, t: ArrayLike) -> NDArray:
        """Value at t (any shape), the jump at t included."""
        return self._levels()[np.searchsorted(self.times, np.asarray(t, dtype=np.float64), side="right")]

    def left(self, t: ArrayLike) -> NDArray:
        """Left limit at t (any shape): the value just before a jump at t."""
        return self._levels()[np.searchsorted(self.times, np.asarray(t, dtype=np.float64), side="left")]

    def _levels(self) -> Floats:
        return np.concatenate(([self.start], self.values))


@dataclass(frozen=True)
class _Tally:
    """Counts (sums of weights) at the distinct times; `entered` and `left` say who came and went until when."""

    times: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    entered: StepCurve
    left: StepCurve


def _sums(sorted_times: Floats, weights: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
    first = np.flatnonzero(np.concatenate(([True], sorted_times[1:] != sorted_times[:-1])))
    return sorted_times[first], np.add.reduceat(weights, first), first


def _tally(time: Floats, event: Flags, entry: Floats | None = None, weights: Floats | None = None) -> _Tally:
    w = np.ones(time.size) if weights is None else weights
    order = np.argsort(time)
    times, total, first = _sums(time[order], w[order])
    events = np.add.reduceat((w * event)[order], first)
    gone = StepCurve(times, np.cumsum(total), 0.0)
    if entry is None:
        entered = StepCurve(np.empty(0), np.empty(0), float(w.sum()))
    else:
        order = np.argsort(entry)
        starts, arrivals, _ = _sums(entry[order], w[order])
        entered = StepCurve(starts, np.cumsum(arrivals), 0.0)
    at_risk = entered.left(times) - gone.left(times)
    return _Tally(times, at_risk, events, total - events, entered, gone)


@dataclass(frozen=True)
class KaplanMeier:
    """Product-limit estimate at the m distinct times; all arrays have shape (m,), counts are sums of weights.

    se is Greenwood's standard error of the survival (NaN where the survival is 0).
    """

    times: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    survival: Floats
    se: Floats
    entered: StepCurve
    exited: StepCurve

    def at(self, t: ArrayLike) -> NDArray:
        """S(t); t of any shape."""
        return StepCurve(self.times, self.survival).at(t)

    def left(self, t: ArrayLike) -> NDArray:
        """S(t-), the left limit; t of any shape."""
        return StepCurve(self.times, self.survival).left(t)

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Pointwise lower and upper limits of S at `times`, (m,) each, on the log(-log) scale.

        NaN where S is 0 or 1, where that scale has no value (as in R). Source: Kalbfleisch & Prentice 1980.
        """
        inside = (self.survival > 0) & (self.survival < 1)
        lower, upper = np.full((2, self.times.size), np.nan)
        s = self.survival[inside]
        width = special.ndtri((1 + level) / 2) * self.se[inside] / (s * -np.log(s))
        lower[inside], upper[inside] = s ** np.exp(width), s ** np.exp(-width)
        return lower, upper

    def median(self) -> float:
        """First time with S <= 1/2, in the unit of time; the middle of a flat stretch at exactly 1/2; NaN if none."""
        reached = np.flatnonzero(self.survival < 0.5 + _HALF_TOLERANCE)
        if not reached.size:
            return float("nan")
        first = reached[0]
        below = np.flatnonzero(self.survival < 0.5 - _HALF_TOLERANCE)
        if below.size and below[0] != first:
            return float((self.times[first] + self.times[below[0]]) / 2)
        return float(self.times[first])

    def rmst(self, tau: float) -> float:
        """Restricted mean survival time, the area under S from 0 to tau, in the unit of time.

        Raises
        ------
        NotEstimableError
            tau lies after the last time and the survival there is not 0, so the curve is unknown before tau.
        """
        if tau > self.times[-1] and self.survival[-1] > 0:
            raise NotEstimableError(f"tau {tau:g} lies after the last follow-up time {self.times[-1]:g}")
        inside = self.times[self.times < tau]
        edges = np.concatenate(([0.0], inside, [tau]))
        return float(np.sum(np.diff(edges) * np.concatenate(([1.0], self.survival[: inside.size]))))

    def n_at_risk(self, t: ArrayLike) -> NDArray:
        """Number (sum of weights) at risk at t, that is with entry < t <= time; t of any shape."""
        return self.entered.left(t) - self.exited.left(t)


def kaplan_meier(
    time: ArrayLike, event: ArrayLike, *, entry: ArrayLike | None = None, weights: ArrayLike | None = None
) -> KaplanMeier:
    """Kaplan-Meier (1958) estimate with Greenwood's (1926) standard error.

    Parameters are those of `checks.survival_arrays`, all of shape (n,). Greenwood's sum takes weights as counts.

    Raises
    ------
    DataError
        See `checks.survival_arrays`.
    """
    tally = _tally(*checked(time, event, entry, weights))
    y, d = tally.at_risk, tally.events
    # a time where only rows of weight 0 leave has nobody at risk and changes nothing
    survival = np.cumprod(1 - np.divide(d, y, out=np.zeros_like(y), where=d > 0))
    spare = y * (y - d)
    greenwood = np.cumsum(np.divide(d, spare, out=np.where(d > 0, np.nan, 0.0), where=spare > 0))
    se = survival * np.sqrt(greenwood)
    return KaplanMeier(tally.times, y, d, tally.censored, survival, se, tally.entered, tally.left)


@dataclass(frozen=True)
class NelsonAalen:
    """Cumulative hazard at the m distinct times; arrays of shape (m,). se is the root of sum d / Y^2."""

    times: Floats
    at_risk: Floats
    events: Floats
    hazard: Floats
    se: Floats

    def at(self, t: ArrayLike) -> NDArray:
        """H(t); t of any shape."""
        return StepCurve(self.times, self.hazard, 0.0).at(t)


def nelson_aalen(
    time: ArrayLike, event: ArrayLike, *, entry: ArrayLike | None = None, weights: ArrayLike | None = None
) -> NelsonAalen:
    """Nelson-Aalen estimate, the sum of d / Y (Aalen 1978); parameters and errors as in `kaplan_meier`."""
    tally = _tally(*checked(time, event, entry, weights))
    y, d = tally.at_risk, tally.events
    step = np.divide(d, y, out=np.zeros_like(y), where=d > 0)
    variance = np.divide(d, y**2, out=np.zeros_like(y), where=d > 0)
    return NelsonAalen(tally.times, y, d, np.cumsum(step), np.sqrt(np.cumsum(variance)))


def censoring_curve(time: ArrayLike, event: ArrayLike) -> StepCurve:
    """Probability G(t) of not being censored until t, for inverse-probability weights.

    The factor at t is 1 - c / (Y - d): who has the event at t is no longer at risk of censoring at t. Only so
    S(t) G(t) = Y(t+) / n holds under ties; swapping the event flag in Kaplan-Meier is wrong there.
    An event at T weighs 1 / G(T-), the left limit; a survivor of t weighs 1 / G(t).

    Parameters are (n,) each; DataError as in `checks.survival_arrays`.
    """
    times, events, _, _ = checked(time, event)
    tally = _tally(times, events)
    exposed = tally.at_risk - tally.events
    share = np.divide(tally.censored, exposed, out=np.zeros_like(exposed), where=tally.censored > 0)
    return StepCurve(tally.times, np.cumprod(1 - share))


@dataclass(frozen=True)
class LogRank:
    """Chi-squared statistic, degrees of freedom and p-value of a test of equal survival."""

    statistic: float
    df: int
    p: float


def logrank(time: ArrayLike, event: ArrayLike, group: ArrayLike, *, rho: float = 0.0) -> LogRank:
    """Log-rank test of k groups, or the G-rho test with weights S(t-)^rho (Harrington & Fleming 1982).

    Parameters
    ----------
    time, event : (n,) as in `checks.survival_arrays`.
    group : (n,) labels of any kind.
    rho : 0 is the log-rank (Mantel) test, 1 the Peto-Peto modification of Wilcoxon's test.

    Raises
    ------
    NotEstimableError
        One group only, no event, or no time at which two groups are at risk.
    DataError
        See `checks.survival_arrays`.
    """
    times, events, _, _ = checked(time, event)
    codes, k = group_codes(group, times.size, "group")
    if k < 2:
        raise NotEstimableError("a log-rank test needs two groups, the data have one")
    if not events.any():
        raise NotEstimableError("a log-rank test needs events, every row is censored")
    observed, expected, covariance = _logrank_sums(times, events, codes, k, rho)
    keep = np.diag(covariance) > 0
    if keep.sum() < 2:
        raise NotEstimableError("no event happened while two groups were at risk")
    difference, covariance = (observed - expected)[keep], covariance[np.ix_(keep, keep)]
    # differences sum to 0, so one group is dropped; the value does not depend on which
    solved = np.linalg.lstsq(covariance[1:, 1:], difference[1:], rcond=None)[0]
    statistic, df = float(difference[1:] @ solved), int(keep.sum()) - 1
    return LogRank(statistic, df, float(special.chdtrc(df, statistic)))


def _logrank_sums(times: Floats, events: Flags, codes: NDArray, k: int, rho: float) -> tuple[Floats, Floats, Floats]:
    if not np.isfinite(rho):
        raise DataError(f"rho must be finite, it is {rho}")
    distinct, position = np.unique(times, return_inverse=True)
    m = distinct.size
    leave = np.bincount(position * k + codes, minlength=m * k).reshape(m, k).astype(np.float64)
    died = np.bincount((position * k + codes)[events], minlength=m * k).reshape(m, k).astype(np.float64)
    at_risk = np.cumsum(leave[::-1], axis=0)[::-1]
    y, d = at_risk.sum(axis=1), died.sum(axis=1)
    before = np.concatenate(([1.0], np.cumprod(1 - d / y)[:-1]))
    use = d > 0
    weight = before[use] ** rho
    died, share, y, d = died[use], at_risk[use] / y[use, None], y[use], d[use]
    spread = weight**2 * d * np.where(y > 1, (y - d) / np.maximum(y - 1, 1), 0)
    covariance = np.diag(spread @ share) - (share * spread[:, None]).T @ share
    return weight @ died, (weight * d) @ share, covariance
