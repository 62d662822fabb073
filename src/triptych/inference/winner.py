"""Probability that each of several models is the best, so that a ranking is not believed more than the data allow."""

import numpy as np

from triptych.errors import DataError, NotEstimableError
from triptych.inference.cross_validation import TEST
from triptych.inference.known import Evidence, by_repeat

DRAWS = 20_000


def probability_best(
    values: np.ndarray, covariance: np.ndarray, df: float, *, higher_is_better: bool, seed: int = 0
) -> np.ndarray:
    """Share (k,) of draws in which each model is the best; models that tie share a draw.

    Draws are from the joint distribution of the estimates about their values: normal, or Student's t with df. With a flat
    prior it is the posterior probability; Monte Carlo error below .004.

    Parameters
    ----------
    values, covariance
        (k,) and (k, k).

    Raises
    ------
    DataError
        Fewer than two models, or a value that is missing.
    """
    k = len(values)
    if k < 2 or not (np.isfinite(values).all() and np.isfinite(covariance).all()):
        raise DataError(f"the best of {k} models: two or more are needed, each with a value and a variance")
    rng = np.random.default_rng(seed)
    drawn = rng.multivariate_normal(np.zeros(k), covariance, DRAWS, method="svd", check_valid="ignore")
    if np.isfinite(df):
        drawn /= np.sqrt(rng.chisquare(df, DRAWS) / df)[:, None]
    drawn = (values + drawn) * (1 if higher_is_better else -1)
    top = drawn >= drawn.max(axis=1, keepdims=True) - 1e-12
    return (top / top.sum(axis=1, keepdims=True)).mean(axis=0)


def best_of(evidence: list[Evidence], estimand: str, *, higher_is_better: bool) -> np.ndarray:
    """`probability_best` of models tested on the same patients (or sites, for ``new-site``), by what the claim is about.

    Raises
    ------
    NotEstimableError
        Where the models were tested on other patients, or share fewer than two sites.
    """
    if len({tuple(one.rows) for one in evidence}) > 1:
        raise NotEstimableError("the models were not tested on the same rows of the same patients")
    if estimand == "new-site":
        return _over_sites(evidence, higher_is_better)
    values = np.array([one.value for one in evidence])
    return probability_best(values, _of_patients(evidence, estimand), np.inf, higher_is_better=higher_is_better)


def _of_patients(evidence: list[Evidence], estimand: str) -> np.ndarray:
    """Covariance (k, k) of the scores: as `cross_validation.repeated_se` for each pair, what repeats add bounded as a whole."""
    joint = np.column_stack([one.influence for one in evidence])
    n, folds = len(joint), evidence[0].n_folds
    between = n / (n - 1) * joint.T @ joint
    if folds < 2:
        return between
    weights = TEST.of(estimand)
    repeats = np.column_stack([by_repeat(one) for one in evidence])
    repeats = repeats[np.isfinite(repeats).all(axis=1)]
    if len(repeats) < weights.fewest:
        return (weights.patients + weights.unseen) * between
    added = weights.repeats * (folds - 1) * np.cov(repeats, rowvar=False)
    most = weights.most * np.trace(between) / max(np.trace(added), 1e-300)
    return weights.patients * between + min(1.0, most) * added


def _over_sites(evidence: list[Evidence], higher_is_better: bool) -> np.ndarray:
    if len({one.by_site.size for one in evidence}) > 1:
        raise NotEstimableError("the models were not tested on the same sites")
    table = np.column_stack([one.by_site for one in evidence])
    table = table[np.isfinite(table).all(axis=1)]
    n = len(table)
    if n < 2:
        raise NotEstimableError(f"{n} sites with a value of every model are too few to say which is the best")
    covariance = np.atleast_2d(np.cov(table, rowvar=False)) / n
    return probability_best(table.mean(axis=0), covariance, n - 1, higher_is_better=higher_is_better)
