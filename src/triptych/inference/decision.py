"""Decision curves: net benefit of treating by a model, of treating all and of treating none (0).

Net benefit counts a needless treatment as the odds pt / (1 - pt) of a needed one that was given, where pt is the risk
from which one would treat (Vickers & Elkin 2006, Medical Decision Making 26:565).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triptych.errors import DataError, NotEstimableError
from triptych.inference.checks import Floats, by_unit_sum, outcome_and_probability, unit_codes
from triptych.inference.estimate import Estimate
from triptych.survival.calibration import event_risk
from triptych.survival.checks import checked


@dataclass(frozen=True)
class NetBenefit:
    """Net benefit at one threshold, in true positives per person; treating none has 0.

    model, treat_all, gain : estimates with influences by unit; gain is model minus treat_all.
    positive : share of rows with a prediction at or above the threshold.
    """

    threshold: float
    model: Estimate
    treat_all: Estimate
    gain: Estimate
    positive: float


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit at many thresholds, arrays (m,); NaN where `at` holds the reason instead of a net benefit."""

    thresholds: Floats
    model: Floats
    treat_all: Floats
    at: tuple[NetBenefit | NotEstimableError, ...]


def _odds(threshold: float) -> float:
    if not 0 < threshold < 1:
        raise DataError(f"threshold is {threshold:g}; it must lie between 0 and 1, both excluded")
    return threshold / (1 - threshold)


def _assembled(threshold: float, model: tuple, treat_all: tuple, codes: NDArray[np.int64], share: float) -> NetBenefit:
    with_model, with_all = (Estimate(float(v), by_unit_sum(change, codes)) for v, change in (model, treat_all))
    gain = Estimate(with_model.value - with_all.value, with_model.influence - with_all.influence)
    return NetBenefit(threshold, with_model, with_all, gain, share)


def net_benefit(y: ArrayLike, p: ArrayLike, threshold: float, units: ArrayLike | None = None) -> NetBenefit:
    """Net benefit TP/n - FP/n pt/(1-pt) at one threshold; positive is p >= pt.

    Parameters
    ----------
    y : (n,) 0 or 1.
    p : (n,) predicted probability of 1.
    threshold : pt, between 0 and 1.
    units : (n,) labels of the independent units (patients); without them every row is one.

    Raises
    ------
    DataError
        Bad input, naming the row, or a threshold of 0 or 1.
    """
    outcome, probability = outcome_and_probability(y, p)
    codes, n = unit_codes(units, outcome.size, "units")[0], outcome.size
    worth = outcome - (1 - outcome) * _odds(threshold)
    positive = probability >= threshold

    def mean(parts: Floats) -> tuple[float, Floats]:
        return parts.mean(), (parts - parts.mean()) / n

    return _assembled(threshold, mean(worth * positive), mean(worth), codes, float(positive.mean()))


def _survival_benefit(times: Floats, events: NDArray[np.bool_], positive: NDArray[np.bool_], t: float, odds: float):
    """Value and influence (n,) of share x (1 - S (1 + odds)), S by Kaplan-Meier within those positive."""
    n, share = times.size, float(positive.mean())
    change = np.zeros(n)
    if share == 0:
        return 0.0, change
    risk = event_risk(times[positive], events[positive], t)
    each = 1 - (1 - risk.value) * (1 + odds)
    change[positive] = share * (1 + odds) * risk.influence
    return share * each, change + each * (positive - share) / n


def net_benefit_by(
    time: ArrayLike,
    event: ArrayLike,
    p: ArrayLike,
    t: float,
    threshold: float,
    units: ArrayLike | None = None,
) -> NetBenefit:
    """Net benefit for the event by t under censoring: event shares by Kaplan-Meier within those classified positive.

    Parameters
    ----------
    time, event : (n,) as in `survival.checks.survival_arrays`.
    p : (n,) predicted probability of the event by t.
    t : horizon, in the unit of time.
    threshold, units : as in `net_benefit`.

    Raises
    ------
    NotEstimableError
        No positive row was followed until t, or all of them had the event.
    DataError
        Bad input, naming the row, or a threshold of 0 or 1.

    Source: Vickers et al. 2008, BMC Medical Informatics and Decision Making 8:53.
    """
    times, events, _, _ = checked(time, event)
    _, probability = outcome_and_probability(events, p)
    codes, odds = unit_codes(units, times.size, "units")[0], _odds(threshold)
    positive = probability >= threshold
    model = _survival_benefit(times, events, positive, t, odds)
    everyone = _survival_benefit(times, events, np.ones(times.size, dtype=bool), t, odds)
    return _assembled(threshold, model, everyone, codes, float(positive.mean()))


def _curve(thresholds: ArrayLike, benefit: Callable[[float], NetBenefit]) -> DecisionCurve:
    grid = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    found: list[NetBenefit | NotEstimableError] = []
    for threshold in grid:
        try:
            found.append(benefit(float(threshold)))
        except NotEstimableError as reason:
            found.append(reason)

    def values(name: str) -> Floats:
        return np.array([getattr(one, name).value if isinstance(one, NetBenefit) else np.nan for one in found])

    return DecisionCurve(grid, values("model"), values("treat_all"), tuple(found))


def decision_curve(y: ArrayLike, p: ArrayLike, thresholds: ArrayLike, units: ArrayLike | None = None) -> DecisionCurve:
    """`net_benefit` at every threshold, (m,)."""
    return _curve(thresholds, lambda threshold: net_benefit(y, p, threshold, units))


def decision_curve_by(
    time: ArrayLike,
    event: ArrayLike,
    p: ArrayLike,
    t: float,
    thresholds: ArrayLike,
    units: ArrayLike | None = None,
) -> DecisionCurve:
    """`net_benefit_by` at every threshold, (m,); where it has no value the curve is NaN and `at` holds the reason."""
    return _curve(thresholds, lambda threshold: net_benefit_by(time, event, p, t, threshold, units))
