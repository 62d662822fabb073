"""Elastic-net Cox (scikit-survival's coordinate descent, Breslow ties); the penalty is chosen inside training."""

import warnings
from dataclasses import dataclass

import numpy as np
from sksurv.linear_model import CoxnetSurvivalAnalysis
from sksurv.util import Surv

from triptych.errors import DataError
from triptych.models._inputs import fit_encoder, inner_folds, need_events
from triptych.models._linear import LinearCox, finish
from triptych.survival.cox import log_partial_likelihood
from triptych.tables import Examples

TASKS = ("survival",)
NEEDS = ("table",)


@dataclass(frozen=True)
class Options:
    """``l1_ratio``: 1 is the lasso; ``penalties``: length of the path that is searched."""

    l1_ratio: float = 0.5
    penalties: int = 40
    smallest: float = 0.05
    inner_folds: int = 5


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> LinearCox:
    """Fit the path (Simon et al. 2011) and take the penalty with the best cross-validated partial likelihood.

    The criterion is that of Verweij & van Houwelingen (1993), with Efron ties.
    """
    encoder = fit_encoder(train, blocks)
    need_events(train, 2)  # one may be left out by an inner fold
    x, time, event = encoder(train), train.time, train.event
    alphas, betas = _path(x, time, event, options)
    score = np.zeros(len(alphas))
    folds = inner_folds(train, options.inner_folds, seed)
    for fold in np.unique(folds):
        rest = folds != fold
        for k, beta in enumerate(_path(x[rest], time[rest], event[rest], options, alphas)[1].T):
            h = x @ beta
            score[k] += log_partial_likelihood(h, time, event) - log_partial_likelihood(
                h[rest], time[rest], event[rest]
            )
    best = int(np.argmax(score))
    beta = betas[:, best]
    notes = {"penalty": float(alphas[best]), "columns": int(np.count_nonzero(beta))}
    return finish(encoder, beta, x, time, event, "efron", notes)


def _path(
    x: np.ndarray, time: np.ndarray, event: np.ndarray, options: Options, alphas=None
) -> tuple[np.ndarray, np.ndarray]:
    """Penalties (k,) and coefficients (p, k)."""
    model = CoxnetSurvivalAnalysis(
        l1_ratio=options.l1_ratio, n_alphas=options.penalties, alpha_min_ratio=options.smallest, alphas=alphas
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "all coefficients are zero" is a point of the path like others
            model.fit(x, Surv.from_arrays(event, time))
    except (ValueError, ArithmeticError) as error:
        raise DataError(f"elastic net: {error}; try a larger `smallest:` or fewer inputs") from error
    return model.alphas_, model.coef_
