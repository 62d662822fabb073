"""Linear regression with a ridge penalty, chosen by cross-validated squared error inside training (folds by person)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.models._inputs import TableEncoder, fit_encoder, inner_folds, number_table
from triptych.tables import Examples

TASKS = ("regression",)
NEEDS = ("table",)


@dataclass(frozen=True)
class Options:
    """Penalties to choose from, of the sum of squared coefficients of scaled columns."""

    ridge: tuple[float, ...] = (0.1, 1, 10, 100, 1000, 10000)
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
    x, y = encoder(train), train.y
    penalty = options.ridge[0]
    if len(options.ridge) > 1:
        penalty = options.ridge[
            int(np.argmin(_losses(x, y, inner_folds(train, options.inner_folds, seed), options.ridge)))
        ]
    notes = {"ridge": penalty, "columns": x.shape[1], "dropped": encoder.dropped}
    return Fitted(encoder, _paths(x, y - y.mean(), (penalty,))[:, 0], float(y.mean()), encoder.seen, notes)


def _paths(x: np.ndarray, y: np.ndarray, ridge: tuple[float, ...]) -> np.ndarray:
    """Coefficients (p, number of penalties)."""
    u, d, v = np.linalg.svd(x, full_matrices=False)
    return v.T @ (d[:, None] / (d[:, None] ** 2 + np.array(ridge)) * (u.T @ y)[:, None])


def _losses(x: np.ndarray, y: np.ndarray, fold: np.ndarray, ridge: tuple[float, ...]) -> np.ndarray:
    """Squared error of each penalty over the inner folds."""
    total = np.zeros(len(ridge))
    for k in np.unique(fold):
        kept, center = fold != k, y[fold != k].mean()
        middle = x[kept].mean(axis=0)
        predicted = (x[~kept] - middle) @ _paths(x[kept] - middle, y[kept] - center, ridge) + center
        total += np.square(predicted - y[~kept, None]).sum(axis=0)
    return total
