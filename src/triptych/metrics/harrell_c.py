"""Harrell's C: share of comparable pairs of patients whose order of events the risk predicts."""

import numpy as np

from triptych.metrics._held import Held
from triptych.survival.concordance import harrell, resampled

TASKS = ("survival",)
LABEL = "Harrell's C"
HIGHER_IS_BETTER = True
NULL_VALUE = 0.5
SCALE = "logit"
FAMILY = "rank"


def contributions(held: Held) -> tuple[float, np.ndarray]:
    """Value and influence of each row; pairs are compared within a fold (Harrell et al. 1982; ties as in R's survival)."""
    found = harrell(held.time, held.event, held.risk, strata=held.fold)
    assert found.influence is not None
    return found.c, found.influence


def replicates(held: Held, weights: np.ndarray) -> np.ndarray:
    """Values (B,) with each row taken as often as ``weights`` (B, n) says."""
    return resampled(held.time, held.event, held.risk, weights, strata=held.fold)
