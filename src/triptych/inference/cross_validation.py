"""Intervals and tests from cross-validation: repeated, Bayle, nested (Bates), 5x2cv; Nadeau-Bengio is `intervals.over_resamples`.

Each answers another question: Bayle the mean risk of the K fold models, Bates the risk of the model fitted on all data.
"""

from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from triptych.errors import DataError, NotEstimableError
from triptych.inference.checks import numbers, unit_codes
from triptych.inference.comparisons import Comparison
from triptych.inference.intervals import FEWEST_UNITS, Interval


@dataclass(frozen=True)
class FiveByTwo:
    """A 5x2cv test of two ways of training."""

    statistic: float
    p: float
    method: str


@dataclass(frozen=True)
class Weights:
    """How `repeated_se` weighs what it adds up; each was chosen by simulation, see there.

    patients : of the variance between patients. repeats : of the variance between repeats, times K-1. most : bound of what
    the repeats add, in variances between patients. fewest : repeats below which ``unseen`` is taken for what they would add.
    again : instead of ``patients`` for the claim ``procedure``.
    """

    patients: float
    repeats: float
    most: float
    fewest: int
    unseen: float
    again: float

    def of(self, estimand: str) -> "Weights":
        """The weights where ``procedure`` is claimed: other patients would also train other models."""
        return replace(self, patients=self.again) if estimand == "procedure" else self


INTERVAL = Weights(1.0, 0.5, most=2.0, fewest=2, unseen=1.25, again=1.25)
INTERVAL_HALF = Weights(1.0, 0.25, most=1.25, fewest=2, unseen=1.25, again=1.25)
TEST = Weights(1.0, 0.5, most=2.0, fewest=5, unseen=2.0, again=1.5)


def interval_weights(family: str, estimand: str) -> Weights:
    """The weights of an interval: half of what repeats add for proportions, and for means of training again.

    Proportions jump where a class flips, so repeats differ by more than what is met again. Losses of new training sets vary less
    than those of patients, and the interval holds them with half the weight.
    """
    halved = family == "proportion" or (estimand == "procedure" and family != "rank")
    return (INTERVAL_HALF if halved else INTERVAL).of(estimand)


def repeated_se(influence: ArrayLike, by_repeat: ArrayLike, folds: int, weights: Weights) -> tuple[float, float]:
    """Standard error and degrees of freedom of a score averaged over repeats of a K-fold cross-validation.

    A patient's influence counts the patient as tested and takes the models as given. But who is tested in one fold trains the
    models of the others: the noise that models learn from patients i and j is met twice, when i is tested and when j is. Without
    any signal a score is such a sum over pairs of patients in different folds; its variance is twice that of the influences,
    and 95 % intervals by influence hold the truth in 80 to 88 % (AUC; Nadeau & Bengio's in 86 to 91 %), and tests of two
    useless models reject 18 to 22 %. Each repeat leaves out the pairs inside its folds, 1/K of all, by chance. So repeats differ
    by that part of the variance over K-1, which gives it away: for what is linear in the models it is (K-1)/2 times the
    variance between repeats.

    Measured with linear models (500 replicates in each of 40 cells: 5 and 20 inputs; 50, 100 and 300 patients; AUC .5 to .98; 5
    and 10 folds; 2, 5 and 10 repeats) intervals of AUC, Brier score, absolute error and R² hold the mean score of the fold models
    in 93 to 99 %; with half the weight in 89 to 99 %. Of few repeats the variance is known badly: a bound of 1.25 instead of 2
    gives 92 %.

    Parameters
    ----------
    influence
        (I,) of the patients that count, averaged over repeats.
    by_repeat
        (R,) score in each repeat, NaN where it has none.

    Raises
    ------
    DataError
        Fewer than two folds.
    """
    if folds < 2:
        raise DataError(f"{folds} fold is no cross-validation")
    own, repeats = numbers(influence, "influence"), np.asarray(by_repeat, dtype=np.float64)
    n, known = own.size, repeats[np.isfinite(repeats)]
    between = n / (n - 1) * float(np.sum(own**2))
    kept = weights.patients * between
    if known.size < weights.fewest:
        return float(np.sqrt(kept + weights.unseen * between)), n - 1.0
    met_again = min(weights.repeats * (folds - 1) * float(known.var(ddof=1)), weights.most * between)
    total = kept + met_again
    if not total > 0:
        return 0.0, n - 1.0
    return float(np.sqrt(total)), total**2 / (kept**2 / (n - 1) + met_again**2 / (known.size - 1))


def bayle(losses: ArrayLike, *, level: float, unit: ArrayLike | None = None) -> Interval:
    """Mean risk of the K models of one K-fold cross-validation, normal z (Bayle et al. 2020, NeurIPS, all-pairs variance).

    Too short where the model has many parameters for its rows: with 5 features it covered .943 at n = 100, with 20
    .893.

    Parameters
    ----------
    losses
        (n,) loss of each row when it was held out, each row once.
    unit
        (n,) patients, to make sure that each has one row.

    Raises
    ------
    NotEstimableError
        Below 20 rows, or where a patient has several.
    DataError
        Bad input, naming the row.
    """
    values = numbers(losses, "losses")
    n = values.size
    codes, units = unit_codes(unit, n)
    if units < n:
        row = int(np.flatnonzero(np.bincount(codes)[codes] > 1)[0])
        raise NotEstimableError(f"Bayle's interval needs one row per patient in one K-fold; that of row {row} has more")
    if n < FEWEST_UNITS:
        raise NotEstimableError(f"{n} rows are too few for an interval (at least {FEWEST_UNITS})")
    value, se = float(values.mean()), float(values.std() / np.sqrt(n))
    return _normal(value, se, level, f"Bayle z on {n} cross-validated losses, for the models of the folds together")


def _normal(value: float, se: float, level: float, method: str) -> Interval:
    half = float(special.ndtri(0.5 + level / 2)) * se
    return Interval(value, value - half, value + half, se, np.inf, method)


def compare_bayle(
    losses_a: ArrayLike, losses_b: ArrayLike, *, level: float, unit: ArrayLike | None = None
) -> Comparison:
    """Two ways of training on the same rows and folds: Bayle's z on the differences of their losses.

    The stability that it needs can fail for differences (arXiv 2508.04409). Parameters and errors as in `bayle`;
    NotEstimableError also when all differences are equal.
    """
    first = numbers(losses_a, "losses_a")
    difference = first - numbers(losses_b, "losses_b", first.size)
    interval = bayle(difference, level=level, unit=unit)
    if interval.se < 1e-14:
        raise NotEstimableError("the two models do not differ on any row, or by the same on all")
    z = interval.value / interval.se
    method = f"Bayle z on {first.size} differences of cross-validated losses"
    return Comparison(replace(interval, method=method), z, float(2 * special.ndtr(-abs(z))))


def bates_nested(
    inner: ArrayLike, outer: ArrayLike, outer_variance: ArrayLike, losses: ArrayLike, *, level: float
) -> Interval:
    """Risk of the model fitted on all data, by nested cross-validation (Bates, Hastie & Tibshirani 2024, JASA 119:1434).

    Parameters
    ----------
    inner
        (R, K) mean loss of the cross-validation inside the K-1 folds that remain without fold k, in each repeat.
    outer
        (R, K) mean loss on fold k of the model fitted on the other K-1.
    outer_variance
        (R, K) variance of the losses on fold k over their number.
    losses
        (n,) loss of each row in the ordinary K-fold cross-validation (averaged over its repeats).

    Raises
    ------
    NotEstimableError
        With fewer than 3 folds, or below 20 rows.
    DataError
        Shapes that differ, or a value missing, naming the repeat and fold.
    """
    arrays = [np.atleast_2d(np.asarray(x, dtype=float)) for x in (inner, outer, outer_variance)]
    for array, name in zip(arrays, ("inner", "outer", "outer_variance"), strict=True):
        if array.shape != arrays[0].shape:
            raise DataError(f"{name} has shape {array.shape} where inner has {arrays[0].shape}")
        if not np.isfinite(array).all():
            repeat, fold = np.argwhere(~np.isfinite(array))[0]
            raise DataError(f"{name} is missing in row {repeat} (repeat), column {fold} (fold)")
    rows = numbers(losses, "losses")
    k, n = arrays[0].shape[1], rows.size
    if k < 3 or n < FEWEST_UNITS:
        raise NotEstimableError(f"nested cross-validation needs 3 folds and {FEWEST_UNITS} rows, not {k} and {n}")
    mse = float(np.mean((arrays[0] - arrays[1]) ** 2) - np.mean(arrays[2]))
    plain = float(rows.std(ddof=1) / np.sqrt(n))
    se = float(np.clip(np.sqrt((k - 1) / k * max(mse, 0.0)), plain, np.sqrt(k) * plain))
    nested = float(arrays[0].mean())
    bias = (1 + (k - 2) / k) * (nested - float(rows.mean()))
    return _normal(nested - bias, se, level, f"nested cross-validation of Bates et al., {len(arrays[0])} x {k} folds")


def _five_by_two(differences: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    d = np.asarray(differences, dtype=float)
    if d.shape != (5, 2):
        raise DataError(f"differences has shape {d.shape}; 5x2cv needs five repeats (rows) of two folds (columns)")
    if not np.isfinite(d).all():
        raise DataError(f"differences is missing in row {int(np.argwhere(~np.isfinite(d))[0, 0])}")
    variances = np.var(d, axis=1, ddof=1)
    if variances.sum() < 1e-28:
        raise NotEstimableError("the differences of 5x2cv do not vary within any repeat")
    return d, variances


def five_by_two_t(differences: ArrayLike) -> FiveByTwo:
    """5x2cv t test from differences (5, 2), df 5 (Dietterich 1998); measured level .072 to .075 at nominal .05.

    Raises
    ------
    NotEstimableError
        Where the differences do not vary within any repeat.
    """
    d, variances = _five_by_two(differences)
    t = float(d[0, 0] / np.sqrt(variances.mean()))
    return FiveByTwo(t, float(2 * special.stdtr(5, -abs(t))), "5x2cv t with 5 degrees of freedom")


def five_by_two_f(differences: ArrayLike) -> FiveByTwo:
    """5x2cv F test from differences (5, 2), df 10 and 5 (Alpaydin 1999); measured level .063 to .080; errors as of t."""
    d, variances = _five_by_two(differences)
    f = float(np.sum(d**2) / (2 * variances.sum()))
    return FiveByTwo(f, float(special.fdtrc(10, 5, f)), "5x2cv F with 10 and 5 degrees of freedom")


def mean_plus_minus_sd(values: ArrayLike) -> NoReturn:
    """Refuse "mean +- 1.96 SD over folds".

    Raises
    ------
    NotEstimableError
        Always, with the reason.
    """
    raise NotEstimableError(
        f"mean +- 1.96 SD over {np.size(values)} folds is no interval for the mean: it shows how folds differ; at n = 100 it "
        "covered 1.00 with a half-width of .26, where Nadeau-Bengio over 10 x 10 covered .95 with .09"
    )
