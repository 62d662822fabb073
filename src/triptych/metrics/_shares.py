"""Shares of rows that are right: the value, and the influence of each row on it."""

import numpy as np

from triptych.errors import NotEstimableError


def share(right: np.ndarray, of: np.ndarray, what: str) -> tuple[float, np.ndarray]:
    """Share of ``right`` (bool, (n,)) among the rows ``of`` (bool, (n,)), and the influence (n,) of each row.

    Raises
    ------
    NotEstimableError
        When there is no such row.
    """
    n = int(of.sum())
    if not n:
        raise NotEstimableError(f"there is no {what}")
    value = float(right[of].mean())
    return value, np.where(of, (right - value) / n, 0.0)
