"""Specificity: share of negative rows that are told to be negative."""

import numpy as np

from triptych.metrics._held import HeldClasses
from triptych.metrics._shares import share

TASKS = ("classification",)
LABEL = "Specificity"
HIGHER_IS_BETTER = True
NULL_VALUE = None
SCALE = "logit"
FAMILY = "proportion"
OF = "negative"  # the rows that count


def contributions(held: HeldClasses) -> tuple[float, np.ndarray]:
    """Value and influence of each row."""
    return share(held.predicted == 0, held.y == 0, "negative row")
