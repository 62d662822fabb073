"""Integrated Brier score: the Brier score averaged over the time from the first grid point to the horizon."""

import numpy as np

from triptych.metrics._held import Held
from triptych.survival.scores import integrated_brier

TASKS = ("survival",)
LABEL = "Integrated Brier score"
HIGHER_IS_BETTER = False
NULL_VALUE = None
SCALE = "logit"
FAMILY = "mean"
AT_HORIZON = True
CURVES = True


def contributions(held: Held) -> tuple[float, np.ndarray]:
    """Value and influence of each row (Graf et al. 1999; trapezoid over the grid, weights fixed)."""
    times, curves = held.grid()
    found = integrated_brier(held.time, held.event, curves, times, censoring=held.censoring)
    return found.value, found.influence
