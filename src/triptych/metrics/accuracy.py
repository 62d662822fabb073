"""Accuracy: share of rows whose class is told rightly."""

import numpy as np

from triptych.metrics._held import HeldClasses
from triptych.metrics._shares import share

TASKS = ("classification",)
LABEL = "Accuracy"
HIGHER_IS_BETTER = True
NULL_VALUE = None
SCALE = "logit"
FAMILY = "proportion"


def contributions(held: HeldClasses) -> tuple[float, np.ndarray]:
    """Value and influence of each row."""
    return share(held.predicted == held.y, np.ones(len(held.y), bool), "row")
