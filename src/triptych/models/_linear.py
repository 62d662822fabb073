"""A fitted Cox model with a linear predictor: what the ridge and the elastic net have in common."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.models._inputs import TableEncoder, survival_table
from triptych.survival.cox import baseline_cumulative_hazard, cox_survival
from triptych.survival.nonparametric import StepCurve
from triptych.tables import Examples


def linear_predictor(x: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Rows (n, p) times coefficients (p,), row by row: a matrix product rounds equal rows differently and so breaks ties."""
    return (x * beta).sum(axis=1)


@dataclass(frozen=True)
class LinearCox:
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


def finish(
    encoder: TableEncoder, beta: np.ndarray, x: np.ndarray, time: np.ndarray, event: np.ndarray, ties: str, notes: dict
) -> LinearCox:
    """Add the baseline hazard to coefficients that were fitted to the rows (n, p) of ``x``."""
    baseline = baseline_cumulative_hazard(linear_predictor(x, beta), time, event, ties=ties)
    return LinearCox(encoder, beta, baseline, encoder.seen, {**notes, "dropped": encoder.dropped})
