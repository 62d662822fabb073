"""Cox proportional hazards: partial likelihood, Newton fit with ridge, baseline hazard, choice of the penalty.

Ties: Efron (default), Breslow, exact; likelihood and baseline hazard follow one rule.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg

from triptych.errors import DataError, NotEstimableError
from triptych.survival.checks import Flags, Floats, checked, finite_array, group_codes
from triptych.survival.cox_newton import Design, NewtonResult, maximise
from triptych.survival.nonparametric import StepCurve
from triptych.survival.risk_sets import RiskSets, build, log_denominators, log_symmetric_sums


def log_partial_likelihood(
    log_risk: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    ties: str = "efron",
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
) -> float:
    """Log partial likelihood of given log risks, in log space: finite to |log_risk| = 1e4 and beyond.

    Parameters
    ----------
    log_risk : (n,) finite.
    time, event, weights, entry : (n,) as in `checks.survival_arrays`. With weights, each of the m denominators of m
        tied deaths weighs their mean weight (as in R).
    strata : (n,) labels, optional; risk sets stay within a stratum.
    ties : "efron" (Efron 1977), "breslow" (Breslow 1974), or "exact", the discrete likelihood (Cox 1972) by the
        recursion of Gail et al. 1981, which costs tied deaths x rows at risk per event time and takes no weights.

    Returns
    -------
    float
        0 without events.

    Raises
    ------
    DataError
        Bad input, naming the row.
    """
    blocks = build(time, event, ties, weights, strata, entry)
    h = finite_array(log_risk, np.size(time))
    if ties == "exact" and weights is not None:
        raise DataError("the exact likelihood takes no weights; use efron or breslow")
    part = _exact_part if ties == "exact" else _part
    return float(sum(part(sets, h[sets.rows]) for sets in blocks))


def _part(sets: RiskSets, h: Floats) -> float:
    # denominators are paired with the deaths before summing, which keeps the sum small under a large common shift
    tops = sets.weight[sets.deaths] * h[sets.deaths]
    return float(np.sum(tops - sets.mean_weight * log_denominators(sets, h)))


def _exact_part(sets: RiskSets, h: Floats) -> float:
    start = np.empty(0) if sets.entry is None else sets.entry
    tied = np.bincount(sets.group)
    bottom = log_symmetric_sums(h, sets.event_times, sets.time, start, sets.first, tied)
    return float(np.sum(np.add.reduceat(h[sets.deaths], sets.starts) - bottom))


@dataclass(frozen=True)
class CoxFit:
    """A fitted Cox model with p columns.

    beta, se : (p,) log hazard ratio per unit of the column. covariance : (p, p), inverse of the information, the
    penalty included. loglik_null, loglik : log partial likelihood, penalty not included, at 0 and at beta.
    """

    beta: Floats
    covariance: Floats
    se: Floats
    loglik_null: float
    loglik: float
    iterations: int


def _matrix(x: ArrayLike, n: int) -> Floats:
    array = np.asarray(x, dtype=np.float64)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or array.shape[0] != n or array.shape[1] == 0:
        raise DataError(f"x has shape {array.shape}; it must be ({n}, columns)")
    bad = ~np.isfinite(array)
    if bad.any():
        row, column = np.unravel_index(int(np.argmax(bad)), bad.shape)
        raise DataError(f"x is {array[row, column]:g} in row {row}, column {column}; it must be finite")
    return array


def _penalty(l2: ArrayLike, p: int) -> Floats:
    values = np.asarray(l2, dtype=np.float64)
    if values.shape not in ((), (p,)) or not np.all(np.isfinite(values)) or np.any(values < 0):
        raise DataError(f"l2 must be one number or one per column ({p}), finite and at least 0")
    return np.broadcast_to(values, (p,)).copy()


def _check_columns(x: Floats, penalty: Floats) -> None:
    for column in np.flatnonzero((np.ptp(x, axis=0) == 0) & (penalty == 0)):
        raise DataError(f"column {column} of x is constant ({x[0, column]:g}); drop it")


def fit_cox(
    x: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    ties: str = "efron",
    l2: ArrayLike = 0.0,
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    max_iter: int = 50,
    tol: float = 1e-9,
) -> CoxFit:
    """Maximise the Cox partial likelihood minus 0.5 sum(l2 beta^2) by Newton's method with step halving.

    Parameters
    ----------
    x : (n, p) finite; columns are standardised inside, the penalty and beta are on the scale given.
    time, event, weights, strata, entry, ties : as in `log_partial_likelihood`; "exact" has no fit.
    l2 : ridge penalty, one number or (p,); a constant column is accepted where its penalty is positive (beta 0).
    max_iter, tol : at most max_iter steps, until a step is below tol standard deviations in every column.

    Raises
    ------
    DataError
        Bad input naming the row; fewer than two events; a constant or collinear column; a likelihood without a
        maximum (perfect separation), naming the column and the remedy.
    """
    if ties == "exact":
        raise DataError("fit_cox offers efron and breslow; of the exact rule only log_partial_likelihood is offered")
    blocks = build(time, event, ties, weights, strata, entry)
    matrix = _matrix(x, np.size(time))
    n, p = matrix.shape
    penalty = _penalty(l2, p)
    deaths = sum(sets.deaths.size for sets in blocks)
    if deaths < 2:
        raise DataError(f"the Cox model is not identifiable: {deaths} event{'' if deaths == 1 else 's'}, needs two")
    _check_columns(matrix, penalty)
    if p > n and np.ndim(l2) == 0 and penalty[0] > 0:
        return _fit_wide(matrix, blocks, float(penalty[0]), max_iter, tol)
    design = Design.of(matrix, blocks)
    return _as_fit(design, maximise(design, penalty, np.zeros(p), max_iter, tol))


def _as_fit(design: Design, result: NewtonResult) -> CoxFit:
    se = np.sqrt(np.diag(result.covariance))
    return CoxFit(result.beta, result.covariance, se, result.loglik_null, result.loglik, result.iterations)


def _row_space(matrix: Floats) -> tuple[Floats, Floats]:
    """Scores (n, r) and orthonormal axes (r, p) of the centred matrix; a common ridge does not see the rotation."""
    u, d, axes = linalg.svd(matrix - matrix.mean(axis=0), full_matrices=False)
    kept = d > d[0] * 1e-10 if d[0] > 0 else d > 0
    if not kept.any():
        raise DataError("every column of x is constant")
    return u[:, kept] * d[kept], axes[kept]


def _fit_wide(matrix: Floats, blocks: list[RiskSets], l2: float, max_iter: int, tol: float) -> CoxFit:
    """More columns than rows: beta lies in the row space, so the fit has at most n - 1 unknowns."""
    scores, axes = _row_space(matrix)
    r = axes.shape[0]
    result = maximise(Design.of(scores, blocks), np.full(r, l2), np.zeros(r), max_iter, tol)
    outside = (np.eye(matrix.shape[1]) - axes.T @ axes) / l2
    covariance = axes.T @ result.covariance @ axes + outside
    se = np.sqrt(np.diag(covariance))
    return CoxFit(axes.T @ result.beta, covariance, se, result.loglik_null, result.loglik, result.iterations)


def baseline_cumulative_hazard(
    log_risk: ArrayLike, time: ArrayLike, event: ArrayLike, *, ties: str = "efron"
) -> StepCurve:
    """Cumulative hazard of a row with log risk 0, a step curve from 0 at the event times.

    log_risk, time, event : (n,) as in `log_partial_likelihood`. Each death adds 1 / denominator, with the same rule
    for ties as the likelihood (Breslow 1974; Efron 1977), so d / sum of risks under Breslow's.

    DataError on bad input, with ties="exact" (it has no baseline), or without events.
    """
    blocks = build(time, event, ties)
    h = finite_array(log_risk, np.size(time))
    if ties == "exact":
        raise DataError("the baseline hazard is offered for efron and breslow")
    if not blocks:
        raise DataError("no events: the baseline hazard is not estimable")
    sets = blocks[0]
    steps = np.bincount(sets.group, np.exp(-log_denominators(sets, h[sets.rows])))
    return StepCurve(sets.event_times, np.cumsum(steps), 0.0)


def cox_survival(curve: StepCurve, log_risk: ArrayLike, times: ArrayLike) -> Floats:
    """Survival exp(-H0(t) exp(log_risk)), (n, m), from a baseline `curve`, log_risk (n,) and times (m,)."""
    h = finite_array(log_risk, np.size(log_risk))
    hazard = np.atleast_1d(curve.at(times))
    log_hazard = np.log(hazard, out=np.full(hazard.shape, -np.inf), where=hazard > 0)
    # exp(700) is finite and already means a survival of 0
    return np.exp(-np.exp(np.minimum(h[:, None] + log_hazard[None, :], 700.0)))


def select_ridge(x: ArrayLike, time: ArrayLike, event: ArrayLike, penalties: ArrayLike, folds: ArrayLike) -> float:
    """Ridge penalty of the highest cross-validated partial likelihood (Verweij & van Houwelingen 1993).

    The criterion sums, over folds k, l(beta_-k) on all rows minus l(beta_-k) on the rows outside k (Efron's ties).

    Parameters
    ----------
    x, time, event : as in `fit_cox`.
    penalties : (q,) positive; fits run from the largest to the smallest, each from the one before.
    folds : (n,) labels of at least two folds.

    Returns
    -------
    float
        One of `penalties`; the larger one if two are equally good.

    Raises
    ------
    DataError
        Bad input, or fewer than two events outside a fold.
    NotEstimableError
        No penalty could be fitted in every fold.
    """
    times, events, _, _ = checked(time, event)
    matrix = _matrix(x, times.size)
    grid = np.sort(np.unique(np.asarray(penalties, dtype=np.float64)))[::-1]
    if grid.ndim != 1 or not grid.size or not np.all(np.isfinite(grid)) or np.any(grid <= 0):
        raise DataError("penalties must be finite and positive")
    codes, k = group_codes(folds, times.size, "folds")
    if k < 2:
        raise DataError("folds names one fold; cross-validation needs two")
    if matrix.shape[1] > times.size:
        matrix = _row_space(matrix)[0]
    score = np.zeros(grid.size)
    for fold in range(k):
        score += _fold_criterion(matrix, times, events, grid, codes != fold)
    if not np.isfinite(score).any():
        raise NotEstimableError("no penalty could be fitted in every fold; try larger penalties")
    return float(grid[np.argmax(score)])


def _fold_criterion(matrix: Floats, times: Floats, events: Flags, grid: Floats, train: Flags) -> Floats:
    """l(beta) on all rows minus l(beta) on the training rows for each penalty, (q,); -inf where the fit failed."""
    if events[train].sum() < 2:
        raise DataError("a training part of folds has fewer than two events; use fewer or other folds")
    design = Design.of(matrix[train], build(times[train], events[train], "efron"))
    everyone = build(times, events, "efron")
    beta, out = np.zeros(matrix.shape[1]), np.full(grid.size, -np.inf)
    for q, penalty in enumerate(grid):
        try:
            result = maximise(design, np.full(beta.size, penalty), beta, 50, 1e-6)
        except DataError:
            break  # smaller penalties are harder still
        beta = result.beta
        h = matrix @ beta
        out[q] = sum(_part(sets, h[sets.rows]) for sets in everyone) - result.loglik
    return out
