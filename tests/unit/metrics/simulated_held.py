"""Held-out rows of each kind whose predictions are true, half right, random or reversed."""

from dataclasses import replace

import numpy as np

from triptych import plugins
from triptych.metrics._held import Held, HeldClasses, HeldNumbers
from triptych.survival.nonparametric import censoring_curve

GRID = np.linspace(0.1, 5.0, 50)
KINDS = ("survival", "classification", "regression")
METRICS = plugins.names("metrics")
PAIRS = [(name, kind) for name in METRICS for kind in plugins.describe("metrics", name)["TASKS"] if kind in KINDS]


def survival(how="half", n=120, seed=0, folds=3, effect=1.2):
    """Survival predictions with curves on ``GRID``."""
    random = np.random.default_rng(seed)
    log_risk = random.normal(size=n)
    hidden, censored = random.exponential(5 * np.exp(-effect * log_risk)), random.uniform(1, 12, n)
    time, event = np.minimum(hidden, censored), hidden <= censored
    says = {"true": hidden, "random": random.permutation(hidden), "reversed": 1 / hidden, "half": hidden}[how]
    if how == "half":
        says = says * np.exp(random.normal(0, 2, n))
    curves = (GRID[None, :] < says[:, None]).astype(float) * 0.9 + 0.05
    fold = np.arange(n) % folds
    return Held(time, event, -says, fold, GRID, curves, 5.0, censoring_curve(time, event))


def _says(truth, how, random):
    noise = random.normal(size=len(truth))
    return {"true": truth, "half": truth + noise, "random": random.permutation(truth), "reversed": -truth}[how]


def classes(how="half", n=120, seed=0, folds=3):
    """Two classes; the score is a log odds."""
    random = np.random.default_rng(seed)
    truth = random.normal(size=n)
    score = _says(truth, how, random)
    p = 1 / (1 + np.exp(-2 * score))
    return HeldClasses((truth > 0.2).astype(int), score, (score > 0.2).astype(int), p, np.arange(n) % folds)


def numbers(how="half", n=120, seed=0, folds=3):
    """Numbers about 40."""
    random = np.random.default_rng(seed)
    truth = random.normal(size=n)
    return HeldNumbers(40 + 10 * truth, 40 + 10 * _says(truth, how, random), np.arange(n) % folds)


MAKE = {"survival": survival, "classification": classes, "regression": numbers}


def constant(held):
    """The same predictions for everyone; of numbers, the best one."""
    if isinstance(held, Held):
        return replace(held, risk=np.zeros_like(held.risk), curves=np.full_like(held.curves, 0.5))
    if isinstance(held, HeldClasses):
        half, positive = np.full(len(held.y), 0.5), np.ones_like(held.y)
        return replace(held, score=half, p=half, predicted=positive)
    return replace(held, predicted=np.full(len(held.y), held.y.mean()))


def size(held):
    """Number of rows."""
    return len(held.fold)
