"""Mean absolute error, in the unit of the outcome."""

import numpy as np

from triptych.metrics._held import HeldNumbers

TASKS = ("regression",)
LABEL = "Mean absolute error"
HIGHER_IS_BETTER = False
NULL_VALUE = None
SCALE = "log"
FAMILY = "mean"


def contributions(held: HeldNumbers) -> tuple[float, np.ndarray]:
    """Value and influence of each row."""
    error = np.abs(held.predicted - held.y)
    value = float(error.mean())
    return value, (error - value) / len(error)
