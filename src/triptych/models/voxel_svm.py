"""Linear support vector machine on all voxels (as in Wen et al. 2020 and nilearn's Decoder), its cost chosen inside training.

Voxels, their means and deviations are those of the training rows.  The inner products of all pairs of rows are computed once;
whatever the cost and the inner fold, the images are not read again.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.errors import DataError
from triptych.models._inputs import class_table, inner_folds, need_classes, number_table, row_weights
from triptych.models._svm import fit_dual
from triptych.tables import Examples
from triptych.volumes import Volumes, summarise

TASKS = ("classification", "regression")
NEEDS = ("image",)


@dataclass(frozen=True)
class Options:
    """Costs to choose from, for rows of mean square length 1; ``balanced`` weighs classes alike,
    ``people_alike`` people, however many rows they have."""

    cost: tuple[float, ...] = (0.01, 0.1, 1, 10)
    balanced: bool = False
    people_alike: bool = False
    inner_folds: int = 5
    filled: float = 0.5  # a voxel is used when it is not 0 in so large a share of the training rows
    maps: bool = True  # of the weights


@dataclass(frozen=True)
class Fitted:
    """Weights (x, y, z) of the voxels, 0 where one is not used, and their means and deviations on the training rows."""

    weights: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    intercept: float
    blocks: tuple[str, ...]
    maps: bool
    seen: str
    notes: dict

    def predict(self, examples: Examples, times: np.ndarray | None = None) -> pd.DataFrame:
        """The signed distance from the border between classes, or the number; no probabilities."""
        volumes = Volumes.of(examples.images(self.blocks), self.weights.shape)
        rows = (volumes.read([row])[0] for row in range(len(volumes)))
        found = np.array([float((one * self.weights).sum()) for one in rows]) + self.intercept
        return number_table(examples, found) if examples.kind == "regression" else class_table(examples, found, None)

    def map(self, examples: Examples) -> np.ndarray | None:
        """How much a standard deviation of each voxel moves the output, whichever way; and the mean brain: (2, x, y, z)."""
        if not self.maps:
            return None
        size = np.abs(self.weights) * self.sd
        return np.stack([size / (size.mean() or 1.0), self.mean]).astype(np.float32)


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> Fitted:
    """Fit by sequential minimal optimisation.

    Raises
    ------
    DataError
        When the training rows are of one class, an image cannot be read, or no voxel is of use.
    """
    if train.kind == "classification":
        need_classes(train)
    train = train.in_order()
    volumes = Volumes.of(train.images(blocks))
    summary = summarise(volumes)
    mask = summary.varies & (summary.filled >= options.filled)
    if not mask.any():
        raise DataError(f"no usable input: no voxel that varies is filled in {options.filled:.0%} of the training rows")
    mean, sd = summary.mean[mask], summary.sd[mask]
    gram = np.zeros((len(train), len(train)))
    for here, values in volumes.columns(mask):
        scaled = (values - mean[here]) / sd[here]
        gram += scaled @ scaled.T
    fold = inner_folds(train, options.inner_folds, seed)
    dual = fit_dual(
        gram,
        train.y,
        fold,
        kind=train.kind,
        costs=options.cost,
        balanced=options.balanced,
        weight=row_weights(train, options.people_alike),
    )
    beta = np.concatenate([dual.alpha @ ((values - mean[h]) / sd[h]) for h, values in volumes.columns(mask)]) / sd
    weights = np.zeros(volumes.shape)
    weights[mask] = beta
    intercept = dual.intercept - float(beta @ mean)
    notes = {"cost": dual.cost, "voxels": int(mask.sum())}
    return Fitted(weights, summary.mean, summary.sd, intercept, tuple(blocks), options.maps, train.fingerprint(), notes)
