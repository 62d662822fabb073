"""Calibration of predicted probabilities of a binary outcome: slope, in the large, Brier score, ECE.

Every estimate comes with the influence of each unit (patient), so that intervals and paired tests hold with several
rows per patient: `Estimate.interval`, or `comparisons.by_unit` on two estimates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # scipy.stats would cost every job half a second to import

from triptych.errors import DataError, NotEstimableError
from triptych.inference.checks import Floats, by_unit_sum, outcome_and_probability, unit_codes
from triptych.inference.estimate import Estimate
from triptych.inference.intervals import Interval, from_influence
from triptych.survival.binary_fit import RESOLUTION, check_overlap, clipped, fit_binary
from triptych.survival.calibration import outcome_by
from triptych.survival.checks import checked
from triptych.survival.nonparametric import censoring_curve


@dataclass(frozen=True)
class Recalibration:
    """Logistic recalibration: logit P(y) = intercept + slope logit(p).

    slope : below 1 where predictions are too extreme. intercept : of the same fit, in log odds.
    in_the_large : intercept with the slope held at 1; above 0 where predictions are too low on the whole.
    clipped : predictions of (nearly) 0 or 1 that were moved inside, to be printed. n : rows.
    """

    slope: Estimate
    intercept: Estimate
    in_the_large: Estimate
    clipped: int
    n: int


def recalibration(
    y: ArrayLike, p: ArrayLike, units: ArrayLike | None = None, *, resolution: float = RESOLUTION
) -> Recalibration:
    """Calibration slope, intercept and calibration in the large by maximum likelihood, with influences by unit.

    Parameters
    ----------
    y : (n,) 0 or 1.
    p : (n,) predicted probability of 1.
    units : (n,) labels of the independent units (patients); without them every row is one.
    resolution : predictions nearer to 0 or 1 than this are moved to that distance, and counted.

    Raises
    ------
    NotEstimableError
        One class only, one prediction only, or predictions that separate the classes perfectly.
    DataError
        Bad input, naming the row.

    Source: Cox 1958 (Biometrika 45:562); Van Calster et al. 2019 (BMC Medicine 17:230).
    """
    outcome, probability = outcome_and_probability(y, p)
    codes = unit_codes(units, outcome.size, "units")[0]
    inside, moved = clipped(probability, resolution)
    z = special.logit(inside)
    check_overlap(outcome, z)
    free = fit_binary(outcome, np.column_stack((np.ones(z.size), z)))
    held = fit_binary(outcome, np.ones((z.size, 1)), offset=z)

    def estimate(value: float, influence: Floats) -> Estimate:
        return Estimate(float(value), by_unit_sum(influence, codes))

    return Recalibration(
        slope=estimate(free.coef[1], free.influence[:, 1]),
        intercept=estimate(free.coef[0], free.influence[:, 0]),
        in_the_large=estimate(held.coef[0], held.influence[:, 0]),
        clipped=moved,
        n=z.size,
    )


def in_the_large(y: ArrayLike, p: ArrayLike, units: ArrayLike | None = None) -> Estimate:
    """Calibration in the large alone, which also a model with one prediction for everyone has.

    Parameters and errors as in `recalibration`.
    """
    outcome, probability = outcome_and_probability(y, p)
    codes = unit_codes(units, outcome.size, "units")[0]
    _refuse_one_class(outcome)
    offset = special.logit(clipped(probability, RESOLUTION)[0])
    held = fit_binary(outcome, np.ones((outcome.size, 1)), offset=offset)
    return Estimate(float(held.coef[0]), by_unit_sum(held.influence[:, 0], codes))


def log_observed_over_expected(y: ArrayLike, p: ArrayLike, units: ArrayLike | None = None) -> Estimate:
    """Log of the mean outcome over the mean prediction; exponentiate value and limits.

    Parameters and errors as in `recalibration`; no clipping.
    """
    outcome, probability = outcome_and_probability(y, p)
    _refuse_one_class(outcome)
    observed, expected = float(outcome.mean()), float(probability.mean())
    if expected <= 0:
        raise NotEstimableError("every prediction is 0: there is no ratio of observed to expected")
    change = (outcome / observed - probability / expected) / outcome.size
    codes = unit_codes(units, outcome.size, "units")[0]
    return Estimate(float(np.log(observed / expected)), by_unit_sum(change, codes))


def _refuse_one_class(outcome: Floats) -> None:
    if outcome.min() == outcome.max():
        raise NotEstimableError(f"every outcome is {int(outcome[0])}: calibration cannot be estimated")


def brier(y: ArrayLike, p: ArrayLike, units: ArrayLike | None = None) -> Estimate:
    """Mean squared difference of outcome and prediction (Brier 1950), every row of equal weight.

    Parameters and errors as in `recalibration`; no clipping, 0 and 1 are fine.
    """
    outcome, probability = outcome_and_probability(y, p)
    parts = (outcome - probability) ** 2
    value = float(parts.mean())
    return Estimate(value, by_unit_sum((parts - value) / parts.size, unit_codes(units, parts.size, "units")[0]))


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error with its bins; it depends on them, so print them.

    value : sum over bins of n_b / n |mean outcome - mean prediction|. influence : (I,) by unit, bins fixed.
    by_chance : about what a model that is calibrated in every bin would show on as many units; the value is too high
    by up to as much. edges : (b + 1,). predicted, observed : (b,), NaN in empty bins. n : (b,) rows.
    """

    value: float
    influence: Floats
    by_chance: float
    edges: Floats
    predicted: Floats
    observed: Floats
    n: NDArray[np.int64]

    def interval(self, *, level: float = 0.95, unit: str = "patient") -> Interval:
        """Interval that allows for the bias of the value, which lies between 0 and `by_chance` (triangle inequality).

        The limits by influence function, the lower one moved down by `by_chance` and not below 0; conservative.

        Raises
        ------
        NotEstimableError
            Fewer than 20 units.
        """
        plain = from_influence(self.value, self.influence, level=level, scale="identity", unit=unit)
        low = max(0.0, plain.low - self.by_chance)
        return Interval(plain.value, low, plain.high, plain.se, plain.df, f"{plain.method}, widened by its bias")


def _edges(p: Floats, bins: int, kind: str) -> Floats:
    if bins < 1:
        raise DataError(f"bins must be at least 1, it is {bins}")
    if kind == "width":
        return np.linspace(0, 1, bins + 1)
    if kind == "mass":
        inner = np.unique(np.quantile(p, np.arange(1, bins) / bins)) if bins > 1 else np.empty(0)
        return np.concatenate(([0.0], inner[(inner > 0) & (inner < p.max())], [1.0]))
    raise DataError(f"kind is {kind!r}; it must be 'mass' or 'width'")


def _by_chance(residual: Floats, bin_of: NDArray[np.int64], codes: NDArray[np.int64], bins: int) -> float:
    """Mean of the sum of |normal| with the clustered variance of each bin's mean residual."""
    total = 0.0
    for b in range(bins):
        rows = bin_of == b
        inside = np.unique(codes[rows], return_inverse=True)[1]
        if rows.sum() and inside.max() > 0:
            sums = by_unit_sum(residual[rows] - residual[rows].mean(), inside)
            total += float(np.sqrt(2 / np.pi * sums.size / (sums.size - 1) * np.sum(sums**2)))
    return total / residual.size


def calibration_error(
    y: ArrayLike, p: ArrayLike, units: ArrayLike | None = None, *, bins: int = 10, kind: str = "mass"
) -> CalibrationError:
    """Expected calibration error over bins of equal mass or of equal width.

    Parameters
    ----------
    y, p, units : as in `recalibration`.
    bins : wanted number; with kind "mass" equal predictions stay in one bin, so there can be fewer.
    kind : "mass" (quantiles of p) or "width". A bin holds its upper edge.

    Raises
    ------
    DataError
        Bad input, naming the row.
    """
    outcome, probability = outcome_and_probability(y, p)
    codes = unit_codes(units, outcome.size, "units")[0]
    return _binned(outcome - probability, probability, codes, _edges(probability, bins, kind))


def calibration_error_by(
    time: ArrayLike,
    event: ArrayLike,
    p: ArrayLike,
    t: float,
    units: ArrayLike | None = None,
    *,
    bins: int = 10,
    kind: str = "mass",
) -> CalibrationError:
    """Expected calibration error of a predicted risk by t under censoring; reduces to `calibration_error` without any.

    Rows that were censored before t are made up for by inverse-probability weights (left limits), taken as fixed.

    Parameters
    ----------
    time, event : (n,) as in `survival.checks.survival_arrays`.
    p : (n,) predicted probability of the event by t.
    t : horizon, in the unit of time.
    units, bins, kind : as in `calibration_error`.

    Raises
    ------
    NotEstimableError
        The censoring curve is 0 where a weight is needed.
    DataError
        Bad input, naming the row.
    """
    times, events, _, _ = checked(time, event)
    _, probability = outcome_and_probability(events, p)
    codes = unit_codes(units, times.size, "units")[0]
    outcome, weights = outcome_by(times, events, t, censoring_curve(times, events))
    return _binned(weights * (outcome - probability), probability, codes, _edges(probability, bins, kind))


def _binned(residual: Floats, probability: Floats, codes: NDArray[np.int64], edges: Floats) -> CalibrationError:
    """The error from residuals (n,), outcome less prediction, that may carry weights."""
    bin_of, b = np.searchsorted(edges[1:-1], probability, side="left"), edges.size - 1
    n = np.bincount(bin_of, minlength=b)
    gap = np.bincount(bin_of, weights=residual, minlength=b)
    value = float(np.abs(gap).sum() / residual.size)
    influence = (np.sign(gap)[bin_of] * residual - value) / residual.size
    filled = np.where(n > 0, n, np.nan)
    predicted = np.bincount(bin_of, weights=probability, minlength=b) / filled
    return CalibrationError(
        value=value,
        influence=by_unit_sum(influence, codes),
        by_chance=_by_chance(residual, bin_of, codes, b),
        edges=edges,
        predicted=predicted,
        observed=predicted + gap / filled,
        n=n,
    )


def spiegelhalter(y: ArrayLike, p: ArrayLike) -> float:
    """Two-sided p of Spiegelhalter's (1986) z test that the Brier score is what calibrated predictions would give.

    Rows must be independent. NotEstimableError where all predictions are 0, 1/2 or 1; errors as in `brier`.
    """
    outcome, probability = outcome_and_probability(y, p)
    lean = 1 - 2 * probability
    spread = float(np.sum(lean**2 * probability * (1 - probability)))
    if spread <= 0:
        raise NotEstimableError("every prediction is 0, 1/2 or 1: Spiegelhalter's test has no variance")
    z = float(np.sum((outcome - probability) * lean)) / np.sqrt(spread)
    return float(2 * special.ndtr(-abs(z)))
