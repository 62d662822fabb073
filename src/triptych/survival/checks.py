"""Input checks that every survival function shares: bad rows are named, nothing is silently repaired."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triptych.errors import DataError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]


def _first(bad: NDArray[np.bool_]) -> str:
    return f"row {int(np.argmax(bad))}"


def _column(values: ArrayLike, name: str, n: int | None = None) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must be numbers: {error}") from error
    if array.ndim != 1:
        raise DataError(f"{name} must be one-dimensional, it has shape {array.shape}")
    if n is not None and array.size != n:
        raise DataError(f"{name} has {array.size} rows where time has {n}")
    return array


def _checked_time(time: ArrayLike) -> Floats:
    values = _column(time, "time")
    if values.size == 0:
        raise DataError("no rows: time is empty")
    for bad, what in ((np.isnan(values), "missing"), (np.isinf(values), "infinite"), (values < 0, "negative")):
        if bad.any():
            raise DataError(f"time is {what} in {_first(bad)}; times must be finite and at least 0")
    return values


def _checked_event(event: ArrayLike, n: int) -> Flags:
    raw = np.asarray(event)
    if raw.dtype == np.bool_ and raw.shape == (n,):
        return raw
    values = _column(raw, "event", n)
    bad = ~((values == 0) | (values == 1))
    if bad.any():
        what = "missing" if np.isnan(values[np.argmax(bad)]) else f"{values[np.argmax(bad)]:g}"
        raise DataError(f"event is {what} in {_first(bad)}; it must be 0 (censored) or 1 (event)")
    return values == 1


def _checked_entry(entry: ArrayLike, time: Floats) -> Floats:
    values = _column(entry, "entry", time.size)
    bad = ~(values < time)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(f"entry is {values[row]:g} and time {time[row]:g} in row {row}; entry must come before time")
    return values


def _checked_weights(weights: ArrayLike, n: int) -> Floats:
    values = _column(weights, "weights", n)
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        raise DataError(
            f"weights is {values[np.argmax(bad)]:g} in {_first(bad)}; weights must be finite and at least 0"
        )
    if not values.any():
        raise DataError("weights are all 0")
    return values


def checked(
    time: ArrayLike, event: ArrayLike, entry: ArrayLike | None = None, weights: ArrayLike | None = None
) -> tuple[Floats, Flags, Floats | None, Floats | None]:
    """`survival_arrays` with None in the place of what was not given; see there."""
    times = _checked_time(time)
    events = _checked_event(event, times.size)
    entries = None if entry is None else _checked_entry(entry, times)
    return times, events, entries, None if weights is None else _checked_weights(weights, times.size)


def survival_arrays(
    time: ArrayLike, event: ArrayLike, *, entry: ArrayLike | None = None, weights: ArrayLike | None = None
) -> tuple[Any, ...]:
    """Check right-censored data and return them as arrays.

    Parameters
    ----------
    time : (n,) follow-up in any one unit; finite, at least 0 (an event at time 0 is legal).
    event : (n,) 1 or True where the event was seen, 0 or False where follow-up was censored.
    entry : (n,), optional; delayed entry, before `time`; a row is at risk at t if entry < t <= time.
    weights : (n,), optional; finite, at least 0, not all 0.

    Returns
    -------
    tuple
        float64 time, bool event, then float64 entry and weights, those of the two that were given.

    Raises
    ------
    DataError
        No rows, lengths that differ, or a value that is not allowed; the message names the 0-based row.
    """
    return tuple(array for array in checked(time, event, entry, weights) if array is not None)


def risk_array(risk: ArrayLike, n: int) -> Floats:
    """Check a risk score, shape (n,), higher = earlier event; infinite values are allowed (they can be ranked).

    Raises
    ------
    DataError
        Another length, or NaN, naming the 0-based row.
    """
    values = _column(risk, "risk", n)
    bad = np.isnan(values)
    if bad.any():
        raise DataError(f"risk is missing in {_first(bad)}")
    return values


def finite_array(values: ArrayLike, n: int, name: str = "log_risk") -> Floats:
    """Check a finite column, shape (n,); DataError names the first row that is NaN or infinite."""
    array = _column(values, name, n)
    bad = ~np.isfinite(array)
    if bad.any():
        raise DataError(f"{name} is {array[np.argmax(bad)]:g} in {_first(bad)}; it must be finite")
    return array


def group_codes(labels: ArrayLike | None, n: int, name: str = "strata") -> tuple[Codes, int]:
    """Codes 0..k-1 of any labels, shape (n,), and k; None is one group. DataError where lengths differ."""
    if labels is None:
        return np.zeros(n, dtype=np.int64), 1
    array = np.asarray(labels)
    if array.shape != (n,):
        raise DataError(f"{name} has shape {array.shape} where time has {n} rows")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise DataError(f"{name} is missing in {_first(np.isnan(array))}")
    if array.dtype == object:
        array = array.astype(str)
    levels, codes = np.unique(array, return_inverse=True)
    return codes.astype(np.int64), int(levels.size)
