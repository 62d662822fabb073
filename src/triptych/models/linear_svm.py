"""Linear support vector machine on columns (Cortes & Vapnik 1995), its cost chosen inside training."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.models._inputs import (
    NoInputError,
    TableEncoder,
    class_table,
    fit_encoder,
    inner_folds,
    need_classes,
    number_table,
    row_weights,
)
from triptych.models._svm import fit_dual
from triptych.tables import Examples

TASKS = ("classification", "regression")
NEEDS = ("table",)


@dataclass(frozen=True)
class Options:
    """Costs to choose from, for rows of mean square length 1; ``balanced`` weighs classes alike,
    ``people_alike`` people, however many rows they have."""

    cost: tuple[float, ...] = (0.01, 0.1, 1, 10, 100)
    balanced: bool = False
    people_alike: bool = False
    inner_folds: int = 5


@dataclass(frozen=True)
class Fitted:
    """Coding and coefficients."""

    encoder: TableEncoder
    beta: np.ndarray
    intercept: float
    seen: str
    notes: dict

    def predict(self, examples: Examples, times: np.ndarray | None = None) -> pd.DataFrame:
        """The signed distance from the border between classes, or the number; no probabilities."""
        found = (self.encoder(examples) * self.beta).sum(axis=1) + self.intercept
        return number_table(examples, found) if examples.kind == "regression" else class_table(examples, found, None)


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> Fitted:
    """Fit by sequential minimal optimisation.

    Raises
    ------
    DataError
        When the training rows are of one class.
    """
    if train.kind == "classification":
        need_classes(train)
    train = train.in_order()
    encoder = fit_encoder(train, blocks)
    x, fold = encoder(train), inner_folds(train, options.inner_folds, seed)
    dual = fit_dual(
        x @ x.T,
        train.y,
        fold,
        kind=train.kind,
        costs=options.cost,
        balanced=options.balanced,
        weight=row_weights(train, options.people_alike),
        inner=lambda out: _products(train.take(~out), train.take(out), blocks),
    )
    notes = {"cost": dual.cost, "columns": x.shape[1], "dropped": encoder.dropped}
    return Fitted(encoder, x.T @ dual.alpha, dual.intercept, encoder.seen, notes)


def _products(rest: Examples, out: Examples, blocks: list[str]) -> tuple[np.ndarray, np.ndarray] | None:
    """Inner products of an inner fold, whose columns are coded and scaled by its own training rows."""
    try:
        encoder = fit_encoder(rest, blocks)
    except NoInputError:
        return None
    x, held = encoder(rest), encoder(out)
    unit = np.square(x).sum() / len(x)
    return x @ x.T / unit, held @ x.T / unit
