"""Random survival forest (scikit-survival)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sksurv.ensemble import RandomSurvivalForest
from sksurv.util import Surv

from triptych.models._inputs import TableEncoder, fit_encoder, need_events, survival_table
from triptych.tables import Examples

TASKS = ("survival",)
NEEDS = ("table",)


@dataclass(frozen=True)
class Options:
    """Size and depth of the forest."""

    trees: int = 200
    min_leaf: int = 10
    max_features: float | str = "sqrt"
    max_samples: float | None = None
    jobs: int = 1


@dataclass(frozen=True)
class Fitted:
    """Coding and forest."""

    encoder: TableEncoder
    forest: RandomSurvivalForest
    seen: str
    notes: dict

    def predict(self, examples: Examples, times: np.ndarray | None = None) -> pd.DataFrame:
        """Risk is the ensemble mortality: the sum of the cumulative hazard over the training event times."""
        x = self.encoder(examples)
        risk = self.forest.predict(x)
        if times is None:
            return survival_table(examples, risk, None, None)
        known = self.forest.unique_times_
        curves = np.hstack([np.ones((len(x), 1)), self.forest.predict_survival_function(x, return_array=True)])
        return survival_table(examples, risk, times, curves[:, np.searchsorted(known, times, side="right")])


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> Fitted:
    """Grow the forest (Ishwaran et al. 2008)."""
    encoder = fit_encoder(train, blocks)
    need_events(train, 1)
    forest = RandomSurvivalForest(
        n_estimators=options.trees,
        min_samples_leaf=options.min_leaf,
        max_features=options.max_features,
        max_samples=options.max_samples,
        random_state=seed,
        n_jobs=options.jobs,
    )
    forest.fit(encoder(train), Surv.from_arrays(train.event, train.time))
    return Fitted(encoder, forest, encoder.seen, {"columns": len(encoder.names), "dropped": encoder.dropped})
