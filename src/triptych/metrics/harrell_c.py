"""Harrell's C: share of comparable pairs of patients whose order of events the risk predicts."""

import numpy as np

from triptych.metrics._held import Held
from triptych.survival.concordance import harrell

TASKS = ("survival",)
LABEL = "Harrell's C"
HIGHER_IS_BETTER = True
NULL_VALUE = 0.5
SCALE = "logit"


def contributions(held: Held) -> tuple[float, np.ndarray]:
    """Value and influence of each row; pairs are compared within a fold (Harrell et al. 1982; ties as in R's survival)."""
    found = harrell(held.time, held.event, held.risk, strata=held.fold)
    assert found.influence is not None
    return found.c, found.influence
