"""Regression of a binary outcome on log odds, with influences: what calibration slopes are made of."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from triptych.errors import NotEstimableError
from triptych.survival.checks import Floats

# a probability in single precision is known to about this much; beyond, its log odds mean nothing
RESOLUTION = 1e-7


@dataclass(frozen=True)
class BinaryFit:
    """Maximum likelihood fit of a binary outcome: coef (k,), covariance (k, k), influence (n, k).

    covariance is the inverse of the observed information; the sum over units of the squares of summed influences is
    the sandwich.
    """

    coef: Floats
    covariance: Floats
    influence: Floats


def _pieces(link: str, y: Floats, eta: Floats) -> tuple[Floats, Floats, Floats]:
    """Log-likelihood of each row, its derivative, and minus its second derivative, in eta."""
    if link == "logit":
        mu = special.expit(eta)
        return y * eta - np.logaddexp(0, eta), y - mu, mu * (1 - mu)
    h = np.exp(np.clip(eta, -300, 300))
    seen = -np.expm1(-h)
    ratio = h * np.exp(-h) / seen
    loglik = np.where(y > 0, np.log(seen), -h)
    return loglik, np.where(y > 0, ratio, -h), np.where(y > 0, ratio * np.maximum(h / seen - 1, 0), h)


def fit_binary(
    y: Floats, x: Floats, *, offset: Floats | None = None, weights: Floats | None = None, link: str = "logit"
) -> BinaryFit:
    """Binary regression by Newton's method with step halving; both links have a concave likelihood.

    Parameters
    ----------
    y : (n,) 0 or 1.
    x : (n, k) columns, the constant included.
    offset, weights : (n,), by default 0 and 1.
    link : "logit" or "cloglog", where log(-log(1 - probability)) is linear.

    Raises
    ------
    NotEstimableError
        The likelihood has no maximum, or a column is a combination of others.
    """
    shift = np.zeros(len(y)) if offset is None else offset
    w = np.ones(len(y)) if weights is None else weights
    coef, best = np.zeros(x.shape[1]), -np.inf
    step = np.zeros(x.shape[1])
    for _ in range(200):
        loglik, slope, curvature = _pieces(link, y, shift + x @ (coef + step))
        total = float(w @ loglik)
        if total < best - 1e-12 * abs(best):
            step = step / 2
            continue
        coef, best = coef + step, max(best, total)
        information = (x * (w * curvature)[:, None]).T @ x
        try:
            covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
        except np.linalg.LinAlgError:
            break
        step = covariance @ (x.T @ (w * slope))
        if not np.all(np.isfinite(step)):
            break
        if np.all(np.abs(step) <= 1e-10 * (1 + np.abs(coef))):
            return BinaryFit(coef, covariance, (x * (w * slope)[:, None]) @ covariance)
    raise NotEstimableError("the likelihood of the recalibration has no maximum")


def check_overlap(y: Floats, z: Floats) -> None:
    """Refuse a slope of y on z, (n,) each, that does not exist.

    Raises
    ------
    NotEstimableError
        One outcome only, one prediction only, or predictions that separate the outcomes perfectly.
    """
    if y.min() == y.max():
        raise NotEstimableError(f"every outcome is {int(y[0])}: calibration cannot be estimated")
    if z.min() == z.max():
        raise NotEstimableError("every prediction is the same: there is no calibration slope")
    low, high = z[y == 0], z[y == 1]
    if low.max() <= high.min() or high.max() <= low.min():
        raise NotEstimableError("the predictions separate the outcomes perfectly: the calibration slope is infinite")


def clipped(p: Floats, resolution: float) -> tuple[Floats, int]:
    """Probabilities kept inside [resolution, 1 - resolution], and how many had to be moved."""
    moved = (p < resolution) | (p > 1 - resolution)
    return np.clip(p, resolution, 1 - resolution), int(moved.sum())
