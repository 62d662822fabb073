"""Predicted probabilities of one model in one repeat, and what came of them: a class, or the event by the horizon.

What calibration and decision curves ask of predictions is asked here in the same words for both kinds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.errors import NotEstimableError
from triptych.inference import calibration, decision
from triptych.inference.checks import by_unit_sum
from triptych.inference.cross_validation import INTERVAL, repeated_se
from triptych.inference.estimate import Estimate
from triptych.inference.intervals import Interval, enough_units, student
from triptych.inference.proportions import ratio_of_sums, wilson
from triptych.survival import calibration as at_horizon
from triptych.survival import scores
from triptych.survival.nonparametric import kaplan_meier
from triptych.tables import PERSON

Groups = list[dict[str, float]]
LEVEL = 0.95  # of the observed risk in groups, which is for the eye


@dataclass(frozen=True)
class Classes:
    """Probabilities p of class 1 and the class y, (n,) each; unit and fold are codes (n,)."""

    p: np.ndarray
    unit: np.ndarray
    fold: np.ndarray
    y: np.ndarray

    @property
    def rarer(self) -> int:
        """People of the rarer class."""
        return min(self.outcomes)

    @property
    def outcomes(self) -> tuple[int, int]:
        """People with a row of class 1, and with a row of class 0."""
        return len(np.unique(self.unit[self.y == 1])), len(np.unique(self.unit[self.y == 0]))

    def brier(self) -> Estimate:
        """Brier score."""
        return calibration.brier(self.y, self.p, self.unit)

    def brier_of_one_risk(self) -> float:
        """Brier score of the same, best, probability for everyone."""
        return float(np.var(self.y))

    def slope_and_intercept(self) -> tuple[Estimate, Estimate]:
        """Of logistic recalibration."""
        found = calibration.recalibration(self.y, self.p, self.unit)
        return found.slope, found.intercept

    def in_the_large(self) -> Estimate:
        """Intercept with the slope held at 1."""
        return calibration.in_the_large(self.y, self.p, self.unit)

    def log_ratio(self) -> Estimate:
        """Log of observed over expected."""
        return calibration.log_observed_over_expected(self.y, self.p, self.unit)

    def error(self, bins: int) -> calibration.CalibrationError:
        """Expected calibration error in bins of equal mass."""
        return calibration.calibration_error(self.y, self.p, self.unit, bins=bins)

    def net_benefit(self, threshold: float) -> decision.NetBenefit:
        """Net benefit of treating whose probability reaches a threshold."""
        return decision.net_benefit(self.y, self.p, threshold, self.unit)

    def d_calibration(self) -> at_horizon.DCalibration:
        """Refused: there is no time."""
        raise NotEstimableError("D-calibration is about times of events; classes have none")

    def groups(self, wanted: int) -> Groups:
        """Predicted and observed share of class 1 in groups of equal size by p; limits by Wilson, or cluster-robust."""
        return [self._group(rows) for rows in _by_quantile(self.p, wanted)]

    def _group(self, rows: np.ndarray) -> dict[str, float]:
        unit = np.unique(self.unit[rows], return_inverse=True)[1]
        hits, sizes = np.bincount(unit, self.y[rows]), np.bincount(unit)
        facts = {"predicted": self.p[rows].mean(), "observed": self.y[rows].mean(), "n": rows.size}
        try:
            if sizes.max() == 1:
                made = wilson(float(hits.sum()), rows.size, level=LEVEL)
            else:
                made = ratio_of_sums(hits, sizes, level=LEVEL)
        except NotEstimableError:
            return {**facts, "low": np.nan, "high": np.nan}
        return {**facts, "low": made.low, "high": made.high}


@dataclass(frozen=True)
class Followed:
    """Predicted risks p of the event by the horizon, and follow-up, (n,) each; unit and fold are codes (n,).

    own : predicted survival at each row's own time, or at the last time of the curves where that comes first; last :
    that last time.
    """

    p: np.ndarray
    unit: np.ndarray
    fold: np.ndarray
    time: np.ndarray
    event: np.ndarray
    horizon: float
    own: np.ndarray
    last: float

    @property
    def rarer(self) -> int:
        """People with the event, whenever it came."""
        return len(np.unique(self.unit[self.event]))

    @property
    def outcomes(self) -> tuple[int, int]:
        """People with the event by the horizon, and people known to be without it then."""
        early = self.event & (self.time <= self.horizon)
        return len(np.unique(self.unit[early])), len(np.unique(self.unit[self.time > self.horizon]))

    def _estimate(self, found: scores.Score) -> Estimate:
        return Estimate(found.value, by_unit_sum(found.influence, np.unique(self.unit, return_inverse=True)[1]))

    def brier(self) -> Estimate:
        """Brier score at the horizon, censoring weighted for."""
        return self._estimate(scores.brier(self.time, self.event, 1 - self.p, self.horizon))

    def brier_of_one_risk(self) -> float:
        """Brier score of Kaplan-Meier, the same risk for everyone."""
        same = np.full(self.time.size, float(kaplan_meier(self.time, self.event).at(self.horizon)))
        return scores.brier(self.time, self.event, same, self.horizon).value

    def slope_and_intercept(self) -> tuple[Estimate, Estimate]:
        """Of recalibration on the scale of proportional hazards."""
        found = at_horizon.horizon_calibration(self.time, self.event, self.p, self.horizon)
        return self._estimate(found.slope), self._estimate(found.intercept)

    def in_the_large(self) -> Estimate:
        """Intercept with the slope held at 1."""
        return self._estimate(at_horizon.horizon_in_the_large(self.time, self.event, self.p, self.horizon))

    def log_ratio(self) -> Estimate:
        """Log of observed (1 - Kaplan-Meier) over expected."""
        return self._estimate(at_horizon.observed_over_expected(self.time, self.event, self.p, self.horizon))

    def error(self, bins: int) -> calibration.CalibrationError:
        """Expected calibration error in bins of equal mass, censoring weighted for."""
        return calibration.calibration_error_by(self.time, self.event, self.p, self.horizon, self.unit, bins=bins)

    def net_benefit(self, threshold: float) -> decision.NetBenefit:
        """Net benefit of treating whose risk reaches a threshold."""
        return decision.net_benefit_by(self.time, self.event, self.p, self.horizon, threshold, self.unit)

    def d_calibration(self) -> at_horizon.DCalibration:
        """Counts of predicted survival at the own time, follow-up ended at the last time of the curves."""
        if len(np.unique(self.unit)) < self.unit.size:
            raise NotEstimableError("D-calibration needs independent rows; here patients have several")
        return at_horizon.d_calibration(self.event & (self.time <= self.last), self.own)

    def groups(self, wanted: int) -> Groups:
        """Predicted and observed risk in groups of equal size by p; Kaplan-Meier with log-log or clustered limits."""
        if len(np.unique(self.unit)) < self.unit.size:
            return [self._group(rows) for rows in _by_quantile(self.p, wanted)]
        found = scores.survival_calibration(self.time, self.event, self.p, self.horizon, groups=wanted)
        columns = zip(found.predicted, found.observed, found.lower, found.upper, found.n, strict=True)
        return [dict(zip(("predicted", "observed", "low", "high", "n"), row, strict=True)) for row in columns]

    def _group(self, rows: np.ndarray) -> dict[str, float]:
        facts = {"predicted": self.p[rows].mean(), "n": rows.size, "observed": np.nan, "low": np.nan, "high": np.nan}
        try:
            risk = at_horizon.event_risk(self.time[rows], self.event[rows], self.horizon)
            facts["observed"] = risk.value
            unit = np.unique(self.unit[rows], return_inverse=True)[1]
            made = Estimate(risk.value, by_unit_sum(risk.influence, unit)).interval(level=LEVEL, scale="logit")
        except NotEstimableError:
            return facts
        return {**facts, "low": made.low, "high": made.high}


Forecast = Classes | Followed


def forecasts(rows: pd.DataFrame, curves: pd.DataFrame | None, horizon: float | None) -> list[Forecast]:
    """Forecasts of one model in each repeat, from its rows of the waist; units have the same codes in all of them.

    Raises
    ------
    NotEstimableError
        Where the model gives no probabilities, or the task has no horizon.
    """
    unit = rows.groupby(PERSON, sort=True).ngroup().rename("unit")
    make = _classes if "score" in rows else _followed
    return [make(part, unit[part.index], curves, horizon) for _, part in rows.groupby("repeat", sort=True)]


def _classes(rows: pd.DataFrame, unit: pd.Series, curves: pd.DataFrame | None, horizon: float | None) -> Classes:
    if "p" not in rows or rows["p"].isna().any():
        raise NotEstimableError("the model gives a score but no probabilities")
    p, fold, y = (rows[name].to_numpy(float) for name in ("p", "fold", "y"))
    return Classes(p, unit.to_numpy(), fold.astype(int), y)


def _followed(rows: pd.DataFrame, unit: pd.Series, curves: pd.DataFrame | None, horizon: float | None) -> Followed:
    if horizon is None:
        raise NotEstimableError("the task has no horizon")
    known = None if curves is None else curves.loc[rows.index].dropna(axis=1)
    if known is None or known.shape[1] < 2:
        raise NotEstimableError("the model gives a risk but no survival probabilities")
    times, survival = known.columns.astype(float).to_numpy(), known.to_numpy(float)
    time, event, fold = rows["time"].to_numpy(float), rows["event"].to_numpy(bool), rows["fold"].to_numpy(int)
    p = 1 - survival[:, int(np.argmin(np.abs(times - horizon)))]
    last = float(times[-1])
    return Followed(p, unit.to_numpy(), fold, time, event, horizon, _at_own_time(time, times, survival), last)


def _at_own_time(time: np.ndarray, times: np.ndarray, survival: np.ndarray) -> np.ndarray:
    """Predicted survival of each row at its own time, linear between the times of the curves and 1 at 0; (n,)."""
    grid, values = np.append(0.0, times), np.column_stack((np.ones(len(time)), survival))
    after = np.clip(np.searchsorted(grid, time), 1, grid.size - 1)
    rows = np.arange(len(time))
    share = np.clip((time - grid[after - 1]) / (grid[after] - grid[after - 1]), 0, 1)
    return values[rows, after - 1] * (1 - share) + values[rows, after] * share


def _by_quantile(p: np.ndarray, wanted: int) -> list[np.ndarray]:
    """Rows of each group of equal size by p; equal predictions stay together."""
    edges = np.unique(np.quantile(p, np.arange(1, wanted) / wanted)) if wanted > 1 else np.empty(0)
    codes = np.searchsorted(edges, p, side="left")
    return [np.flatnonzero(codes == code) for code in np.unique(codes)]


def averaged(estimates: Sequence[Estimate], units: Sequence[np.ndarray]) -> Estimate:
    """The mean of an estimate over repeats, with the influence of each person on it.

    Repeats hold the same people, so they are never pooled as if they were more: a person's influences are averaged.

    Parameters
    ----------
    units
        For each repeat the sorted codes of its units, those of the influences.
    """
    influence = np.zeros(1 + max(int(codes[-1]) for codes in units))
    for one, codes in zip(estimates, units, strict=True):
        influence[codes] += one.influence / len(estimates)
    present = np.unique(np.concatenate(list(units)))
    return Estimate(float(np.mean([one.value for one in estimates])), influence[present])


def interval(mean: Estimate, by_repeat: Sequence[float], folds: int, level: float) -> Interval:
    """Interval of a mean over repeats: the variance between patients, and what repeats of a cross-validation differ by.

    Parameters
    ----------
    by_repeat
        The estimate in each repeat. See `cross_validation.repeated_se` for why patients alone are not enough.
    folds
        Of one repeat; 1 for one trained model.

    Raises
    ------
    NotEstimableError
        With fewer than 20 patients.
    """
    if folds < 2:
        return mean.interval(level=level)
    enough_units(mean.influence.size)
    se, df = repeated_se(mean.influence, by_repeat, folds, INTERVAL)
    method = f"influence function by patient and variance between repeats, t with {df:.1f} degrees of freedom"
    return student(mean.value, se, df, level=level, scale="identity", method=method)
