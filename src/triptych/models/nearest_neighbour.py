"""Nearest neighbours of the training rows, by Euclidean distance of scaled columns; with k = 1 it remembers everything."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from triptych.errors import DataError
from triptych.models._inputs import TableEncoder, class_table, fit_encoder, number_table
from triptych.tables import Examples

TASKS = ("classification", "regression")
NEEDS = ("table",)


@dataclass(frozen=True)
class Options:
    """How many neighbours vote."""

    k: int = 1


@dataclass(frozen=True)
class Fitted:
    """The training rows."""

    encoder: TableEncoder
    x: np.ndarray
    y: np.ndarray
    k: int
    seen: str
    notes: dict

    def predict(self, examples: Examples, times: np.ndarray | None = None) -> pd.DataFrame:
        """Mean outcome of the k nearest training rows; of rows at the same distance the first ones count."""
        # pair by pair: a matrix product rounds equal rows differently, and one would not find itself
        distance = cdist(self.encoder(examples), self.x, "sqeuclidean")
        mean = self.y[np.argsort(distance, axis=1, kind="stable")[:, : self.k]].mean(axis=1)
        return (
            number_table(examples, mean)
            if examples.kind == "regression"
            else class_table(examples, mean, mean, cut=0.5)
        )


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> Fitted:
    """Remember the training rows (Cover & Hart 1967).

    Raises
    ------
    DataError
        Without a neighbour to ask.
    """
    if options.k < 1:
        raise DataError(f"nearest neighbours: `k:` must be 1 or more, not {options.k}")
    encoder = fit_encoder(train, blocks)
    k = min(options.k, len(train))
    return Fitted(encoder, encoder(train), train.y, k, encoder.seen, {"k": k, "dropped": encoder.dropped})
