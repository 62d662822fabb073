"""Variance components of a binary outcome with several crossed or nested factors: a logistic model by Laplace's method.

Fixed effects are integrated out with the random ones, as in REML. One factor may have very many levels (patients): its
block of the Hessian is diagonal and is eliminated first. Source: Breslow & Clayton 1993 (JASA 88:9); Bates et al. 2015
(Journal of Statistical Software 67(1)).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, optimize, sparse, special

from triptych.errors import DataError, NotEstimableError
from triptych.inference.components import (
    FEWEST_LEVELS,
    Codes,
    Component,
    Floats,
    coded,
    few_levels,
    finite,
    refuse_aliases,
)

RESIDUAL = np.pi**2 / 3  # variance of the logistic distribution
DIVERGED = "the logistic model has no maximum: some level is always right or always wrong"
LARGEST_SD = 20.0  # in log odds; beyond it a level is always right or always wrong


@dataclass(frozen=True)
class BinaryComponents:
    """A `Component` per factor, on the scale of log odds, and the share of the residual, whose variance is pi^2 / 3.

    deviance : -2 log of the criterion that was made least, Laplace's with fixed effects integrated out.
    """

    factors: tuple[Component, ...]
    residual_share: float
    deviance: float
    method: str


@dataclass(frozen=True)
class _Model:
    """Outcome (n,) and sparse columns (n, m + q + p).

    The columns are indicators of the m levels of the largest random factor, of the q of the others, and p fixed ones;
    owner : (m + q,) factor of each indicator.
    """

    y: Floats
    columns: sparse.csr_array
    owner: Codes
    m: int

    @classmethod
    def of(cls, y: Floats, codes: list[Codes], fixed: Floats) -> "_Model":
        """From the codes of the random factors, the largest first."""
        rows, sizes = np.arange(y.size), [int(one.max()) + 1 for one in codes]
        parts = [
            sparse.csr_array((np.ones(y.size), (rows, one)), shape=(y.size, size))
            for one, size in zip(codes, sizes, strict=True)
        ]
        columns = sparse.csr_array(sparse.hstack([*parts, sparse.csr_array(fixed)]))
        return cls(y, columns, np.repeat(np.arange(len(sizes)), sizes), sizes[0])

    def deviance(self, sds: Floats, near: Floats) -> tuple[float, Floats]:
        """-2 log of the criterion at standard deviations (factors,) and the effects at the mode, from others near it."""
        p = self.columns.shape[1] - self.owner.size
        scale, prior = np.append(sds[self.owner], np.ones(p)), np.append(np.ones(self.owner.size), np.zeros(p))
        theta = np.divide(near, scale, out=np.zeros(scale.size), where=scale > 0)  # effects in standard deviations
        best, step = -np.inf, np.zeros(theta.size)
        for _ in range(100):
            tried = theta + step
            eta = self.columns @ (scale * tried)
            value = float(np.sum(self.y * eta - np.logaddexp(0, eta)) - prior @ tried**2 / 2)
            if value < best - 1e-9 * abs(best):
                step = step / 2
                continue
            theta, best, mu = tried, max(best, value), special.expit(eta)
            slope = scale * (self.columns.T @ (self.y - mu)) - prior * theta
            step, logdet = self._newton(mu * (1 - mu), scale, prior, slope)
            if float(slope @ step) < 1e-16 * max(1.0, -best):  # the determinant is less precise than the maximum
                return logdet - 2 * best, scale * theta
        raise NotEstimableError(DIVERGED)

    def _newton(self, weights: Floats, scale: Floats, prior: Floats, slope: Floats) -> tuple[Floats, float]:
        """Newton's step and the log determinant of minus the Hessian."""
        m = self.m
        weighted = self.columns.copy()
        weighted.data *= np.repeat(weights, np.diff(weighted.indptr))
        information = sparse.csr_array(self.columns.T @ weighted)
        top = scale[:m] ** 2 * information.diagonal()[:m] + 1  # rows have one level: this block is diagonal
        border = scale[:m, None] * information[:m, m:].toarray() * scale[m:]
        corner = scale[m:, None] * information[m:, m:].toarray() * scale[m:] + np.diag(prior[m:])
        try:
            root = linalg.cho_factor(corner - border.T @ (border / top[:, None]), lower=True)
        except linalg.LinAlgError:
            raise NotEstimableError(DIVERGED) from None
        low = linalg.cho_solve(root, slope[m:] - border.T @ (slope[:m] / top))
        high = (slope[:m] - border @ low) / top
        return np.append(high, low), float(np.sum(np.log(top)) + 2 * np.sum(np.log(np.diag(root[0]))))


def _independent(columns: Floats) -> Floats:
    """The columns that are no combination of those before them."""
    kept: list[int] = []
    for k in range(columns.shape[1]):
        if np.linalg.matrix_rank(columns[:, [*kept, k]]) > len(kept):
            kept.append(k)
    return columns[:, kept]


def _fixed(codes: Mapping[str, Codes], n: int) -> Floats:
    """The constant and indicators of the levels, without those that say nothing new."""
    indicators = [np.eye(int(one.max()) + 1)[one] for one in codes.values()]
    patterns, place = np.unique(np.hstack([np.ones((n, 1)), *indicators]), axis=0, return_inverse=True)
    return _independent(patterns)[place.ravel()]


def binary_components(
    y: ArrayLike, factors: Mapping[str, ArrayLike], *, fixed: Mapping[str, ArrayLike] | None = None
) -> BinaryComponents:
    """Variance components of a binary outcome, crossed or nested random intercepts on the scale of log odds.

    Parameters
    ----------
    y : (n,) 0 or 1, say whether a prediction is right.
    factors : name -> (n,) codes of any kind, as in `components.components`; with fewer than 5 levels a factor has no
        variance but a note, and its levels are held fixed.
    fixed : name -> (n,) codes of factors that are held fixed and not reported, say the model.

    Raises
    ------
    NotEstimableError
        One outcome only; a factor with one row per level or a single level; factors that split the rows alike; no
        factor with five levels; a level of a fixed factor that is always right or always wrong.
    DataError
        Bad input, naming the row.
    """
    outcome = finite(y)
    bad = (outcome != 0) & (outcome != 1)
    if bad.any():
        raise DataError(f"y is {outcome[bad][0]:g} in row {int(np.argmax(bad))}; it must be 0 or 1")
    if outcome.min() == outcome.max():
        raise NotEstimableError("every outcome is the same: there is no variance to split")
    codes = {name: coded(name, one, outcome.size) for name, one in factors.items()}
    refuse_aliases(codes, outcome.size)
    few = {name: one for name, one in codes.items() if one.max() + 1 < FEWEST_LEVELS}
    random = sorted((name for name in codes if name not in few), key=lambda name: -int(codes[name].max()))
    if not random:
        raise NotEstimableError(f"no factor has the {FEWEST_LEVELS} levels that a variance needs")
    held = {name: coded(name, one, outcome.size) for name, one in (fixed or {}).items()}
    model = _Model.of(outcome, [codes[name] for name in random], _fixed({**held, **few}, outcome.size))
    sds, deviance = _least(model, len(random))
    variance = dict(zip(random, sds**2, strict=True))
    total = float(sum(variance.values())) + RESIDUAL
    found = tuple(_component(name, one, outcome, variance.get(name, np.nan), total) for name, one in codes.items())
    return BinaryComponents(
        found, RESIDUAL / total, deviance, "logistic model, Laplace's method, fixed effects integrated out"
    )


def _component(name: str, codes: Codes, y: Floats, variance: float, total: float) -> Component:
    levels = int(codes.max()) + 1
    means = np.bincount(codes, weights=y) / np.bincount(codes)
    note = "" if levels >= FEWEST_LEVELS else few_levels(levels)
    return Component(name, levels, float(variance), float(variance) / total, means, note)


def _least(model: _Model, factors: int) -> tuple[Floats, float]:
    """Standard deviations (factors,) at the least deviance, and that deviance; see `components.least`, why by variances."""
    mode = np.zeros(model.columns.shape[1])

    def criterion(variances: Floats) -> float:
        nonlocal mode
        value, mode = model.deviance(np.sqrt(variances), mode)
        return value

    bounds = [(0.0, LARGEST_SD**2)] * factors
    options = {"ftol": 1e-10, "gtol": 1e-4, "maxiter": 200}
    found = optimize.minimize(
        criterion, np.ones(factors), method="L-BFGS-B", jac="3-point", bounds=bounds, options=options
    )
    return np.sqrt(found.x), float(found.fun)
