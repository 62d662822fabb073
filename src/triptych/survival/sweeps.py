"""Compiled sweeps over Fenwick trees: pairs of a concordance, and AUC at all times.

A Fenwick (binary indexed) tree holds sums per rank; adding and reading a prefix sum take O(log n).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from triptych.survival.checks import Codes, Floats


@njit(cache=True, nogil=True)
def _add(tree, rank, value):
    while rank < tree.size:
        tree[rank] += value
        rank += rank & -rank


@njit(cache=True, nogil=True)
def _below(tree, rank):
    total = 0.0
    rank -= 1
    while rank > 0:
        total += tree[rank]
        rank &= rank - 1
    return total


@njit(cache=True, nogil=True)
def _backward(time, event, rank, weight, pair_weight, entry, by_entry, lo, hi, tree, level, score, known, totals):
    """Walk one stratum from the last time to the first; each event meets those who outlive it."""
    alive, count, pairs, gone = 0.0, 0, 0, lo
    truncated = by_entry.size > 0
    stop = hi
    while stop > lo:
        now, start = time[stop - 1], stop - 1
        while start > lo and time[start - 1] == now:
            start -= 1
        if truncated:
            while gone < hi and entry[by_entry[gone]] >= now:
                j = by_entry[gone]
                _add(tree, rank[j], -weight[j])
                level[rank[j]] -= weight[j]
                alive -= weight[j]
                count -= weight[j] > 0
                gone += 1
        for j in range(start, stop):
            if not event[j]:
                _add(tree, rank[j], weight[j])
                level[rank[j]] += weight[j]
                alive += weight[j]
                count += weight[j] > 0
        tied = 0.0
        for i in range(start, stop):
            if event[i] and pair_weight[i] > 0:
                lower, equal = _below(tree, rank[i]), level[rank[i]]
                w = weight[i] * pair_weight[i]
                totals[0] += w * lower
                totals[1] += w * (alive - lower - equal)
                totals[2] += w * equal
                score[i] += pair_weight[i] * (lower + 0.5 * equal)
                known[i] += pair_weight[i] * alive
                pairs += count if w > 0 else 0
                totals[3] += w * tied
                tied += weight[i]
        for j in range(start, stop):
            if event[j]:
                _add(tree, rank[j], weight[j])
                level[rank[j]] += weight[j]
                alive += weight[j]
                count += weight[j] > 0
        stop = start
    return pairs


@njit(cache=True, nogil=True)
def _meet(j, sign, rank, tree, level, dead, score, known):
    """Add (or take away) the events that row j outlived: those of higher risk are concordant."""
    equal = level[rank[j]]
    score[j] += sign * (dead - _below(tree, rank[j]) - 0.5 * equal)
    known[j] += sign * dead


@njit(cache=True, nogil=True)
def _forward(time, event, rank, weight, pair_weight, entry, by_entry, lo, hi, tree, level, score, known):
    """Walk one stratum from the first time to the last; each row meets the events before it."""
    dead, late = 0.0, hi - 1
    truncated = by_entry.size > 0
    start = lo
    while start < hi:
        now, stop = time[start], start + 1
        while stop < hi and time[stop] == now:
            stop += 1
        if truncated:
            # events up to its entry are not pairs of j: take them away now, they come in again at its own time
            while late >= lo and entry[by_entry[late]] < now:
                _meet(by_entry[late], -1.0, rank, tree, level, dead, score, known)
                late -= 1
        for j in range(start, stop):
            if event[j]:
                _meet(j, 1.0, rank, tree, level, dead, score, known)
        for i in range(start, stop):
            if event[i] and pair_weight[i] > 0:
                w = weight[i] * pair_weight[i]
                _add(tree, rank[i], w)
                level[rank[i]] += w
                dead += w
        for j in range(start, stop):
            if not event[j]:
                _meet(j, 1.0, rank, tree, level, dead, score, known)
        start = stop


@njit(cache=True, nogil=True)
def sweep(time, event, rank, weight, pair_weight, entry, by_entry, bounds, influence):
    """Count the pairs of all strata.

    Rows are sorted by stratum and time; bounds, (k + 1,), says where strata begin; rank, (n,), is dense and starts
    at 1 within a stratum; pair_weight, (n,), is 0 for rows that are not used as events; by_entry lists rows by
    stratum and falling entry, or is empty.

    Returns (concordant, discordant, tied risk, tied time), the number of pairs, and per row the sum of scores and of
    weights of its pairs (only the half as the earlier member where influence is False).
    """
    n = time.size
    score, known, totals = np.zeros(n), np.zeros(n), np.zeros(4)
    pairs = 0
    for s in range(bounds.size - 1):
        lo, hi = bounds[s], bounds[s + 1]
        if lo == hi:
            continue
        size = rank[lo:hi].max() + 1
        tree, level = np.zeros(size), np.zeros(size)
        pairs += _backward(
            time, event, rank, weight, pair_weight, entry, by_entry, lo, hi, tree, level, score, known, totals
        )
        if influence:
            tree[:] = 0.0
            level[:] = 0.0
            _forward(time, event, rank, weight, pair_weight, entry, by_entry, lo, hi, tree, level, score, known)
    return totals, pairs, score, known


@njit(cache=True, nogil=True)
def sweep_resampled(time, event, rank, weights, pair_weight, bounds):
    """`sweep` without influence for each row of weights, (b, n); (b, 3) concordant, discordant, tied risk."""
    b, n = weights.shape
    nothing, nobody = np.empty(0), np.empty(0, dtype=np.int64)
    score, known = np.zeros(n), np.zeros(n)
    found = np.zeros((b, 3))
    for k in range(b):
        totals = np.zeros(4)
        for s in range(bounds.size - 1):
            lo, hi = bounds[s], bounds[s + 1]
            if lo < hi:
                size = rank[lo:hi].max() + 1
                tree, level = np.zeros(size), np.zeros(size)
                _backward(
                    time,
                    event,
                    rank,
                    weights[k],
                    pair_weight,
                    nothing,
                    nobody,
                    lo,
                    hi,
                    tree,
                    level,
                    score,
                    known,
                    totals,
                )
        found[k] = totals[:3]
    return found


@njit(cache=True, nogil=True)
def censoring_left_limits(time, event):
    """G(T-) of `nonparametric.censoring_curve` at each row, (n,); rows are sorted by time."""
    n = time.size
    out = np.empty(n)
    free, start = 1.0, 0
    while start < n:
        stop, died = start, 0
        while stop < n and time[stop] == time[start]:
            died += event[stop]
            out[stop] = free
            stop += 1
        censored = stop - start - died
        if censored > 0:
            free *= 1.0 - censored / (n - start - died)
        start = stop
    return out


@njit(cache=True, nogil=True)
def auc_sweep(time, case_weight, rank, grid):
    """AUC at each time of the rising grid, (m,), NaN without a case or a control.

    Rows are sorted by time; case_weight, (n,), is 0 where censored; rank, (n,), is dense and starts at 1.
    """
    n = time.size
    size = rank.max() + 1
    controls, control_level = np.zeros(size), np.zeros(size)
    cases, case_level = np.zeros(size), np.zeros(size)
    for i in range(n):
        _add(controls, rank[i], 1.0)
        control_level[rank[i]] += 1.0
    values = np.full(grid.size, np.nan)
    numerator, total, left, i = 0.0, 0.0, n, 0
    for k in range(grid.size):
        while i < n and time[i] <= grid[k]:
            r, w = rank[i], case_weight[i]
            numerator -= total - _below(cases, r) - 0.5 * case_level[r]
            _add(controls, r, -1.0)
            control_level[r] -= 1.0
            left -= 1
            if w > 0:
                numerator += w * (_below(controls, r) + 0.5 * control_level[r])
                _add(cases, r, w)
                case_level[r] += w
                total += w
            i += 1
        if left > 0 and total > 0:
            values[k] = numerator / (total * left)
    return values


def dense_ranks(values: Floats, strata: Codes, k: int) -> NDArray[np.int32]:
    """Ranks 1, 2, ... of the distinct values within each stratum, (n,)."""
    order = np.argsort(values)
    if k > 1:
        order = order[np.argsort(strata[order], kind="stable")]
    ordered = values[order]
    step = np.empty(values.size, dtype=np.int32)
    step[0] = 1
    step[1:] = ordered[1:] != ordered[:-1]
    if k > 1:
        first = np.flatnonzero(np.diff(strata[order], prepend=-1))
        step[first] = 1
    climb = np.cumsum(step, dtype=np.int32)
    if k > 1:
        climb -= np.repeat(climb[first] - 1, np.diff(first, append=values.size)).astype(np.int32)
    ranks = np.empty(values.size, dtype=np.int32)
    ranks[order] = climb
    return ranks
