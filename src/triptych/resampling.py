"""Scores of patients drawn again: for the bootstrap, the only method that needs predictions and not only contributions."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from triptych import plugins
from triptych.errors import NotEstimableError
from triptych.scoring import Rows
from triptych.tables import PERSON

Draw = Callable[[np.ndarray], np.ndarray]


def drawn(
    predictions: pd.DataFrame, curves: pd.DataFrame | None, metric: str, horizon: float | None
) -> dict[str, Draw]:
    """For each model, what gives its scores (B,) from how often each person is drawn, (B, I), persons in the order of names."""
    module = plugins.load("metrics", metric)
    return {
        model: _draw(Rows.of(predictions, curves, model, horizon), module) for model in predictions["model"].unique()
    }


def _draw(rows: Rows, metric: ModuleType) -> Draw:
    """The mean over repeats, each of which tests every person."""

    def values(counts: np.ndarray) -> np.ndarray:
        found = []
        for repeat, held in rows.held.items():
            person = rows.people[repeat].groupby(PERSON, sort=True).ngroup().to_numpy()
            found.append(replicates(metric, held, counts[:, person]))
        return np.mean(found, axis=0)

    return values


def replicates(metric: ModuleType, held: Any, weights: np.ndarray) -> np.ndarray:
    """At once for means and where the metric can, else one after the other."""
    if hasattr(metric, "replicates"):
        return metric.replicates(held, weights)
    if metric.FAMILY in ("mean", "proportion"):
        return _means(metric, held, weights)
    return np.array([_one(metric, held, row) for row in weights])


def _means(metric: ModuleType, held: Any, weights: np.ndarray) -> np.ndarray:
    """Means over the rows that count: the influence of a row tells its score."""
    value, influence = metric.contributions(held)
    of = getattr(metric, "OF", "all")
    counts = np.ones(influence.size) if of == "all" else (held.y == (of == "positive")).astype(float)
    sums, rows = weights @ (influence * counts.sum() + value * counts), weights @ counts
    return np.divide(sums, rows, out=np.full(len(weights), np.nan), where=rows > 0)


def _one(metric: ModuleType, held: Any, weights: np.ndarray) -> float:
    try:
        return metric.contributions(held.take(np.repeat(np.arange(weights.size), weights)))[0]
    except NotEstimableError:
        return np.nan
