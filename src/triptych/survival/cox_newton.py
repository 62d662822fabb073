"""Derivatives of the Cox partial likelihood (Efron, Breslow) and the Newton iteration that uses them."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from triptych.errors import DataError
from triptych.survival.checks import Floats
from triptych.survival.risk_sets import RiskSets

# a Cholesky pivot is the share of a column's information that earlier columns do not explain
_COLLINEAR = 1e-10
_VANISHED = 1e-9


@dataclass(frozen=True)
class Design:
    """Standardised columns, per stratum in the order of its risk sets; scale : (p,) standard deviations."""

    parts: list[tuple[RiskSets, Floats]]
    scale: Floats

    @classmethod
    def of(cls, matrix: Floats, blocks: list[RiskSets]) -> "Design":
        """Centre and scale the (n, p) matrix (neither changes the model) and sort it into the strata."""
        centred = matrix - matrix.mean(axis=0)
        scale = np.sqrt(np.mean(centred**2, axis=0))
        scale[scale == 0] = 1.0
        standard = centred / scale
        return cls([(sets, standard[sets.rows]) for sets in blocks], scale)


@dataclass(frozen=True)
class NewtonResult:
    """Maximum on the scale of the input; log likelihoods without the penalty."""

    beta: Floats
    covariance: Floats
    loglik_null: float
    loglik: float
    iterations: int


def _sums_at_risk(sets: RiskSets, r: Floats, rx: Floats) -> tuple[Floats, Floats]:
    """Sums of r, (K,), and of r x, (K, p), over the risk set of each event time."""
    zero, one = np.cumsum(r[::-1])[::-1][sets.first], np.cumsum(rx[::-1], axis=0)[::-1][sets.first]
    if sets.entry is None:
        return zero, one
    order = np.argsort(-sets.entry, kind="stable")
    # rows with entry >= t have not come yet; all of them have time > t
    absent = np.searchsorted(-sets.entry[order], -sets.event_times, side="right")
    none = np.zeros((1, rx.shape[1]))
    not_yet = np.concatenate(([0.0], np.cumsum(r[order])))[absent]
    return zero - not_yet, one - np.concatenate((none, np.cumsum(rx[order], axis=0)))[absent]


def _rates(sets: RiskSets, inverse: Floats) -> tuple[Floats, Floats]:
    """Per row, the sum of `inverse` while it was at risk, and what Efron's rule takes off it at its own death."""
    steps = np.concatenate(([0.0], np.cumsum(np.bincount(sets.group, inverse))))
    rate = steps[np.searchsorted(sets.event_times, sets.time, side="right")]
    if sets.entry is not None:
        rate = rate - steps[np.searchsorted(sets.event_times, sets.entry, side="right")]
    relief = np.zeros(sets.time.size)
    relief[sets.deaths] = np.bincount(sets.group, sets.fraction * inverse)[sets.group]
    return rate, relief


def _stratum_terms(sets: RiskSets, x: Floats, beta: Floats) -> tuple[float, Floats, Floats]:
    h = x @ beta
    top = h.max()
    r = sets.weight * np.exp(h - top)
    rx = r[:, None] * x
    zero, one = _sums_at_risk(sets, r, rx)
    denominator, numerator = zero[sets.group], one[sets.group]
    if sets.fraction.any():
        tied = np.bincount(sets.group, r[sets.deaths])
        tied_x = np.add.reduceat(rx[sets.deaths], sets.starts, axis=0)
        denominator = denominator - sets.fraction * tied[sets.group]
        numerator = numerator - sets.fraction[:, None] * tied_x[sets.group]
    if not np.all(denominator > 0):
        # risks so wide that a risk set vanished: the step was too long, the caller halves it
        return -np.inf, np.zeros(beta.size), np.zeros((beta.size, beta.size))
    weight = sets.weight[sets.deaths]
    loglik = float(np.sum(weight * (h[sets.deaths] - top) - sets.mean_weight * np.log(denominator)))
    mean = numerator / denominator[:, None]
    gradient = weight @ x[sets.deaths] - sets.mean_weight @ mean
    # sum over deaths of the second moments = one weighted cross product of the rows
    rate, relief = _rates(sets, sets.mean_weight / denominator)
    information = x.T @ (x * (r * (rate - relief))[:, None]) - mean.T @ (mean * sets.mean_weight[:, None])
    return loglik, gradient, information


def terms(design: Design, beta: Floats) -> tuple[float, Floats, Floats]:
    """Log partial likelihood, gradient (p,) and information (p, p) at a standardised beta, without penalty.

    The log likelihood is -inf where a risk set underflows.
    """
    p = beta.size
    loglik, gradient, information = 0.0, np.zeros(p), np.zeros((p, p))
    for sets, x in design.parts:
        one, slope, bend = _stratum_terms(sets, x, beta)
        loglik, gradient, information = loglik + one, gradient + slope, information + bend
    return loglik, gradient, information


def _factor(information: Floats, unit: Floats, floor: float) -> tuple[Floats, int | None]:
    """Cholesky factor of the information in units of `unit`, and the first column whose pivot is below `floor`."""
    factor, info = linalg.lapack.dpotrf(information / np.outer(unit, unit), lower=1, clean=1)
    if info > 0:
        return factor, info - 1
    small = np.flatnonzero(np.diag(factor) ** 2 < floor)
    return factor, int(small[0]) if small.size else None


def _units(information: Floats) -> Floats:
    diagonal = np.diag(information)
    for column in np.flatnonzero(diagonal <= 1e-12 * max(diagonal.max(), 1.0)):
        raise DataError(f"column {column} of x does not vary among the rows at risk at any event; drop it")
    return np.sqrt(diagonal)


def _diverged(information: Floats, unit: Floats) -> DataError:
    # the information about a coefficient that runs off to infinity vanishes
    column = int(np.argmin(np.diag(information) / unit**2))
    return DataError(
        f"the Cox likelihood has no maximum: the coefficient of column {column} of x grows without end (the column, "
        "perhaps with others, separates the events perfectly); use a penalty (l2 > 0) or drop the column"
    )


def maximise(design: Design, penalty: Floats, start: Floats, max_iter: int, tol: float) -> NewtonResult:
    """Newton iteration with step halving from `start`; penalty, (p,), and start, (p,), on the scale of the input.

    DataError for a collinear column or a likelihood without a maximum, naming the column.
    """
    ridge = penalty / design.scale**2
    beta = start * design.scale
    current = terms(design, beta)
    null = current[0] if not beta.any() else terms(design, np.zeros_like(beta))[0]
    bent = current[2] + np.diag(ridge)
    unit = _units(bent)
    _, column = _factor(bent, unit, _COLLINEAR)
    if column is not None and not beta.any():
        raise DataError(f"column {column} of x is a linear combination of columns before it; drop it or use a penalty")
    iterations = 0
    while iterations < max_iter:
        iterations += 1
        bent = current[2] + np.diag(ridge)
        factor, column = _factor(bent, unit, _VANISHED)
        if column is not None:
            raise _diverged(bent, unit)
        step = linalg.cho_solve((factor, True), (current[1] - ridge * beta) / unit) / unit
        beta, current, length = _advance(design, beta, ridge, step, current)
        if length * np.abs(step).max() < tol:
            break
    else:
        raise _diverged(bent, unit)
    bent = current[2] + np.diag(ridge)
    factor, column = _factor(bent, unit, _VANISHED)
    if column is not None:
        raise _diverged(bent, unit)
    scale = unit * design.scale
    covariance = linalg.cho_solve((factor, True), np.eye(beta.size)) / np.outer(scale, scale)
    return NewtonResult(beta / design.scale, covariance, null, current[0], iterations)


def _advance(
    design: Design, beta: Floats, ridge: Floats, step: Floats, current: tuple[float, Floats, Floats]
) -> tuple[Floats, tuple[float, Floats, Floats], float]:
    """The longest of the step, its half, its quarter ... that does not lower the penalised likelihood."""
    before = current[0] - 0.5 * float(ridge @ beta**2)
    # at the maximum, likelihoods differ by rounding only; such a step is taken
    slack = 1e-11 * (1 + abs(before))
    length = 1.0
    for _ in range(40):
        trial = beta + length * step
        there = terms(design, trial)
        if there[0] - 0.5 * float(ridge @ trial**2) >= before - slack:
            return trial, there, length
        length /= 2
    return beta, current, 0.0
