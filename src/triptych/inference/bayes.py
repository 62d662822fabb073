"""Bayesian comparisons with a region of practical equivalence (ROPE): one data set resampled, or several data sets.

Source: Corani & Benavoli 2015 (Machine Learning 100:285); Benavoli et al. 2017 (JMLR 18(77)); formulas as in baycomp.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special  # scipy.stats would cost every job half a second to import

from triptych.errors import DataError, NotEstimableError
from triptych.inference.intervals import FEWEST_RESAMPLES, Interval
from triptych.inference.ranks import refuse_folds


@dataclass(frozen=True)
class Posterior:
    """Probabilities that the first is practically better, that they are equivalent, and that the second is better."""

    first: float
    rope: float
    second: float


@dataclass(frozen=True)
class CorrelatedT:
    """Posterior probabilities, and the credible interval of the mean difference."""

    probability: Posterior
    interval: Interval


def _differences(first: ArrayLike, second: ArrayLike, rope: float, higher_is_better: bool) -> np.ndarray:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise DataError(f"the scores have shapes {a.shape} and {b.shape}; they must be two rows of one length")
    d = a - b if higher_is_better else b - a
    if not np.all(np.isfinite(d)):
        raise DataError(f"a score is missing or infinite in row {int(np.argmax(~np.isfinite(d)))}")
    if not rope >= 0:
        raise DataError(f"rope is {rope:g}; it must be at least 0")
    return d


def correlated_t(
    first: ArrayLike,
    second: ArrayLike,
    *,
    rho: float,
    rope: float = 0.0,
    higher_is_better: bool = True,
    level: float = 0.95,
) -> CorrelatedT:
    """Bayesian correlated t test over the J resamples of one data set.

    The posterior of the mean difference is t(J-1) at mean(d) with scale^2 = s_d^2 (1/J + rho / (1 - rho)).

    Parameters
    ----------
    first, second : (J,) scores on the same resamples.
    rho : correlation of resamples; the share of the data in a test part, so 1/K for (repeated) K-fold, and the test
        share for random splits. Never guessed.
    rope : half-width of the region of practical equivalence, in the unit of the score.
    level : of the credible interval, which is about the difference turned so that above 0 the first is better.

    Raises
    ------
    NotEstimableError
        Fewer than 10 resamples, or the same difference on each.
    DataError
        Bad input, naming the row.
    """
    d = _differences(first, second, rope, higher_is_better)
    if not 0 <= rho < 1:
        raise DataError(f"rho is {rho:g}; it must be at least 0 and below 1 (1/K for K folds)")
    j = d.size
    if j < FEWEST_RESAMPLES:
        raise NotEstimableError(f"{j} resamples are too few (at least {FEWEST_RESAMPLES})")
    mean, scale = float(d.mean()), float(np.sqrt(d.var(ddof=1) * (1 / j + rho / (1 - rho))))
    if not scale > 1e-14:
        raise NotEstimableError("the two differ by the same on every resample: the posterior has no spread")
    below, above = (float(special.stdtr(j - 1, s)) for s in ((-rope - mean) / scale, (mean - rope) / scale))
    half = float(special.stdtrit(j - 1, 0.5 + level / 2)) * scale
    method = f"Bayesian correlated t over {j} resamples, rho {rho:.4g}"
    interval = Interval(mean, mean - half, mean + half, scale, j - 1, method)
    return CorrelatedT(Posterior(above, max(0.0, 1 - above - below), below), interval)


def signed_rank(
    first: ArrayLike,
    second: ArrayLike,
    *,
    rope: float = 0.0,
    higher_is_better: bool = True,
    rows: str = "data sets",
    prior: float = 0.5,
    draws: int = 20_000,
    seed: int = 0,
) -> Posterior:
    """Bayesian signed rank test over n independent data sets, by Monte Carlo (error of a probability below .004).

    Each draw of Dirichlet weights (the prior counts as `prior` data sets with difference 0) weighs all pairs of
    differences; the region (first, rope, second) with the largest weight of pair means wins the draw, ties shared.

    Parameters
    ----------
    first, second : (n,) scores, one per data set.
    rope, higher_is_better : as in `correlated_t`.
    rows : "data sets", or "folds", which is refused.

    Raises
    ------
    NotEstimableError
        Fewer than 5 data sets, or folds.
    DataError
        Bad input, naming the row.

    Source: Benavoli et al. 2014 (ICML), 2017 section 4.2.
    """
    d = _differences(first, second, rope, higher_is_better)
    refuse_folds(rows, d.size)
    z = np.concatenate(([0.0], d))
    pair = (z[:, None] + z) / 2
    weights = np.random.default_rng(seed).dirichlet(np.concatenate(([prior], np.ones(d.size))), draws)

    def mass(region: np.ndarray) -> np.ndarray:
        return np.einsum("di,di->d", weights @ region.astype(np.float64), weights)

    won = np.column_stack([mass(pair > rope), mass(np.abs(pair) <= rope), mass(pair < -rope)])
    top = won >= won.max(axis=1, keepdims=True) - 1e-12
    return Posterior(*(float(share) for share in (top / top.sum(axis=1, keepdims=True)).mean(axis=0)))
