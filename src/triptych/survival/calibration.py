"""Calibration of a predicted risk at a horizon: slope, in the large, observed over expected, ICI; D-calibration.

Who was censored before the horizon is made up for by inverse-probability weights (`nonparametric.censoring_curve`,
left limits); influences take these weights as fixed. A `Score` holds the influence of each row: the sum of it over the
rows of a patient is what `triptych.inference.intervals.from_influence` takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # scipy.stats would cost every job half a second to import

from triptych.errors import DataError, NotEstimableError
from triptych.survival.binary_fit import RESOLUTION, check_overlap, clipped, fit_binary
from triptych.survival.checks import Flags, Floats, checked
from triptych.survival.cox import baseline_cumulative_hazard, fit_cox
from triptych.survival.nonparametric import StepCurve, censoring_curve, kaplan_meier
from triptych.survival.scores import Score, _case_weights, _probabilities, _survivor_weights

_KNOTS = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.5, 0.725, 0.95)}


def event_risk(time: ArrayLike, event: ArrayLike, t: float) -> Score:
    """1 - Kaplan-Meier at t with the influence of each row (infinitesimal jackknife, exact under ties).

    time, event : (n,) as in `checks.survival_arrays`.

    Raises
    ------
    NotEstimableError
        No one was followed until t, or no one is left after it.
    """
    times, events, _, _ = checked(time, event)
    curve = kaplan_meier(times, events)
    if t > curve.times[-1] and curve.survival[-1] > 0:
        raise NotEstimableError(f"no one was followed until {t:g}: the last time is {curve.times[-1]:g}")
    survival = float(curve.at(t))
    if survival <= 0:
        raise NotEstimableError(f"everyone at risk had the event by {t:g}: the risk is 1 and has no standard error")
    early = (curve.times <= t) & (curve.events > 0)
    spare = curve.at_risk - curve.events
    jump = np.divide(1.0, spare, out=np.zeros_like(spare), where=early)
    path = np.cumsum(np.where(early, jump * curve.events / curve.at_risk, 0.0))
    at = np.searchsorted(curve.times, times)
    return Score(1 - survival, survival * (np.where(events, jump[at], 0.0) - path[at]))


def outcome_by(time: Floats, event: Flags, t: float, censoring: StepCurve) -> tuple[Floats, Floats]:
    """Whether the event came by t, (n,) 0 or 1, and inverse-probability weights (n,), 0 where that is not known."""
    late = _survivor_weights(censoring, np.array([t], dtype=np.float64))[0]
    return (event & (time <= t)).astype(np.float64), _case_weights(time, event, censoring, t) + (time > t) * late


@dataclass(frozen=True)
class HorizonCalibration:
    """Calibration of the predicted risk of the event by a horizon.

    slope : 1 where predictions spread as they should, below 1 where they are too extreme. intercept : of the same fit.
    in_the_large : shift on the scale of the link with the slope held at 1; 0 is right, above 0 too low predictions.
    log_observed_over_expected : log of (1 - Kaplan-Meier) over the mean prediction; exponentiate value and limits.
    clipped : predictions of 0 or 1 that were moved inside, for the fits only.
    """

    slope: Score
    intercept: Score
    in_the_large: Score
    log_observed_over_expected: Score
    observed: float
    expected: float
    clipped: int


def observed_over_expected(time: ArrayLike, event: ArrayLike, predicted: ArrayLike, t: float) -> Score:
    """Log of the observed (1 - Kaplan-Meier) over the mean predicted risk by t; parameters as `horizon_calibration`."""
    observed = event_risk(time, event, t)
    p = _probabilities(predicted, observed.influence.shape, "predicted")
    if observed.value <= 0 or p.mean() <= 0:
        raise NotEstimableError(f"no event by {t:g}, seen or predicted: there is no ratio of observed to expected")
    change = observed.influence / observed.value - (p - p.mean()) / (p.size * p.mean())
    return Score(float(np.log(observed.value / p.mean())), change)


@dataclass(frozen=True)
class _AtHorizon:
    """What the fits at t need: outcome, linear predictor and weights (n,), and how many predictions were moved."""

    y: Floats
    z: Floats
    weights: Floats
    clipped: int
    link: str

    @classmethod
    def of(
        cls, times: Floats, events: Flags, p: Floats, t: float, link: str, curve: StepCurve | None, resolution: float
    ) -> "_AtHorizon":
        if link not in ("cloglog", "logit"):
            raise DataError(f"link is {link!r}; it must be 'cloglog' or 'logit'")
        y, w = outcome_by(times, events, t, censoring_curve(times, events) if curve is None else curve)
        inside, moved = clipped(p, resolution)
        return cls(y, special.logit(inside) if link == "logit" else np.log(-np.log1p(-inside)), w, moved, link)

    def free(self) -> tuple[Score, Score]:
        """Slope and intercept of one fit."""
        seen = self.weights > 0
        check_overlap(self.y[seen], self.z[seen])
        fit = fit_binary(self.y, np.column_stack((np.ones(self.y.size), self.z)), weights=self.weights, link=self.link)
        return Score(float(fit.coef[1]), fit.influence[:, 1]), Score(float(fit.coef[0]), fit.influence[:, 0])

    def held(self) -> Score:
        """The intercept with the slope held at 1."""
        seen = self.y[self.weights > 0]
        if seen.min() == seen.max():
            raise NotEstimableError(f"every outcome is {int(seen[0])}: calibration cannot be estimated")
        fit = fit_binary(self.y, np.ones((self.y.size, 1)), offset=self.z, weights=self.weights, link=self.link)
        return Score(float(fit.coef[0]), fit.influence[:, 0])


def horizon_in_the_large(
    time: ArrayLike, event: ArrayLike, predicted: ArrayLike, t: float, *, link: str = "cloglog"
) -> Score:
    """Calibration in the large alone, which also a model with one prediction for everyone has.

    Parameters and errors as in `horizon_calibration`.
    """
    times, events, _, _ = checked(time, event)
    p = _probabilities(predicted, (times.size,), "predicted")
    return _AtHorizon.of(times, events, p, t, link, None, RESOLUTION).held()


def horizon_calibration(
    time: ArrayLike,
    event: ArrayLike,
    predicted: ArrayLike,
    t: float,
    *,
    link: str = "cloglog",
    censoring: StepCurve | None = None,
    resolution: float = RESOLUTION,
) -> HorizonCalibration:
    """Slope, calibration in the large and observed over expected at t.

    Parameters
    ----------
    time, event : (n,) as in `checks.survival_arrays`.
    predicted : (n,) predicted probability of the event by t (not of survival).
    link : "cloglog" (proportional hazards) or "logit".
    censoring : curve G, by default `censoring_curve(time, event)`.
    resolution : predictions nearer to 0 or 1 are moved to this distance, and counted.

    Raises
    ------
    NotEstimableError
        One outcome only at t, predictions all equal or separating perfectly, or G is 0 where it is needed.
    DataError
        Bad input, or a prediction outside [0, 1], naming the row.

    Source: Gerds & Schumacher 2006 (weights); van Geloven et al. 2022, BMJ 377:e069249 (measures, cloglog).
    """
    times, events, _, _ = checked(time, event)
    p = _probabilities(predicted, (times.size,), "predicted")
    ratio = observed_over_expected(times, events, p, t)
    at = _AtHorizon.of(times, events, p, t, link, censoring, resolution)
    expected = float(p.mean())
    return HorizonCalibration(
        *at.free(),
        at.held(),
        ratio,
        observed=expected * float(np.exp(ratio.value)),
        expected=expected,
        clipped=at.clipped,
    )


@dataclass(frozen=True)
class SmoothCalibration:
    """A smooth calibration curve at t: predicted and observed (n,) per row, and how far they lie apart.

    ici : mean of the absolute differences; e50, e90 : their median and 90th percentile; worst : the largest.
    """

    predicted: Floats
    observed: Floats
    ici: float
    e50: float
    e90: float
    worst: float


def _spline(z: Floats, knots: int) -> Floats:
    """Restricted cubic spline of z, (n, knots - 1): linear beyond the outer knots (Harrell 2015, section 2.4.5)."""
    k = np.quantile(z, _KNOTS[knots])
    if np.any(np.diff(k) <= 0) or np.unique(z).size < knots:
        raise NotEstimableError(f"too few distinct predictions for a smooth curve with {knots} knots")

    def cube(a: Floats) -> Floats:
        return np.maximum(a, 0) ** 3

    bent = [
        (cube(z - k[j]) - (cube(z - k[-2]) * (k[-1] - k[j]) - cube(z - k[-1]) * (k[-2] - k[j])) / (k[-1] - k[-2]))
        / (k[-1] - k[0]) ** 2
        for j in range(knots - 2)
    ]
    return np.column_stack((z, *bent))


def smooth_calibration(
    time: ArrayLike,
    event: ArrayLike,
    predicted: ArrayLike,
    t: float,
    *,
    knots: int = 3,
    resolution: float = RESOLUTION,
) -> SmoothCalibration:
    """Integrated calibration index (ICI): a Cox model on a spline of log(-log(1 - predicted)) gives the observed risk.

    ICI is never 0 and grows with small n even for a perfect model: read it beside its bootstrap interval.

    Parameters are those of `horizon_calibration`; knots is 3, 4 or 5 (at Harrell's quantiles).

    Raises
    ------
    NotEstimableError
        No one was followed until t, or too few distinct predictions.
    DataError
        Bad input, naming the row; a Cox model without a maximum.

    Source: Austin, Harrell & van Klaveren 2020, Statistics in Medicine 39:2714.
    """
    times, events, _, _ = checked(time, event)
    p = _probabilities(predicted, (times.size,), "predicted")
    if knots not in _KNOTS:
        raise DataError(f"knots is {knots}; it must be one of {', '.join(map(str, _KNOTS))}")
    if t > times.max():
        raise NotEstimableError(f"no one was followed until {t:g}: the last time is {times.max():g}")
    inside, _ = clipped(p, resolution)
    basis = _spline(np.log(-np.log1p(-inside)), knots)
    basis = basis - basis.mean(axis=0)
    risk = basis @ fit_cox(basis, times, events).beta
    observed = -np.expm1(-baseline_cumulative_hazard(risk, times, events).at(t) * np.exp(risk))
    gap = np.abs(observed - p)
    e50, e90 = np.quantile(gap, [0.5, 0.9])
    return SmoothCalibration(p, observed, float(gap.mean()), float(e50), float(e90), float(gap.max()))


@dataclass(frozen=True)
class DCalibration:
    """Counts per bin of predicted survival (first bin: lowest), shape (bins,), and the chi-squared test of equality."""

    counts: Floats
    statistic: float
    df: int
    p: float


def d_calibration(event: ArrayLike, survival_at_own_time: ArrayLike, *, bins: int = 10) -> DCalibration:
    """D-calibration: predicted survival at the own time is uniform if the predicted distributions are right.

    A row censored at predicted survival s counts for each bin below s as much as the bin covers of [0, s]. The rows
    must be independent (one per patient). Spreading makes the test conservative under heavy censoring.

    Parameters
    ----------
    event : (n,) 1 or True where the event was seen.
    survival_at_own_time : (n,) predicted survival of each row at its own time of event or censoring.
    bins : number of bins of equal width.

    Raises
    ------
    DataError
        Bad input, naming the row.
    NotEstimableError
        Fewer than five expected rows per bin: the chi-squared approximation does not hold.

    Source: Haider et al. 2020, JMLR 21(85), section 3.5 and appendix B.
    """
    survival = np.asarray(survival_at_own_time, dtype=np.float64)
    _, events, _, _ = checked(np.zeros(survival.size), event)
    s = _probabilities(survival, (survival.size,), "survival")
    if bins < 2:
        raise DataError(f"bins must be at least 2, it is {bins}")
    if s.size < 5 * bins:
        raise NotEstimableError(f"{s.size} rows are too few for {bins} bins (at least {5 * bins})")
    return _equal_counts(_spread(s, events, bins), s.size)


def d_calibration_over(repeats: Sequence[DCalibration]) -> DCalibration:
    """One test from the counts of several repeats of predictions for the same rows, averaged; conservative.

    Counts of repeats depend on each other; their mean varies no more than those of one repeat, for which the
    chi-squared distribution holds.
    """
    counts = np.mean([one.counts for one in repeats], axis=0)
    return _equal_counts(counts, round(float(counts.sum())))


def _equal_counts(counts: Floats, n: int) -> DCalibration:
    expected = n / counts.size
    statistic = float(np.sum((counts - expected) ** 2) / expected)
    return DCalibration(counts, statistic, counts.size - 1, float(special.chdtrc(counts.size - 1, statistic)))


def _spread(s: Floats, events: Flags, bins: int) -> Floats:
    own: NDArray[np.int64] = np.minimum((s * bins).astype(np.int64), bins - 1)
    counts = np.bincount(own[events], minlength=bins).astype(np.float64)
    s, own = s[~events], own[~events]
    lower = np.arange(bins) / bins
    covered = np.clip(s[:, None] - lower, 0, 1 / bins) / np.where(s > 0, s, 1)[:, None]
    covered[s == 0, 0] = 1
    return counts + covered.sum(axis=0)
