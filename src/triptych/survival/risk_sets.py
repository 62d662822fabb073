"""Risk sets of the Cox model, sorted once: one `RiskSets` per stratum, and their sums in log space."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from triptych.errors import DataError
from triptych.survival.checks import Flags, Floats, checked, group_codes

TIES = ("efron", "breslow", "exact")


@dataclass(frozen=True)
class RiskSets:
    """One stratum of n rows, sorted by time, with K event times and D events (one denominator each).

    rows : (n,) positions in the input. time, weight, entry : (n,), sorted by time. event_times : (K,).
    first : (K,) first row at risk by time. deaths : (D,) rows with an event, in order of time.
    group : (D,) event time of each death. starts : (K,) first death of each event time.
    fraction : (D,) share of the tied deaths that the denominator leaves out: r/m with Efron's rule, 0 with Breslow's.
    mean_weight : (D,) mean weight of the deaths tied with it, the weight of the denominator.
    """

    rows: NDArray[np.int64]
    time: Floats
    weight: Floats
    entry: Floats | None
    event_times: Floats
    first: NDArray[np.int64]
    deaths: NDArray[np.int64]
    group: NDArray[np.int64]
    starts: NDArray[np.int64]
    fraction: Floats
    mean_weight: Floats


def _stratum(
    rows: NDArray[np.int64], time: Floats, event: Flags, weight: Floats, entry: Floats | None, ties: str
) -> RiskSets:
    rows = rows[np.argsort(time[rows], kind="stable")]
    t, w = time[rows], weight[rows]
    deaths = np.flatnonzero(event[rows])
    event_times, starts, group, tied = np.unique(t[deaths], return_index=True, return_inverse=True, return_counts=True)
    place = np.arange(deaths.size) - starts[group]
    fraction = place / tied[group] if ties == "efron" else np.zeros(deaths.size)
    mean_weight = (np.bincount(group, w[deaths], event_times.size) / np.maximum(tied, 1))[group]
    first = np.searchsorted(t, event_times, side="left")
    start = None if entry is None else entry[rows]
    return RiskSets(rows, t, w, start, event_times, first, deaths, group, starts, fraction, mean_weight)


def build(
    time: ArrayLike,
    event: ArrayLike,
    ties: str,
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
) -> list[RiskSets]:
    """Risk sets of the strata that hold an event; rows of weight 0 take no part. DataError on bad input."""
    if ties not in TIES:
        raise DataError(f"ties must be one of {', '.join(TIES)}, not {ties!r}")
    times, events, entries, w = checked(time, event, entry, weights)
    codes, k = group_codes(strata, times.size)
    w = np.ones(times.size) if w is None else w
    kept = np.flatnonzero(w > 0)
    kept = kept[np.argsort(codes[kept], kind="stable")]
    parts = np.split(kept, np.cumsum(np.bincount(codes[kept], minlength=k))[:-1])
    return [_stratum(rows, times, events, w, entries, ties) for rows in parts if events[rows].any()]


@njit(cache=True, nogil=True)
def _suffix_logsumexp(values):
    """log of the sum of exp over rows i, i + 1, ..., (n,); the running maximum is kept apart, so nothing overflows."""
    out = np.empty(values.size)
    top, total = -np.inf, 0.0
    for i in range(values.size - 1, -1, -1):
        v = values[i]
        if v <= top:
            total += np.exp(v - top)
        else:
            total = total * np.exp(top - v) + 1.0
            top = v
        out[i] = top + np.log(total)
    return out


@njit(cache=True, nogil=True)
def _set_leaf(tree, leaf, value):
    tree[leaf] = value
    node = leaf >> 1
    while node >= 1:
        a, b = tree[2 * node], tree[2 * node + 1]
        high, low = max(a, b), min(a, b)
        tree[node] = high if low == -np.inf else high + np.log1p(np.exp(low - high))
        node >>= 1


@njit(cache=True, nogil=True)
def _truncated_logsumexp(values, first, entry, by_entry, event_times):
    """log sums over entry < t <= time per event time, (K,).

    Rows come and go in a tree of log sums, which is rebuilt upwards and never subtracts, so wide risks stay exact.
    """
    n = values.size
    leaves = 1
    while leaves < n:
        leaves *= 2
    tree = np.full(2 * leaves, -np.inf)
    out = np.empty(event_times.size)
    joined, gone = n, 0
    for k in range(event_times.size - 1, -1, -1):
        while joined > first[k]:
            joined -= 1
            _set_leaf(tree, leaves + joined, values[joined])
        while gone < n and entry[by_entry[gone]] >= event_times[k]:
            _set_leaf(tree, leaves + by_entry[gone], -np.inf)
            gone += 1
        out[k] = tree[1]
    return out


def log_risk_sums(sets: RiskSets, log_weighted: Floats) -> Floats:
    """log of the summed risks at risk at each event time, (K,); log_weighted, (n,), is log(weight x risk), sorted."""
    if sets.entry is None:
        return _suffix_logsumexp(log_weighted)[sets.first]
    by_entry = np.argsort(-sets.entry, kind="stable")
    return _truncated_logsumexp(log_weighted, sets.first, sets.entry, by_entry, sets.event_times)


def log_denominators(sets: RiskSets, log_risk: Floats) -> Floats:
    """log of the denominator of each death, (D,): log(sum at risk - fraction x sum of tied deaths).

    log_risk : (n,) in the order of the stratum.
    """
    weighted = log_risk + np.log(sets.weight)
    whole = log_risk_sums(sets, weighted)
    if not sets.fraction.any():
        return whole[sets.group]
    tied = np.logaddexp.reduceat(weighted[sets.deaths], sets.starts)
    # tied deaths are part of the risk set: a share above 1 can only be rounding
    share = np.exp(np.minimum(tied - whole, 0.0))
    return whole[sets.group] + np.log1p(-sets.fraction * share[sets.group])


@njit(cache=True, nogil=True)
def log_symmetric_sums(values, event_times, time, entry, first, tied):
    """log of the elementary symmetric sum of order tied[k] over each risk set, (K,), by recursion over its rows.

    entry : (n,), or empty. Source: Gail, Lubin & Rubinstein 1981 (Biometrika 68).
    """
    out = np.empty(event_times.size)
    for k in range(event_times.size):
        d, seen = tied[k], 0
        sums = np.full(d + 1, -np.inf)
        sums[0] = 0.0
        for j in range(first[k], values.size):
            if entry.size and entry[j] >= event_times[k]:
                continue
            seen += 1
            for q in range(min(d, seen), 0, -1):
                fresh = sums[q - 1] + values[j]
                high, low = max(sums[q], fresh), min(sums[q], fresh)
                sums[q] = high if low == -np.inf else high + np.log1p(np.exp(low - high))
        out[k] = sums[d]
    return out
