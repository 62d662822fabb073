"""Time-dependent AUC at the horizon: patients with the event by then against patients still without it."""

import numpy as np

from triptych.metrics._held import Held
from triptych.survival.scores import auc

TASKS = ("survival",)
LABEL = "Time-dependent AUC"
HIGHER_IS_BETTER = True
NULL_VALUE = 0.5
SCALE = "logit"
AT_HORIZON = True


def contributions(held: Held) -> tuple[float, np.ndarray]:
    """Value and influence of each row (cumulative cases, dynamic controls; weights 1/G(T-) fixed; Uno et al. 2007)."""
    assert held.horizon is not None, "a study with this metric has a horizon"
    found = auc(held.time, held.event, held.risk, held.horizon, censoring=held.censoring, strata=held.fold)
    return found.value, found.influence
