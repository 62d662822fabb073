"""Linear regression with a ridge penalty, chosen by cross-validated squared error inside training."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.models._inputs import TableEncoder, fit_encoder, inner_folds, number_table, row_weights
from triptych.tables import Examples

TASKS = ("regression",)
NEEDS = ("table",)


@dataclass(frozen=True)
class Options:
    """Penalties to choose from, of the sum of squared coefficients of scaled columns; whether people weigh alike, however many
    rows they have."""

    ridge: tuple[float, ...] = (0.1, 1, 10, 100, 1000, 10000)
    people_alike: bool = False
    inner_folds: int = 5


@dataclass(frozen=True)
class Fitted:
    """Coding, coefficients and mean."""

    encoder: TableEncoder
    beta: np.ndarray
    mean: float
    seen: str
    notes: dict

    def predict(self, examples: Examples, times: np.ndarray | None = None) -> pd.DataFrame:
        """The linear predictor."""
        return number_table(examples, (self.encoder(examples) * self.beta).sum(axis=1) + self.mean)


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> Fitted:
    """Solve by one singular value decomposition for all penalties (Hoerl & Kennard 1970)."""
    encoder = fit_encoder(train, blocks)
    x, y, weight = encoder(train), train.y, row_weights(train, options.people_alike)
    penalty = options.ridge[0]
    if len(options.ridge) > 1:
        fold = inner_folds(train, options.inner_folds, seed)
        penalty = options.ridge[int(np.argmin(_losses(x, y, weight, fold, options.ridge)))]
    notes = {"ridge": penalty, "columns": x.shape[1], "dropped": encoder.dropped}
    beta, mean = _paths(x, y, weight, (penalty,))
    return Fitted(encoder, beta[:, 0], float(mean[0]), encoder.seen, notes)


def _paths(x: np.ndarray, y: np.ndarray, weight: np.ndarray, ridge: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (p, number of penalties) and intercepts (number of penalties,) of least squares with weights (n,)."""
    middle, center, root = np.average(x, axis=0, weights=weight), np.average(y, weights=weight), np.sqrt(weight)
    u, d, v = np.linalg.svd((x - middle) * root[:, None], full_matrices=False)
    beta = v.T @ (d[:, None] / (d[:, None] ** 2 + np.array(ridge)) * (u.T @ ((y - center) * root))[:, None])
    return beta, center - middle @ beta


def _losses(x: np.ndarray, y: np.ndarray, weight: np.ndarray, fold: np.ndarray, ridge: tuple[float, ...]) -> np.ndarray:
    """Weighted squared error of each penalty over the inner folds."""
    total = np.zeros(len(ridge))
    for k in np.unique(fold):
        kept, held = fold != k, fold == k
        beta, intercept = _paths(x[kept], y[kept], weight[kept], ridge)
        total += weight[held] @ np.square(x[held] @ beta + intercept - y[held, None])
    return total
