"""Uno's C: Harrell's C with weights against censoring, for pairs whose first event lies before the horizon."""

import numpy as np

from triptych.metrics._held import Held
from triptych.survival.concordance import resampled, uno

TASKS = ("survival",)
LABEL = "Uno's C"
HIGHER_IS_BETTER = True
NULL_VALUE = 0.5
SCALE = "logit"
FAMILY = "rank"


def contributions(held: Held) -> tuple[float, np.ndarray]:
    """Value and influence of each row (Uno et al. 2011); events up to and including the horizon, weights 1/G(T-)^2 fixed."""
    found = uno(held.time, held.event, held.risk, tau=held.horizon, strata=held.fold, censoring=held.censoring)
    assert found.influence is not None
    return found.c, found.influence


def replicates(held: Held, weights: np.ndarray) -> np.ndarray:
    """Values (B,) with each row taken as often as ``weights`` (B, n) says; the censoring curve stays."""
    strata, tau, censoring = held.fold, held.horizon, held.censoring
    return resampled(held.time, held.event, held.risk, weights, strata=strata, tau=tau, censoring=censoring)
