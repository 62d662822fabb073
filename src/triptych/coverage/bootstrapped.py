"""Scores of patients who are drawn again, for the bootstrap; only in a few cells, because it takes long."""

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych import plugins
from triptych.coverage.cells import Cell
from triptych.coverage.observed import Patients
from triptych.resampling import replicates

DRAWN_AGAIN = {"auc", "accuracy"}


def draws(cell: Cell) -> bool:
    """Whether patients of this cell are drawn again."""
    known = cell.kind == "classification" and (cell.events, cell.strength) == (0.3, 1.5) and cell.n in (50, 100)
    return known and (cell.sizes, cell.icc) in (("one", 0.0), ("random", 0.8))


def replicate(cell: Cell, metric: str, held: Any, patients: Patients) -> Callable[[np.ndarray], np.ndarray] | None:
    """Of how often each patient is drawn, (B, I), to scores (B,); None where patients are not drawn again."""
    if not draws(cell) or metric not in DRAWN_AGAIN:
        return None
    module = plugins.load("metrics", metric)
    return lambda counts: replicates(module, held, counts[:, patients.unit])
