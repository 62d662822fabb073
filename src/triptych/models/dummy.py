"""Null without inputs: the share of the positive class, or the mean (median) of the number, of the training rows."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from triptych.models._inputs import class_table, number_table
from triptych.tables import Examples

TASKS = ("classification", "regression")
NEEDS = ()


@dataclass(frozen=True)
class Options:
    """What stands for a number: the mean has the least squared error, the median the least absolute error."""

    center: Literal["mean", "median"] = "median"


@dataclass(frozen=True)
class Fitted:
    """One number, and the hash of the training keys."""

    value: float
    seen: str
    notes: dict

    def predict(self, examples: Examples, times: np.ndarray | None = None) -> pd.DataFrame:
        """The same for every row; of classes the more frequent one."""
        same = np.full(len(examples), self.value)
        if examples.kind == "regression":
            return number_table(examples, same)
        return class_table(examples, same, same, cut=0.5)


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> Fitted:
    """Remember one number."""
    center = np.median if train.kind == "regression" and options.center == "median" else np.mean
    value = float(center(train.y))
    return Fitted(value, train.fingerprint(), {"value": value})
