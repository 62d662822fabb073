"""Random forest of classification or regression trees."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from triptych.models._inputs import TableEncoder, class_table, fit_encoder, need_classes, number_table, row_weights
from triptych.tables import Examples

TASKS = ("classification", "regression")
NEEDS = ("table",)


@dataclass(frozen=True)
class Options:
    """Number of trees, rows in a leaf, and whether classes, or people however many rows they have, weigh alike."""

    trees: int = 300
    min_leaf: int = 3
    balanced: bool = False
    people_alike: bool = False


@dataclass(frozen=True)
class Fitted:
    """Coding and forest."""

    encoder: TableEncoder
    forest: Any
    seen: str
    notes: dict

    def predict(self, examples: Examples, times: np.ndarray | None = None) -> pd.DataFrame:
        """Mean over trees: of the share of positive rows in the leaf, or of the number."""
        x = self.encoder(examples)
        if examples.kind == "regression":
            return number_table(examples, self.forest.predict(x))
        p = self.forest.predict_proba(x)[:, 1]
        return class_table(examples, p, p, cut=0.5)


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> Fitted:
    """Grow the trees (Breiman 2001).

    Raises
    ------
    DataError
        When the training rows are of one class.
    """
    encoder = fit_encoder(train, blocks)
    common = {"n_estimators": options.trees, "min_samples_leaf": options.min_leaf, "random_state": seed, "n_jobs": 1}
    if train.kind == "regression":
        forest: Any = RandomForestRegressor(max_features=1 / 3, **common)
    else:
        need_classes(train)
        forest = RandomForestClassifier(class_weight="balanced" if options.balanced else None, **common)
    y = train.y if train.kind == "regression" else train.y.astype(int)
    forest.fit(encoder(train), y, row_weights(train, options.people_alike) if options.people_alike else None)
    return Fitted(encoder, forest, encoder.seen, {"trees": options.trees, "dropped": encoder.dropped})
