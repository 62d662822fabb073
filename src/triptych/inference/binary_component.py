"""Variance component of a binary outcome: a logistic model with one random intercept (adaptive quadrature or Laplace).

Source: Bates et al. 2015, Journal of Statistical Software 67(1) (lme4).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, special

from triptych.errors import DataError, NotEstimableError
from triptych.inference.components import FEWEST_LEVELS, Codes, Floats, coded, finite, least


@dataclass(frozen=True)
class BinaryComponent:
    """Logistic model with one random intercept: fixed effects (k,), sd of the intercept, its share, log-likelihood.

    share : of the variance on the logit scale, where the residual has pi^2 / 3.
    """

    fixed: Floats
    sd: float
    share: float
    loglik: float
    levels: int


@dataclass(frozen=True)
class _Counts:
    """Successes out of trials, (n,), and the level of each row."""

    y: Floats
    trials: Floats
    codes: Codes
    levels: int

    def per_level(self, rows: Floats) -> Floats:
        """Sums within levels, (levels,)."""
        return np.asarray(np.bincount(self.codes, weights=rows, minlength=self.levels), dtype=np.float64)

    def modes(self, eta: Floats, sd: float) -> tuple[Floats, Floats]:
        """Standardised mode of each level's intercept and minus the second derivative there: Newton, else bisection."""
        high = abs(sd) * self.per_level(self.trials) + 1
        low, u = -high, np.zeros(self.levels)
        for _ in range(200):
            mu = special.expit(eta + sd * u[self.codes])
            slope = sd * self.per_level(self.y - self.trials * mu) - u
            curvature = 1 + sd**2 * self.per_level(self.trials * mu * (1 - mu))
            if np.max(np.abs(slope / curvature)) < 1e-11:
                break
            low, high = np.where(slope > 0, u, low), np.where(slope > 0, high, u)
            newton = u + slope / curvature
            u = np.where((newton > low) & (newton < high), newton, (low + high) / 2)
        return u, curvature

    def loglik(self, eta: Floats, sd: float, nodes: Floats, weights: Floats) -> float:
        """Log-likelihood without its constant, by adaptive Gauss-Hermite quadrature; one node is Laplace."""
        u, curvature = self.modes(eta, sd)
        spread = np.sqrt(2 / curvature)
        parts = np.empty((nodes.size, self.levels))
        for k, node in enumerate(nodes):
            at = u + spread * node
            full = eta + sd * at[self.codes]
            fitted = self.per_level(self.y * full - self.trials * np.logaddexp(0, full))
            parts[k] = fitted - at**2 / 2 + node**2 + np.log(weights[k])
        return float(np.sum(special.logsumexp(parts, axis=0) + np.log(spread) - np.log(2 * np.pi) / 2))


def _counts(successes: ArrayLike, group: ArrayLike, trials: ArrayLike | None) -> _Counts:
    y = finite(successes)
    size = np.ones(y.size) if trials is None else finite(trials)
    if size.shape != y.shape:
        raise DataError(f"trials has shape {size.shape} where successes has {y.shape}")
    bad = (y < 0) | (y > size) | (y != np.floor(y))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(f"successes is {y[row]:g} in row {row}; it must be a whole number from 0 to {size[row]:g}")
    codes = coded("group", group, y.size)
    found = _Counts(y, size, codes, int(codes.max()) + 1)
    if found.levels < FEWEST_LEVELS:
        raise NotEstimableError(f"{found.levels} levels are too few for a variance (at least {FEWEST_LEVELS})")
    if found.levels == size.sum():
        raise NotEstimableError("'group' has one outcome per level: it cannot be told from the residual")
    if y.sum() in (0, size.sum()):
        raise NotEstimableError("every outcome is the same: there is no variance to split")
    return found


def binary_component(
    successes: ArrayLike,
    group: ArrayLike,
    *,
    trials: ArrayLike | None = None,
    x: ArrayLike | None = None,
    nodes: int = 9,
) -> BinaryComponent:
    """Logistic model with a random intercept by maximum likelihood, as lme4's `glmer`.

    Parameters
    ----------
    successes : (n,) 0 or 1, or counts out of `trials`, (n,).
    group : (n,) codes, five levels or more.
    x : (n, k) fixed columns, the constant included; by default the constant alone.
    nodes : of the quadrature; 1 is the Laplace approximation, too low a variance where levels have few rows.

    Raises
    ------
    NotEstimableError
        Fewer than 5 levels, one outcome per level, or all outcomes alike.
    DataError
        Bad input, naming the row.
    """
    data = _counts(successes, group, trials)
    y, size = data.y, data.trials
    columns = np.ones((y.size, 1)) if x is None else np.asarray(x, dtype=np.float64)
    if columns.ndim != 2 or columns.shape[0] != y.size or not np.all(np.isfinite(columns)):
        raise DataError(f"x has shape {columns.shape}; it must be ({y.size}, columns) of finite numbers")
    at, weights = special.roots_hermite(nodes)
    constant = float(np.sum(special.gammaln(size + 1) - special.gammaln(y + 1) - special.gammaln(size - y + 1)))
    start = np.append(linalg.lstsq(columns, special.logit((y + 0.5) / (size + 1)))[0], 1.0)
    theta = least(lambda s: -2 * data.loglik(columns @ s[:-1], float(np.sqrt(s[-1])), at, weights), start, 1)
    sd = float(np.sqrt(theta[-1]))
    loglik = constant + data.loglik(columns @ theta[:-1], sd, at, weights)
    return BinaryComponent(theta[:-1], sd, sd**2 / (sd**2 + np.pi**2 / 3), loglik, data.levels)
