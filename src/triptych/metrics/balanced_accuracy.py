"""Balanced accuracy: mean of sensitivity and specificity; 0.5 without any skill, whatever the prevalence."""

import numpy as np

from triptych.metrics._held import HeldClasses
from triptych.metrics._shares import share

TASKS = ("classification",)
LABEL = "Balanced accuracy"
HIGHER_IS_BETTER = True
NULL_VALUE = 0.5
SCALE = "logit"
FAMILY = "ratio"
OF = "each"  # rows of each class count by themselves


def contributions(held: HeldClasses) -> tuple[float, np.ndarray]:
    """Value and influence of each row."""
    sensitivity, of_positive = share(held.predicted == 1, held.y == 1, "positive row")
    specificity, of_negative = share(held.predicted == 0, held.y == 0, "negative row")
    return (sensitivity + specificity) / 2, (of_positive + of_negative) / 2
