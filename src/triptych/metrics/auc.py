"""Area under the ROC curve: share of pairs of a positive and a negative row whose order the score tells."""

import numpy as np

from triptych.errors import NotEstimableError
from triptych.inference.auc import placements
from triptych.inference.bootstrap import pair_replicates
from triptych.metrics._held import HeldClasses

TASKS = ("classification",)
LABEL = "AUC"
HIGHER_IS_BETTER = True
NULL_VALUE = 0.5
SCALE = "logit"
FAMILY = "rank"


def contributions(held: HeldClasses) -> tuple[float, np.ndarray]:
    """Value and influence of each row; pairs are compared within a fold only, folds weighted by their pairs.

    Pooling scores of several folds would be biased: without signal it averages .42 for one binary feature (n = 100).

    Raises
    ------
    NotEstimableError
        When no fold has rows of both classes.
    """
    won, met = np.zeros(len(held.y)), np.zeros(len(held.y))  # of each row: pairs won by the positive, pairs in all
    for fold in np.unique(held.fold):
        rows = np.flatnonzero(held.fold == fold)
        positive, negative = rows[held.y[rows] == 1], rows[held.y[rows] == 0]
        if not len(positive) or not len(negative):
            continue
        v10, v01 = placements(held.y[rows], held.score[rows])
        won[positive], met[positive] = v10 * len(negative), len(negative)
        won[negative], met[negative] = v01 * len(positive), len(positive)
    pairs = met[held.y == 1].sum()
    if not pairs:
        raise NotEstimableError("no fold has rows of both classes, so there is no pair to compare")
    value = float(won[held.y == 1].sum() / pairs)
    return value, (won - value * met) / pairs


def replicates(held: HeldClasses, weights: np.ndarray) -> np.ndarray:
    """Values (B,) with each row taken as often as ``weights`` (B, n) says."""
    return pair_replicates(held.y == 1, held.y == 0, held.score, held.fold, weights)
