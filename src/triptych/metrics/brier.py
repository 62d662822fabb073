"""Brier score at the horizon: mean squared error of the predicted survival probability."""

import numpy as np

from triptych.metrics._held import Held
from triptych.survival.scores import brier

TASKS = ("survival",)
LABEL = "Brier score"
HIGHER_IS_BETTER = False
NULL_VALUE = None
SCALE = "logit"
FAMILY = "mean"
AT_HORIZON = True
CURVES = True


def contributions(held: Held) -> tuple[float, np.ndarray]:
    """Value and influence of each row (Graf et al. 1999; weights 1/G(T-) and 1/G(t), fixed)."""
    times, curves = held.grid()
    found = brier(held.time, held.event, curves[:, -1], times[-1], censoring=held.censoring)
    return found.value, found.influence
