"""Bootstrap of whole patients or sites for any statistic: percentile and BCa intervals, stratified where asked."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from triptych.errors import DataError, NotEstimableError
from triptych.inference.auc import score_columns, two_classes
from triptych.inference.checks import unit_codes
from triptych.inference.intervals import Interval

FEWEST = {"patient": 50, "site": 20}
FEWEST_REPLICATES = 200
MOST_WITHOUT_VALUE = 0.01
CHUNK = 4_000_000  # weights held at a time
# coverage of nominal 95 % intervals in simulation: unit -> kind -> number of units -> what was measured
COVERED = {
    "patient": {"percentile": {20: ".87 to .91"}, "bca": {20: ".92 to .94"}},
    "site": {"percentile": {3: ".73", 5: ".82", 10: ".90"}, "bca": {}},
}


def refuse_few(units: int, unit: str, kind: str, fewest: int | None = None) -> None:
    """Refuse a bootstrap of too few units, with the coverage that it would have had.

    Raises
    ------
    NotEstimableError
        Below 50 patients or 20 sites (or ``fewest``); and any basic bootstrap.
    """
    if kind == "basic":
        raise NotEstimableError(
            "the basic bootstrap is refused: its 95 % interval of the median covered .82 to .87; use percentile or BCa"
        )
    if kind not in ("percentile", "bca"):
        raise DataError(f"kind is {kind!r}; it must be 'percentile' or 'bca'")
    if unit not in FEWEST:
        raise DataError(f"unit is {unit!r}; it must be one of {', '.join(FEWEST)}")
    if fewest is not None and units < fewest:
        raise NotEstimableError(
            f"{units} {unit}s are too few for this bootstrap (at least {fewest}, fewer were not tried)"
        )
    if fewest is None and units < FEWEST[unit]:
        kind = kind if COVERED[unit][kind] else "percentile"
        known = COVERED[unit][kind]
        nearest = min(known, key=lambda n: abs(n - units))
        raise NotEstimableError(
            f"{units} {unit}s are too few for a bootstrap (at least {FEWEST[unit]}): in simulation with {nearest} {unit}s its "
            f"nominal 95 % {kind} interval covered {known[nearest]}"
        )


def draw_counts(
    units: int, *, replicates: int, rng: np.random.Generator, strata: ArrayLike | None = None
) -> np.ndarray:
    """How often each unit is drawn, (replicates, units); within each stratum (units,) as many as it has."""
    codes, n = (np.zeros(units, dtype=int), 1) if strata is None else unit_codes(strata, units, "strata")
    counts = np.empty((replicates, units), dtype=np.int64)
    for stratum in range(n):
        members = np.flatnonzero(codes == stratum)
        counts[:, members] = rng.multinomial(members.size, np.full(members.size, 1 / members.size), size=replicates)
    return counts


def label_strata(y: ArrayLike, cluster: ArrayLike | None) -> np.ndarray:
    """Stratum (I,) of each unit by the classes of its rows: 1 negative only, 2 positive only, 3 both."""
    positive = two_classes(y)
    codes, units = unit_codes(cluster, positive.size, "cluster")
    has = [np.bincount(codes[which], minlength=units) > 0 for which in (~positive, positive)]
    return has[0] + 2 * has[1]


def acceleration(jackknife: np.ndarray, strata: ArrayLike | None = None) -> float:
    """BCa's acceleration from the values (I,) with each unit left out (Efron 1987; strata: Davison & Hinkley 1997, 5.3).

    As in scipy; R's boot estimates it by regression on the replicates, which differs with ten units.
    """
    codes, n = unit_codes(np.zeros(jackknife.size) if strata is None else strata, jackknife.size, "strata")
    sizes = np.bincount(codes, minlength=n).astype(float)
    shrink = (sizes - 1) / sizes
    known = np.where(shrink[codes] > 0, jackknife, 0.0)
    d = shrink[codes] * ((np.bincount(codes, known, n) / sizes)[codes] - known)
    square = float(np.sum(d**2))
    return float(np.sum(d**3)) / (6 * square**1.5) if square > 0 else 0.0


def percentile_limits(replicates: np.ndarray, *, level: float) -> tuple[float, float]:
    """Percentile interval (Efron 1979)."""
    low, high = np.quantile(replicates, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def bca_limits(value: float, replicates: np.ndarray, accelerate: float, *, level: float) -> tuple[float, float]:
    """Bias-corrected and accelerated interval (Efron 1987), replicates equal to the value counted by one half.

    Raises
    ------
    NotEstimableError
        Where all replicates lie on one side of the value.
    """
    below = float(np.mean(replicates < value) + np.mean(replicates <= value)) / 2
    if not 0 < below < 1:
        raise NotEstimableError("no BCa interval: all bootstrap replicates lie on one side of the estimate")
    shift = special.ndtri(below)
    ends = shift + special.ndtri(np.array([0.5 - level / 2, 0.5 + level / 2]))
    low, high = np.quantile(replicates, special.ndtr(shift + ends / (1 - accelerate * ends)))
    return float(low), float(high)


def cluster_bootstrap(
    statistic: Callable[[np.ndarray], float | np.ndarray],
    cluster: ArrayLike,
    *,
    level: float,
    rng: np.random.Generator,
    replicates: int = 2000,
    kind: str = "bca",
    strata: ArrayLike | None = None,
    weighted: bool = False,
    unit: str = "patient",
    fewest: int | None = None,
) -> Interval:
    """Interval of any statistic by resampling whole units.

    Parameters
    ----------
    statistic
        Of the indices of rows, (any number,), to one number; with ``weighted``, of weights of rows, (b, N), to (b,).
        NaN or NotEstimableError where it has no value.
    cluster
        (N,) labels of patients or sites.
    strata
        (I,) stratum of each unit in the order of the labels, see `label_strata`.
    unit, fewest
        ``patient`` or ``site``; units needed where they are not 50 and 20.

    Raises
    ------
    NotEstimableError
        With too few units, or where more than 1 % of the replicates have no value.
    """
    labels = np.asarray(cluster)
    codes, units = unit_codes(labels, labels.size, "cluster")
    refuse_few(units, unit, kind, fewest)

    def evaluate(counts: np.ndarray) -> np.ndarray:
        if not weighted:
            return np.array([_or_nan(statistic, np.repeat(np.arange(codes.size), row[codes])) for row in counts])
        parts = np.array_split(counts, max(1, len(counts) * codes.size // CHUNK))
        return np.concatenate([np.asarray(statistic(part[:, codes]), dtype=float) for part in parts])

    return _interval(evaluate, units, strata, level, rng, replicates, kind, unit)


def _or_nan(statistic: Callable[[np.ndarray], float | np.ndarray], rows: np.ndarray) -> float:
    try:
        return float(statistic(rows))
    except NotEstimableError:
        return np.nan


def _interval(
    evaluate: Callable[[np.ndarray], np.ndarray],
    units: int,
    strata: ArrayLike | None,
    level: float,
    rng: np.random.Generator,
    replicates: int,
    kind: str,
    unit: str,
) -> Interval:
    if replicates < FEWEST_REPLICATES:
        raise DataError(f"{replicates} bootstrap replicates are too few (at least {FEWEST_REPLICATES})")
    value = float(evaluate(np.ones((1, units), dtype=np.int64))[0])
    if not np.isfinite(value):
        raise NotEstimableError("the statistic has no value on the data themselves")
    values = evaluate(draw_counts(units, replicates=replicates, rng=rng, strata=strata))
    known = values[np.isfinite(values)]
    lost = replicates - known.size
    if lost > MOST_WITHOUT_VALUE * replicates:
        raise NotEstimableError(f"the statistic has no value in {lost} of {replicates} bootstrap replicates")
    if kind == "bca":
        leave_one_out = evaluate(1 - np.eye(units, dtype=np.int64))
        if not np.isfinite(leave_one_out).all():
            raise NotEstimableError(f"no BCa interval: the statistic has no value without one of the {unit}s")
        low, high = bca_limits(value, known, acceleration(leave_one_out, strata), level=level)
    else:
        low, high = percentile_limits(known, level=level)
    name = "BCa" if kind == "bca" else kind
    method = f"bootstrap of {units} {unit}s, {name}, {known.size} replicates" + (
        ", stratified" if strata is not None else ""
    )
    method += f"; {lost} without a value" if lost else ""
    return Interval(value, low, high, float(np.std(known, ddof=1)), np.inf, method)


def auc_replicates(y: ArrayLike, scores: ArrayLike, cluster: ArrayLike | None, counts: np.ndarray) -> np.ndarray:
    """AUCs (B, k) with each unit taken as often as ``counts`` (B, I) says: one matrix product per score.

    The product is with the sums, over pairs of units, of (positive beats negative); memory I10 x I01 and rows m x n. NaN
    where a class is not drawn.
    """
    positive = two_classes(y)
    columns = score_columns(scores, positive.size)
    codes, _ = unit_codes(cluster, positive.size, "cluster")
    rows = [np.flatnonzero(which)[np.argsort(codes[which], kind="stable")] for which in (positive, ~positive)]
    (pos, start_pos), (neg, start_neg) = (np.unique(codes[r], return_index=True) for r in rows)
    drawn_pos, drawn_neg = counts[:, pos].astype(float), counts[:, neg].astype(float)
    sizes = [np.diff(np.append(start, r.size)) for start, r in zip((start_pos, start_neg), rows, strict=True)]
    pairs = (drawn_pos @ sizes[0]) * (drawn_neg @ sizes[1])
    out = np.full((len(counts), columns.shape[1]), np.nan)
    for j, x in enumerate(columns.T):
        a, b = x[rows[0]][:, None], x[rows[1]][None, :]
        beats = np.add.reduceat((a > b) + 0.5 * (a == b), start_pos, axis=0)
        beats = np.add.reduceat(beats, start_neg, axis=1)
        np.divide(np.sum((drawn_pos @ beats) * drawn_neg, axis=1), pairs, out=out[:, j], where=pairs > 0)
    return out


def pair_replicates(
    cases: np.ndarray, controls: np.ndarray, score: np.ndarray, strata: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """AUCs (B,) of pairs inside strata, each row taken as often as ``weights`` (B, n) says; O(B n) after one sort.

    Parameters
    ----------
    cases, controls
        (n,) weight of each row as a case and as a control, 0 where it is none.
    score, strata
        (n,); NaN in a replicate without a pair.
    """
    order = np.lexsort((score, strata))
    x, s = score[order], strata[order]
    ties = np.flatnonzero(np.concatenate(([True], (x[1:] != x[:-1]) | (s[1:] != s[:-1]))))  # where equal scores begin
    drawn = weights[:, order].astype(float)
    case = np.add.reduceat(drawn * cases[order], ties, axis=1)
    control = np.add.reduceat(drawn * controls[order], ties, axis=1)
    starts = np.flatnonzero(np.concatenate(([True], s[ties][1:] != s[ties][:-1])))  # where strata begin
    before = np.cumsum(control, axis=1) - control
    before -= np.repeat(before[:, starts], np.diff(np.append(starts, ties.size)), axis=1)
    won = np.sum(case * (before + control / 2), axis=1)
    pairs = np.sum(np.add.reduceat(case, starts, axis=1) * np.add.reduceat(control, starts, axis=1), axis=1)
    return np.divide(won, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def auc_bootstrap(
    y: ArrayLike,
    score: ArrayLike,
    cluster: ArrayLike | None,
    *,
    level: float,
    rng: np.random.Generator,
    other: ArrayLike | None = None,
    replicates: int = 1000,
    kind: str = "percentile",
    unit: str = "patient",
) -> Interval:
    """Interval of an AUC, or of its difference to that of ``other``, from whole units drawn within their class.

    Raises
    ------
    NotEstimableError
        As in `cluster_bootstrap`. `auc.obuchowski` with logit-t is the better interval and needs 20 patients.
    """
    strata = label_strata(y, cluster)
    refuse_few(strata.size, unit, kind)
    scores = np.asarray(score, dtype=float) if other is None else np.column_stack([score, other])

    def evaluate(counts: np.ndarray) -> np.ndarray:
        found = auc_replicates(y, scores, cluster, counts)
        return found[:, 0] if other is None else found[:, 0] - found[:, 1]

    return _interval(evaluate, strata.size, strata, level, rng, replicates, kind, unit)
