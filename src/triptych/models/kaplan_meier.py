"""Kaplan-Meier null: everyone gets the survival curve of the training patients, and the same risk."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.models._inputs import survival_table
from triptych.survival.nonparametric import KaplanMeier, kaplan_meier
from triptych.tables import Examples

TASKS = ("survival",)
NEEDS = ()


@dataclass(frozen=True)
class Options:
    """Nothing to choose."""


@dataclass(frozen=True)
class Fitted:
    """The curve, and the hash of the training keys."""

    curve: KaplanMeier
    seen: str
    notes: dict

    def predict(self, examples: Examples, times: np.ndarray | None = None) -> pd.DataFrame:
        """Risk 0 for everyone; survival at ``times``."""
        n = len(examples)
        curves = None if times is None else np.tile(self.curve.at(times), (n, 1))
        return survival_table(examples, np.zeros(n), times, curves)


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> Fitted:
    """Estimate the curve (Kaplan & Meier 1958)."""
    return Fitted(kaplan_meier(train.time, train.event), train.fingerprint(), {})
