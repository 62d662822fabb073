"""Brier score of a class: mean squared difference between the predicted probability and what came true."""

import numpy as np

from triptych.metrics._held import HeldClasses

TASKS = ("classification",)
LABEL = "Brier score (class)"
HIGHER_IS_BETTER = False
NULL_VALUE = None
SCALE = "logit"
FAMILY = "mean"


def contributions(held: HeldClasses) -> tuple[float, np.ndarray]:
    """Value and influence of each row (Brier 1950)."""
    error = np.square(held.probability() - held.y)
    value = float(error.mean())
    return value, (error - value) / len(error)
