"""Scores of predicted survival under censoring: Brier, integrated Brier, time-dependent AUC, calibration.

Inverse-probability-of-censoring weights take the censoring curve G of `nonparametric.censoring_curve`: an event at T
weighs 1 / G(T-), a survivor of t weighs 1 / G(t). With them a constant prediction of 1/2 scores a Brier of exactly
1/4 at every time under any tie pattern. Influences take G as fixed.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from triptych.errors import DataError, NotEstimableError
from triptych.survival.checks import Flags, Floats, checked, group_codes, risk_array
from triptych.survival.nonparametric import StepCurve, censoring_curve, kaplan_meier
from triptych.survival.sweeps import auc_sweep, dense_ranks


@dataclass(frozen=True)
class Score:
    """A score and the change of it per row; influence : (n,) in the order of the input."""

    value: float
    influence: Floats

    @property
    def variance(self) -> float:
        """Sum of squared influences."""
        return float(self.influence @ self.influence)

    @property
    def se(self) -> float:
        """Standard error of the score."""
        return float(np.sqrt(self.variance))


def _probabilities(values: ArrayLike, shape: tuple[int, ...], name: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise DataError(f"{name} has shape {array.shape}, expected {shape}")
    # written so that NaN fails too
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        bad = ~((array >= 0) & (array <= 1))
        row = int(np.argmax(bad.reshape(len(array), -1).any(axis=1)))
        wrong = np.atleast_1d(array[row])[np.atleast_1d(bad[row])][0]
        raise DataError(f"{name} is {wrong:g} in row {row}; it must lie between 0 and 1")
    return array


def _case_weights(time: Floats, event: Flags, curve: StepCurve, until: float) -> Floats:
    """1 / G(T-) for events up to `until`, 0 for every other row, (n,)."""
    cases = event & (time <= until)
    free = curve.left(time[cases])
    if np.any(free <= 0):
        raise NotEstimableError(f"the censoring curve is 0 before the event at {time[cases][free <= 0].min():g}")
    weights = np.zeros(time.size)
    weights[cases] = 1 / free
    return weights


def _survivor_weights(curve: StepCurve, times: Floats) -> Floats:
    """1 / G(t) at each t; not estimable where G(t) is 0."""
    free = curve.at(times)
    if np.any(free <= 0):
        when = times[free <= 0].min()
        raise NotEstimableError(f"the censoring curve is 0 at {when:g}: no one was followed beyond; use earlier times")
    return 1 / free


def _grid(times: ArrayLike, least: int) -> Floats:
    grid = np.asarray(times, dtype=np.float64)
    if grid.ndim != 1 or grid.size < least or not np.all(np.isfinite(grid)) or np.any(np.diff(grid) <= 0):
        raise DataError(f"times must be at least {least} finite, strictly increasing numbers")
    return grid


def brier(
    time: ArrayLike, event: ArrayLike, survival: ArrayLike, t: float, *, censoring: StepCurve | None = None
) -> Score:
    """Brier score at t with censoring weights (Graf et al. 1999), weights at left limits.

    BS(t) = 1/n sum [ S_i(t)^2 1(T_i <= t, event) / G(T_i-) + (1 - S_i(t))^2 1(T_i > t) / G(t) ].

    Parameters
    ----------
    time, event : (n,) as in `checks.survival_arrays`.
    survival : (n,) predicted probability of surviving t.
    t : one time; any t with G(t) > 0 is allowed, the largest follow-up time too.
    censoring : curve G, by default `censoring_curve(time, event)`.

    Raises
    ------
    NotEstimableError
        G is 0 at t, or before an event up to t.
    DataError
        Bad input, or a prediction outside [0, 1], naming the row.
    """
    times, events, _, _ = checked(time, event)
    predicted = _probabilities(survival, (times.size,), "survival")
    curve = censoring_curve(times, events) if censoring is None else censoring
    late = _survivor_weights(curve, np.array([t], dtype=np.float64))[0]
    parts = predicted**2 * _case_weights(times, events, curve, t) + (1 - predicted) ** 2 * (times > t) * late
    value = float(parts.mean())
    return Score(value, (parts - value) / times.size)


@njit(cache=True, nogil=True)
def _integrated_parts(survival, case_weight, first_after, step, step_late):
    """Per row, the sum over the grid of step x Brier part; columns from first_after[i] on lie at or after T_i."""
    n, m = survival.shape
    parts = np.zeros(n)
    for i in range(n):
        cut, early, late = first_after[i], 0.0, 0.0
        for k in range(cut):
            late += step_late[k] * (1.0 - survival[i, k]) ** 2
        if case_weight[i] > 0:
            for k in range(cut, m):
                early += step[k] * survival[i, k] ** 2
        parts[i] = late + case_weight[i] * early
    return parts


def integrated_brier(
    time: ArrayLike, event: ArrayLike, survival: ArrayLike, times: ArrayLike, *, censoring: StepCurve | None = None
) -> Score:
    """Brier score integrated over a grid by the trapezoid rule and divided by the length of the grid.

    Parameters
    ----------
    time, event, censoring : as in `brier`.
    survival : (n, m) predicted survival of row i at times[k].
    times : (m,) at least two times, strictly increasing.

    Raises
    ------
    NotEstimableError, DataError
        As in `brier`.
    """
    follow, events, _, _ = checked(time, event)
    grid = _grid(times, 2)
    predicted = _probabilities(survival, (follow.size, grid.size), "survival")
    curve = censoring_curve(follow, events) if censoring is None else censoring
    gaps = np.diff(grid)
    step = np.concatenate((gaps, [0.0])) / 2 + np.concatenate(([0.0], gaps)) / 2
    step /= grid[-1] - grid[0]
    late = step * _survivor_weights(curve, grid)
    cases = _case_weights(follow, events, curve, grid[-1])
    parts = _integrated_parts(predicted, cases, np.searchsorted(grid, follow, side="left"), step, late)
    value = float(parts.mean())
    return Score(value, (parts - value) / follow.size)


def _placements(risk: Floats, codes: NDArray, k: int, cases: Floats, controls: Floats) -> tuple[Floats, Floats]:
    """Per row, control weight below its risk and case weight above it, in its stratum, ties one half; (n,) each."""
    order = np.lexsort((risk, codes))
    r, s = risk[order], codes[order]
    fresh = np.concatenate(([True], (r[1:] != r[:-1]) | (s[1:] != s[:-1])))
    group = np.cumsum(fresh) - 1
    m, c = np.bincount(group, controls[order]), np.bincount(group, cases[order])
    owner = s[fresh]
    start = np.searchsorted(owner, np.arange(k))
    below, above = np.cumsum(m) - m, np.cumsum(c) - c
    below = below - below[start][owner] + m / 2
    above = np.bincount(codes, cases, k)[owner] - (above - above[start][owner]) - c / 2
    placed, topped = np.empty(risk.size), np.empty(risk.size)
    placed[order], topped[order] = below[group], above[group]
    return placed, topped


def auc_weights(time: Floats, event: Flags, t: float, censoring: StepCurve) -> tuple[Floats, Floats]:
    """Weight of each row in `auc` as a case, 1 / G(T-) for events up to t, and as a control, 1 beyond t; (n,) each."""
    return _case_weights(time, event, censoring, t), (time > t).astype(np.float64)


def auc(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    t: float,
    *,
    censoring: StepCurve | None = None,
    strata: ArrayLike | None = None,
) -> Score:
    """Cumulative/dynamic AUC at t: events up to t (weight 1 / G(T-)) against survivors of t.

    Parameters
    ----------
    time, event : (n,) as in `checks.survival_arrays`.
    risk : (n,) higher = earlier event; equal risks count one half.
    t : one time.
    censoring : curve G, by default `censoring_curve` of all rows, all strata together.
    strata : (n,) labels, optional; only rows of one stratum are compared, and the AUC is the weight of concordant
        pairs over the weight of all pairs.

    Source: Uno et al. 2007 (JASA 102), Blanche et al. 2013 (Statistics in Medicine 32).

    Raises
    ------
    NotEstimableError
        No case-control pair at t.
    DataError
        Bad input, naming the row.
    """
    times, events, _, _ = checked(time, event)
    risks = risk_array(risk, times.size)
    codes, k = group_codes(strata, times.size)
    curve = censoring_curve(times, events) if censoring is None else censoring
    cases, controls = auc_weights(times, events, t, curve)
    case_sum, control_sum = np.bincount(codes, cases, k), np.bincount(codes, controls, k)
    total = float(case_sum @ control_sum)
    if total <= 0:
        where = "in one stratum " if k > 1 else ""
        raise NotEstimableError(f"no pair {where}of an event up to {t:g} and a row followed beyond it")
    placed, topped = _placements(risks, codes, k, cases, controls)
    value = float(cases @ placed) / total
    change = cases * (placed - value * control_sum[codes]) + controls * (topped - value * case_sum[codes])
    return Score(value, change / total)


def auc_curve(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    times: ArrayLike | None = None,
    *,
    censoring: StepCurve | None = None,
) -> tuple[Floats, Floats]:
    """`auc` of one fixed marker at many times in O((n + m) log n).

    times : (m,) strictly increasing; by default the distinct event times that have a survivor.
    Returns the times and the AUC at each, NaN at times without a case or a control. Errors as in `auc`.
    """
    follow, events, _, _ = checked(time, event)
    risks = risk_array(risk, follow.size)
    grid = np.unique(follow[events & (follow < follow.max())]) if times is None else _grid(times, 1)
    if grid.size == 0:
        raise NotEstimableError("no event has a row that was followed beyond it")
    curve = censoring_curve(follow, events) if censoring is None else censoring
    ranks = dense_ranks(risks, np.zeros(follow.size, dtype=np.int64), 1)
    order = np.argsort(follow)
    # sorted first: looking up the curve in order is several times as fast
    follow = follow[order]
    values = auc_sweep(follow, _case_weights(follow, events[order], curve, grid[-1]), ranks[order], grid)
    if np.isnan(values).all():
        raise NotEstimableError("no time has both an event up to it and a row followed beyond it")
    return grid, values


@dataclass(frozen=True)
class Calibration:
    """Predicted against observed probability of the event by t in k groups; arrays of shape (k,).

    observed, lower, upper : 1 - Kaplan-Meier with log-log limits; NaN where a group was not followed until t, and
    limits NaN where the estimate is 0 or 1. n : rows per group.
    """

    predicted: Floats
    observed: Floats
    lower: Floats
    upper: Floats
    n: NDArray[np.int64]


def survival_calibration(
    time: ArrayLike, event: ArrayLike, predicted: ArrayLike, t: float, *, groups: int = 10
) -> Calibration:
    """Calibration at t: observed risk per quantile group of the predicted one.

    Parameters
    ----------
    time, event : (n,) as in `checks.survival_arrays`.
    predicted : (n,) predicted probability of the event by t (not of survival).
    groups : wanted number of groups; equal predictions stay in one group, so there can be fewer.

    Raises
    ------
    DataError
        Bad input, or a prediction outside [0, 1], naming the row.
    """
    times, events, _, _ = checked(time, event)
    p = _probabilities(predicted, (times.size,), "predicted")
    if groups < 1:
        raise DataError(f"groups must be at least 1, it is {groups}")
    edges = np.unique(np.quantile(p, np.arange(1, groups) / groups)) if groups > 1 else np.empty(0)
    codes = np.searchsorted(edges, p, side="left")
    present = np.unique(codes)
    observed = np.array([_observed(times[codes == g], events[codes == g], t) for g in present])
    mean = np.array([p[codes == g].mean() for g in present])
    return Calibration(mean, observed[:, 0], observed[:, 1], observed[:, 2], np.bincount(codes)[present])


def _observed(time: Floats, event: Flags, t: float) -> tuple[float, float, float]:
    """1 - S(t) with its limits in one group."""
    curve = kaplan_meier(time, event)
    if t > curve.times[-1] and curve.survival[-1] > 0:
        return (np.nan,) * 3
    k = int(np.searchsorted(curve.times, t, side="right")) - 1
    if k < 0:
        return 0.0, np.nan, np.nan
    lower, upper = curve.interval()
    return float(1 - curve.survival[k]), float(1 - upper[k]), float(1 - lower[k])
