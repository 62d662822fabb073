"""Examples of each kind of outcome that were never measured: ``g1`` makes events early, the class positive, the number large.

Models of images see the same rows as small volumes, in which each ``g`` brightens a cube.
"""

import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triptych import plugins
from triptych.tables import Examples
from triptych.volumes import Volumes

BLOCKS = {"clinical": ["age", "grade", "flat"], "genes": ["g1", "g2", "g3"]}
KINDS = ("survival", "classification", "regression")
LITTLE = {"epochs": 3, "learning_rate": 0.01, "batch": 16, "augment": 0.0}
QUICK = {  # smaller than the defaults, so that all of this takes seconds
    "random_survival_forest": {"trees": 25, "min_leaf": 5},
    "random_forest": {"trees": 25},
    "nearest_neighbour": {"k": 9},
    "deepsurv": {"hidden": (8,), "epochs": 60, "learning_rate": 0.02, "dropout": 0.1},
    "coxnet": {"penalties": 15},
    "conv5_fc3": {"channels": (4, 8), "hidden": (16,), "dropout": 0.1, **LITTLE},
    "resnet3d": {"blocks": (1, 1), "width": 4, **LITTLE},
    "vit3d": {"patch": 4, "width": 16, "depth": 2, "heads": 2, "dropout": 0.0, **LITTLE},
}
MODELS = plugins.names("models")
OF_IMAGES = [name for name in MODELS if plugins.describe("models", name)["NEEDS"] == ("image",)]
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


SIDE = 10
CUBES = {
    name: tuple(slice(a, a + 3) for a in at) for name, at in {"g1": (5, 5, 4), "g2": (2, 2, 5), "g3": (3, 6, 2)}.items()
}
FOLDER = tempfile.TemporaryDirectory()


def picture(name, **brightness):
    """A ball with noise of its own (10, 10, 10), float16, 0 outside; each cube is brighter by so much."""
    random = np.random.default_rng(list(name.encode()))
    place = np.indices((SIDE, SIDE, SIDE)) - (SIDE - 1) / 2
    volume = 0.5 + 0.05 * random.normal(size=(SIDE, SIDE, SIDE))
    for cube, value in brightness.items():
        volume[CUBES[cube]] += 0.2 * np.nan_to_num(value)
    return np.where((place**2).sum(axis=0) < (SIDE / 2) ** 2, volume, 0).astype(np.float16)


def pictured(examples):
    """The same rows with an image each, made of their columns g1, g2 and g3."""
    paths = []
    for row in examples.table.to_dict("records"):
        shown = {cube: float(row[cube]) for cube in CUBES}
        path = Path(FOLDER.name) / f"{sha256(repr((row['participant_id'], shown)).encode()).hexdigest()[:16]}.npy"
        if not path.exists():
            np.save(path, picture(row["participant_id"], **shown))
        paths.append(str(path))
    return Examples(examples.table.assign(mri_t1w=paths), {**examples.blocks, "image": ["mri_t1w"]}, examples.kind)


@dataclass
class Pictured:
    """A model of images that takes rows of a table and looks at their pictures."""

    model: Any

    def __getattr__(self, name):
        return getattr(self.model, name)

    def predict(self, examples, times=None):
        return self.model.predict(pictured(examples), times)


def fit(name, train, seed=1, blocks=("clinical", "genes"), device="cpu", **options):
    """Fit a model plug-in, small where its defaults are large."""
    module = plugins.load("models", name)
    chosen = module.Options(**(QUICK.get(name, {}) | options))
    if name in OF_IMAGES:
        return Pictured(module.fit(pictured(train), chosen, blocks=["image"], seed=seed, device=device))
    return module.fit(train, chosen, blocks=list(blocks), seed=seed, device=device)


def ranked(predicted):
    """Scores or numbers that were predicted (n,)."""
    return predicted["score" if "score" in predicted else "predicted"].to_numpy()


def dense(examples):
    """The images of examples in one array (n, x, y, z)."""
    pictures = pictured(examples)
    return Volumes.of(pictures.images(["image"])).read(range(len(examples))).astype(float)
