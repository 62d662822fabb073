"""Checks of rows and units: what every interval and test asks of its input."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triptych.errors import DataError

Floats = NDArray[np.float64]


def numbers(values: ArrayLike, name: str, n: int | None = None) -> np.ndarray:
    """Finite float64 array (n,); DataError where it is empty or of another shape, or names the first row not finite."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise DataError(f"{name} must be one column of numbers, it has shape {array.shape}")
    if n is not None and array.size != n:
        raise DataError(f"{name} has {array.size} rows where there must be {n}")
    bad = ~np.isfinite(array)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(f"{name} is {'missing' if np.isnan(array[row]) else 'infinite'} in row {row}")
    return array


def unit_codes(unit: ArrayLike | None, n: int, name: str = "unit") -> tuple[np.ndarray, int]:
    """Codes 0..I-1 (n,) of labels, and I; None makes every row its own unit. DataError names a row without label."""
    if unit is None:
        return np.arange(n), n
    labels = np.asarray(unit)
    if labels.shape != (n,):
        raise DataError(f"{name} has shape {labels.shape} where there are {n} rows")
    missing = np.array([label is None or label != label for label in labels.tolist()], dtype=bool)
    if missing.any():
        raise DataError(f"{name} is missing in row {int(np.argmax(missing))}")
    _, codes = np.unique(labels.astype(str) if labels.dtype == object else labels, return_inverse=True)
    return codes, int(codes.max()) + 1


def unit_sums(values: ArrayLike, unit: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    """Sum (I,) of the values (N,) of each unit and its number of rows (I,), units in the order of their labels."""
    array = numbers(values, "values")
    codes, n = unit_codes(unit, array.size)
    return np.bincount(codes, array, n), np.bincount(codes, minlength=n).astype(float)


def by_unit_sum(influence: Floats, codes: NDArray[np.int64]) -> Floats:
    """Influences of rows, (n,), summed within units, (I,)."""
    return np.asarray(np.bincount(codes, weights=influence, minlength=int(codes.max()) + 1), dtype=np.float64)


def outcome_and_probability(y: ArrayLike, p: ArrayLike) -> tuple[Floats, Floats]:
    """Check a binary outcome and predicted probabilities, (n,) each.

    Raises
    ------
    DataError
        No rows, lengths that differ, or a value outside {0, 1} or [0, 1], naming the 0-based row.
    """
    outcome, probability = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    if outcome.ndim != 1 or outcome.size == 0:
        raise DataError(f"y has shape {outcome.shape}; it must have one row or more, and no columns")
    if probability.shape != outcome.shape:
        raise DataError(f"p has shape {probability.shape} where y has {outcome.shape}")
    for bad, values, name, rule in (
        (~((outcome == 0) | (outcome == 1)), outcome, "y", "be 0 or 1"),
        (~((probability >= 0) & (probability <= 1)), probability, "p", "lie between 0 and 1"),
    ):
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(f"{name} is {values[row]:g} in row {row}; it must {rule}")
    return outcome, probability
