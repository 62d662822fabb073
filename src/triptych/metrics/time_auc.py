"""Time-dependent AUC at the horizon: patients with the event by then against patients still without it."""

import numpy as np

from triptych.inference.bootstrap import pair_replicates
from triptych.metrics._held import Held
from triptych.survival.scores import auc, auc_weights

TASKS = ("survival",)
LABEL = "Time-dependent AUC"
HIGHER_IS_BETTER = True
NULL_VALUE = 0.5
SCALE = "logit"
FAMILY = "rank"
AT_HORIZON = True


def contributions(held: Held) -> tuple[float, np.ndarray]:
    """Value and influence of each row (cumulative cases, dynamic controls; weights 1/G(T-) fixed; Uno et al. 2007)."""
    assert held.horizon is not None, "a study with this metric has a horizon"
    found = auc(held.time, held.event, held.risk, held.horizon, censoring=held.censoring, strata=held.fold)
    return found.value, found.influence


def replicates(held: Held, weights: np.ndarray) -> np.ndarray:
    """Values (B,) with each row taken as often as ``weights`` (B, n) says; the censoring curve stays."""
    assert held.horizon is not None, "a study with this metric has a horizon"
    cases, controls = auc_weights(held.time, held.event, held.horizon, held.censoring)
    return pair_replicates(cases, controls, held.risk, held.fold, weights)
