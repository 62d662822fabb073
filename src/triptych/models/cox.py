"""Cox proportional hazards with Efron ties; a ridge penalty may be given or chosen by cross-validated partial likelihood."""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from triptych.errors import DataError
from triptych.models._inputs import TableEncoder, fit_encoder, inner_folds, linear_predictor, survival_table
from triptych.survival.cox import baseline_cumulative_hazard, cox_survival, fit_cox, select_ridge
from triptych.survival.nonparametric import StepCurve
from triptych.tables import Examples

TASKS = ("survival",)
NEEDS = ("table",)


@dataclass(frozen=True)
class Options:
    """``ridge``: no penalty when empty; one value is used as it is; of several the best is chosen inside training."""

    ties: Literal["efron", "breslow"] = "efron"
    ridge: tuple[float, ...] = ()
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
    """Fit by Newton's method (Cox 1972; ties: Efron 1977).

    Raises
    ------
    DataError
        When there is no penalty and as many columns as events or more: the coefficients are not identifiable.
    """
    encoder = fit_encoder(train, blocks)
    x, time, event = encoder(train), train.time, train.event
    if not options.ridge and x.shape[1] >= event.sum():
        raise DataError(
            f"a Cox model without penalty cannot be fitted to {x.shape[1]} columns and {int(event.sum())} events; "
            "give it a penalty (`ridge: [1, 10, 100]`) or fewer inputs"
        )
    penalty = 0.0
    if len(options.ridge) == 1:
        penalty = options.ridge[0]
    elif options.ridge:
        penalty = select_ridge(x, time, event, options.ridge, inner_folds(train, options.inner_folds, seed))
    try:
        model = fit_cox(x, time, event, ties=options.ties, l2=penalty)
    except DataError as error:
        raise DataError(_in_words(str(error), encoder.names)) from error
    baseline = baseline_cumulative_hazard(x @ model.beta, time, event, ties=options.ties)
    notes = {"ridge": penalty, "columns": x.shape[1], "dropped": encoder.dropped}
    return Fitted(encoder, model.beta, baseline, encoder.seen, notes)


def _in_words(message: str, names: list[str]) -> str:
    """The solver's message in the words of a study: columns by name, the option that is the penalty."""
    named = re.sub(r"column (\d+) of x", lambda found: f"column {names[int(found[1])]!r}", message)
    return named.replace("a penalty (l2 > 0)", "a penalty (`ridge: [1, 10, 100]`)")
