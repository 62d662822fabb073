"""Sensitivity: share of positive rows that are told to be positive."""

import numpy as np

from triptych.metrics._held import HeldClasses
from triptych.metrics._shares import share

TASKS = ("classification",)
LABEL = "Sensitivity"
HIGHER_IS_BETTER = True
NULL_VALUE = None
SCALE = "logit"
FAMILY = "proportion"
OF = "positive"  # the rows that count


def contributions(held: HeldClasses) -> tuple[float, np.ndarray]:
    """Value and influence of each row."""
    return share(held.predicted == 1, held.y == 1, "positive row")
