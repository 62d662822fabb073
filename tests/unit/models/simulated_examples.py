"""Examples of each kind of outcome that were never measured: ``g1`` makes events early, the class positive, the number large."""

import numpy as np
import pandas as pd

from triptych import plugins
from triptych.tables import Examples

BLOCKS = {"clinical": ["age", "grade", "flat"], "genes": ["g1", "g2", "g3"]}
KINDS = ("survival", "classification", "regression")
QUICK = {  # smaller than the defaults, so that all of this takes seconds
    "random_survival_forest": {"trees": 25, "min_leaf": 5},
    "random_forest": {"trees": 25},
    "nearest_neighbour": {"k": 9},
    "deepsurv": {"hidden": (8,), "epochs": 60, "learning_rate": 0.02, "dropout": 0.1},
    "coxnet": {"penalties": 15},
}
MODELS = plugins.names("models")
PAIRS = [(name, kind) for name in MODELS for kind in plugins.describe("models", name)["TASKS"] if kind in KINDS]


def cohort(kind="survival", n=80, seed=0, effect=1.5):
    """A category, missing values, a constant column, ties in time."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "cohort": "sim",
            "participant_id": [f"s{seed}-{k:03d}" for k in range(n)],
            "session_id": "ses-1",
            "age": random.normal(60, 10, n),
            "grade": random.choice(["low", "mid", "high"], n),
            "flat": 3.0,
            **{f"g{k}": random.normal(size=n) for k in (1, 2, 3)},
        }
    )
    signal = effect * table["g1"].to_numpy()
    if kind == "survival":
        hidden, censored = random.exponential(6 * np.exp(-signal)), random.uniform(1, 12, n)
        table["time"] = np.ceil(np.minimum(hidden, censored) * 2) / 2
        table["event"] = hidden <= censored
    elif kind == "classification":
        table["y"] = (random.logistic(size=n) < signal).astype(int)
    else:
        table["y"] = 50 + 10 * (signal + random.normal(0, 0.7, n))
    table.loc[random.random(n) < 0.15, "age"] = np.nan
    table.loc[random.random(n) < 0.10, "grade"] = None
    return Examples(table, BLOCKS, kind)


def changed(examples, **columns):
    """The same examples with other values in some columns."""
    return Examples(examples.table.assign(**columns), examples.blocks, examples.kind)


def fit(name, train, seed=1, blocks=("clinical", "genes"), **options):
    """Fit a model plug-in, small where its defaults are large."""
    module = plugins.load("models", name)
    chosen = module.Options(**(QUICK.get(name, {}) | options))
    return module.fit(train, chosen, blocks=list(blocks), seed=seed, device="cpu")
