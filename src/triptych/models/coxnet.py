"""Elastic-net Cox (scikit-survival's coordinate descent, Breslow ties); the penalty is chosen inside training."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sksurv.linear_model import CoxnetSurvivalAnalysis
from sksurv.util import Surv

from triptych.errors import DataError
from triptych.models._inputs import (
    TableEncoder,
    fit_encoder,
    inner_folds,
    linear_predictor,
    need_events,
    survival_table,
)
from triptych.survival.cox import baseline_cumulative_hazard, cox_survival, log_partial_likelihood
from triptych.survival.nonparametric import StepCurve
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


@dataclass(frozen=True)
class Fitted:
    """Coding, coefficients and baseline hazard."""

    encoder: TableEncoder
    beta: np.ndarray
    baseline: StepCurve
    seen: str
    notes: dict

    def predict(self, examples: Examples, times: np.ndarray | None = None) -> pd.DataFrame:
        """Risk is the linear predictor."""
        risk = linear_predictor(self.encoder(examples), self.beta)
        return survival_table(
            examples, risk, times, None if times is None else cox_survival(self.baseline, risk, times)
        )


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> Fitted:
    """Fit the path (Simon et al. 2011) and take the penalty with the best cross-validated partial likelihood.

    The criterion is that of Verweij & van Houwelingen (1993), with Efron ties.
    """
    encoder = fit_encoder(train, blocks)
    need_events(train, 2)  # one may be left out by an inner fold
    x, time, event = encoder(train), train.time, train.event
    alphas, betas = _path(x, time, event, options)
    score = np.zeros(len(alphas))
    folds = inner_folds(train, options.inner_folds, seed)
    for fold in range(options.inner_folds):
        rest = folds != fold
        for k, beta in enumerate(_path(x[rest], time[rest], event[rest], options, alphas)[1].T):
            h = x @ beta
            score[k] += log_partial_likelihood(h, time, event) - log_partial_likelihood(
                h[rest], time[rest], event[rest]
            )
    best = int(np.argmax(score))
    beta = betas[:, best]
    notes = {"penalty": float(alphas[best]), "columns": int(np.count_nonzero(beta)), "dropped": encoder.dropped}
    return Fitted(encoder, beta, baseline_cumulative_hazard(x @ beta, time, event, ties="efron"), encoder.seen, notes)


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
