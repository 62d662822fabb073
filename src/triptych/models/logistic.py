"""Logistic regression with a ridge penalty, chosen by cross-validated log loss inside training."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from triptych.models._inputs import TableEncoder, class_table, fit_encoder, inner_folds, need_classes, row_weights
from triptych.tables import Examples

TASKS = ("classification",)
NEEDS = ("table",)


@dataclass(frozen=True)
class Options:
    """Penalties to choose from (of the sum of squared coefficients, in units of rows); ``balanced`` weighs classes alike,
    ``people_alike`` people, however many rows they have."""

    ridge: tuple[float, ...] = (0.1, 1, 10, 100, 1000)
    balanced: bool = False
    people_alike: bool = False
    inner_folds: int = 5


@dataclass(frozen=True)
class Fitted:
    """Coding and model."""

    encoder: TableEncoder
    model: Any
    seen: str
    notes: dict

    def predict(self, examples: Examples, times: np.ndarray | None = None) -> pd.DataFrame:
        """The log odds as score."""
        x = self.encoder(examples)
        score = (x * self.model.coef_[0]).sum(axis=1) + self.model.intercept_[0]
        return class_table(examples, score, expit(score))


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> Fitted:
    """Fit by L-BFGS.

    Raises
    ------
    DataError
        When the training rows are of one class.
    """
    need_classes(train)
    encoder = fit_encoder(train, blocks)
    x, y, weight = encoder(train), train.y.astype(int), row_weights(train, options.people_alike)
    ridge = (
        options.ridge[0]
        if len(options.ridge) == 1
        else _best(x, y, weight, inner_folds(train, options.inner_folds, seed), options)
    )
    model = _logistic(ridge, options).fit(x, y, weight)
    return Fitted(encoder, model, encoder.seen, {"ridge": ridge, "columns": x.shape[1], "dropped": encoder.dropped})


def _logistic(ridge: float, options: Options) -> LogisticRegression:
    return LogisticRegression(C=1 / ridge, class_weight="balanced" if options.balanced else None, max_iter=2000)


def _best(x: np.ndarray, y: np.ndarray, weight: np.ndarray, fold: np.ndarray, options: Options) -> float:
    """The penalty with the least log loss over inner folds that hold both classes in training."""
    usable = [k for k in np.unique(fold) if len(np.unique(y[fold != k])) == 2]

    def loss(ridge: float) -> float:
        total = 0.0
        for k in usable:
            kept, held = fold != k, fold == k
            score = _logistic(ridge, options).fit(x[kept], y[kept], weight[kept]).decision_function(x[held])
            total += float((weight[held] * (np.logaddexp(0, score) - y[held] * score)).sum())
        return total

    return min(options.ridge, key=loss)
