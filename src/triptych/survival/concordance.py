"""Harrell's and Uno's concordance in O(n log n), with infinitesimal-jackknife influence and paired comparison.

A pair (i, j) is comparable if i has the event and T_i < T_j, or T_i = T_j and j is censored; two events at one time
are not. It is concordant if risk_i > risk_j; equal risks (exactly equal, no tolerance) count one half.

Beware: a BLAS product such as x @ beta may round two equal rows of x differently in the last bit, and then their risks
are not tied. Round such scores (say, to 10 digits), or compute them row by row, before they are ranked.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triptych.errors import DataError, NotEstimableError
from triptych.survival.checks import Flags, Floats, checked, group_codes, risk_array
from triptych.survival.nonparametric import StepCurve
from triptych.survival.sweeps import censoring_left_limits, dense_ranks, sweep, sweep_resampled


@dataclass(frozen=True)
class Concordance:
    """A concordance index and what it is made of.

    c : (concordant + tied_risk / 2) / (concordant + discordant + tied_risk).
    concordant, discordant, tied_risk : comparable pairs, as sums of pair weights (plain counts without weights).
    tied_time : pairs of events at one time (R's tied.y plus tied.xy), not comparable.
    influence : (n,) change of c per row, weight multiplied in, in the order of the input; None if not asked for.
    pairs : number of comparable pairs of positive weight.
    """

    c: float
    concordant: float
    discordant: float
    tied_risk: float
    tied_time: float
    influence: Floats | None
    pairs: int

    @property
    def variance(self) -> float:
        """Infinitesimal-jackknife variance of c, the sum of squared influences."""
        influence = _influence(self)
        return float(influence @ influence)

    @property
    def se(self) -> float:
        """Standard error of c."""
        return float(np.sqrt(self.variance))


def _influence(estimate: Concordance) -> Floats:
    if estimate.influence is None:
        raise DataError("this concordance was computed with influence=False; it has no variance")
    return estimate.influence


def _count(
    time: Floats,
    event: Flags,
    risk: Floats,
    pair_weight: Floats | None,
    weights: Floats | None,
    entry: Floats | None,
    strata: ArrayLike | None,
    influence: bool,
    by_time: NDArray[np.intp] | None = None,
) -> Concordance:
    n = time.size
    codes, k = group_codes(strata, n)
    ranks = dense_ranks(risk, codes, k)
    order = np.argsort(time) if by_time is None else by_time
    if k > 1:
        order = order[np.argsort(codes[order], kind="stable")]
    bounds = np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=k))))
    w = np.ones(n) if weights is None else weights[order]
    deaths = event[order]
    pw = deaths.astype(np.float64) if pair_weight is None else pair_weight[order]
    ordered = time[order]
    start, by_entry = np.empty(0), np.empty(0, dtype=np.int64)
    if entry is not None:
        start = entry[order]
        by_entry = np.lexsort((-start, codes[order]))
    totals, pairs, score, known = sweep(ordered, deaths, ranks[order], w, pw, start, by_entry, bounds, influence)
    concordant, discordant, tied_risk, tied_time = (float(total) for total in totals)
    everything = concordant + discordant + tied_risk
    if pairs == 0:
        raise NotEstimableError(_why_no_pair(time, event, pair_weight, k))
    c = (concordant + tied_risk / 2) / everything
    change = None
    if influence:
        change = np.empty(n)
        change[order] = w * (score - c * known) / everything
    return Concordance(c, concordant, discordant, tied_risk, tied_time, change, int(pairs))


def _why_no_pair(time: Floats, event: Flags, pair_weight: Floats | None, k: int) -> str:
    used = event if pair_weight is None else pair_weight > 0
    where = " within a stratum" if k > 1 else ""
    if time.size == 1:
        return "no comparable pair: there is one row"
    if not event.any():
        return "no comparable pair: every row is censored"
    if not used.any():
        return f"no comparable pair: no event up to tau (the first is at {time[event].min():g})"
    if time[used].min() >= time.max():
        return f"no comparable pair: nobody was followed beyond the first event used, at {time[used].min():g}"
    return f"no comparable pair{where}: no event has a row of positive weight that was at risk and outlived it"


def harrell(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    influence: bool = True,
) -> Concordance:
    """Harrell's C (Harrell et al. 1982), with R's conventions and infinitesimal-jackknife variance.

    Parameters
    ----------
    time, event, weights, entry : (n,) as in `checks.survival_arrays`. A pair weighs w_i w_j. With `entry`, j is
        compared with i only if it entered before T_i.
    risk : (n,) higher = earlier event; infinite values are ranked.
    strata : (n,) labels, optional; only rows of one stratum are compared (say, of one cross-validation fold).
    influence : False skips the second sweep.

    Raises
    ------
    NotEstimableError
        No comparable pair, with the reason.
    DataError
        Bad input, naming the row.
    """
    times, events, entries, w = checked(time, event, entry, weights)
    return _count(times, events, risk_array(risk, times.size), None, w, entries, strata, influence)


def uno(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    *,
    tau: float | None = None,
    tau_inclusive: bool = True,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    censoring: StepCurve | None = None,
    influence: bool = True,
) -> Concordance:
    """Uno's C (Uno et al. 2011, Statistics in Medicine 30): pairs weigh 1 / G(T_i-)^2, the left limit.

    Parameters
    ----------
    time, event, weights : (n,) as in `checks.survival_arrays`; risk, strata, influence : as in `harrell`.
    tau : events later than tau are not used as the earlier member of a pair; None uses all.
    tau_inclusive : True uses T <= tau (R), False T < tau (Uno's paper, scikit-survival).
    censoring : curve G, by default `censoring_curve` of all rows, all strata together. The influence takes G as fixed.

    Raises
    ------
    NotEstimableError
        No comparable pair, or G is 0 before an event that is used.
    DataError
        Bad input, naming the row.
    """
    times, events, _, w = checked(time, event, None, weights)
    risks = risk_array(risk, times.size)
    used = events.copy()
    if tau is not None:
        used &= times <= tau if tau_inclusive else times < tau
    order = np.argsort(times)
    free = np.empty(times.size)
    if censoring is None:
        # the curve of these rows, read off while walking them in order: no second sort, no search
        free[order] = censoring_left_limits(times[order], events[order])
    else:
        free = censoring.left(times)
    gone = used & (free <= 0)
    if gone.any():
        raise NotEstimableError(
            f"the censoring curve is 0 before the event at {times[gone].min():g}; choose tau below it"
        )
    pair_weight = np.divide(1.0, free**2, out=np.zeros(times.size), where=used)
    return _count(times, events, risks, pair_weight, w, None, strata, influence, order)


def resampled(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    weights: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    tau: float | None = None,
    censoring: StepCurve | None = None,
) -> Floats:
    """C in each of b bootstrap replicates, (b,), NaN in those without a comparable pair; O(b n log n), one sort.

    Parameters
    ----------
    time, event, risk, strata : as in `harrell`.
    weights : (b, n) how often each row is drawn.
    censoring : of all rows, taken as fixed: then Uno's C, with events up to and including tau; None: Harrell's.

    Raises
    ------
    NotEstimableError
        The censoring curve is 0 before an event that is used.
    DataError
        Bad input, naming the row.
    """
    times, events, _, _ = checked(time, event, None, None)
    drawn = np.ascontiguousarray(weights, dtype=np.float64)
    if drawn.ndim != 2 or drawn.shape[1] != times.size:
        raise DataError(f"weights has shape {drawn.shape}; it must be (replicates, {times.size})")
    codes, k = group_codes(strata, times.size)
    used = events if tau is None else events & (times <= tau)
    weight = used.astype(np.float64)
    if censoring is not None:
        free = censoring.left(times)
        if (free[used] <= 0).any():
            raise NotEstimableError("the censoring curve is 0 before an event; choose tau below it")
        weight = np.divide(1.0, free**2, out=np.zeros(times.size), where=used)
    order = np.lexsort((times, codes))
    bounds = np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=k))))
    ranks = dense_ranks(risk_array(risk, times.size), codes, k)
    totals = sweep_resampled(
        times[order], events[order], ranks[order], np.ascontiguousarray(drawn[:, order]), weight[order], bounds
    )
    pairs = totals.sum(axis=1)
    right = totals[:, 0] + totals[:, 2] / 2
    return np.divide(right, pairs, out=np.full(len(drawn), np.nan), where=pairs > 0)


def _clustered(a: Concordance, b: Concordance, cluster: ArrayLike | None) -> tuple[Floats, Floats]:
    first, second = _influence(a), _influence(b)
    if first.size != second.size:
        raise DataError(f"the two concordances have {first.size} and {second.size} rows; they must be of the same rows")
    if cluster is None:
        return first, second
    codes, k = group_codes(cluster, first.size, "cluster")
    return np.bincount(codes, first, k).astype(np.float64), np.bincount(codes, second, k).astype(np.float64)


def paired_covariance(a: Concordance, b: Concordance, cluster: ArrayLike | None = None) -> Floats:
    """Covariance matrix, (2, 2), of two concordances of the same rows in the same order.

    cluster : (n,) labels, optional; influences are summed within a cluster (say, a patient) before multiplying.
    DataError where the rows do not match.
    """
    both = np.stack(_clustered(a, b, cluster))
    return both @ both.T


def difference(a: Concordance, b: Concordance, *, cluster: ArrayLike | None = None) -> tuple[float, float]:
    """Difference a.c - b.c of two concordances of the same rows and its standard error; see `paired_covariance`."""
    first, second = _clustered(a, b, cluster)
    return a.c - b.c, float(np.sqrt(np.sum((first - second) ** 2)))
