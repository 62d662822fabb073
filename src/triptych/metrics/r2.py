"""Explained variance on held-out rows: 1 minus the squared error over that of the mean of these rows; it can be negative."""

import numpy as np

from triptych.errors import NotEstimableError
from triptych.metrics._held import HeldNumbers

TASKS = ("regression",)
LABEL = "R²"
HIGHER_IS_BETTER = True
NULL_VALUE = 0.0
SCALE = "log1m"
FAMILY = "ratio"


def contributions(held: HeldNumbers) -> tuple[float, np.ndarray]:
    """Value and influence of each row (delta method for a ratio of means).

    Raises
    ------
    NotEstimableError
        When the outcome of these rows is constant.
    """
    error, own = np.square(held.predicted - held.y), np.square(held.y - held.y.mean())
    if not own.sum() > 0:
        raise NotEstimableError("the outcome is the same in all these rows")
    ratio = error.sum() / own.sum()
    return float(1 - ratio), -(error - ratio * own) / own.sum()
