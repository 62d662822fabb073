"""Calibration of one task: measures with intervals by patient, and predicted against observed risk in groups.

Measures are estimated in each repeat, in which every patient is predicted once by a model that had not seen them, and averaged
over repeats, as are the influences of each patient. Groups are those of the first repeat.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from triptych.errors import NotEstimableError
from triptych.forecasts import Forecast, averaged, forecasts, interval
from triptych.inference.estimate import Estimate
from triptych.survival.binary_fit import RESOLUTION
from triptych.survival.calibration import d_calibration_over

CALIBRATION = [
    "model", "record", "horizon", "group", "predicted", "observed", "low", "high", "n",
    "measure", "label", "value", "ideal", "ideal_is", "level", "p", "method", "unit", "n_units", "n_events", "repeats",
    "bins", "clipped", "reason",
]  # fmt: skip
LABELS = {
    "brier": "Brier score",
    "slope": "Calibration slope",
    "intercept": "Calibration intercept",
    "in_the_large": "Calibration in the large",
    "observed_expected": "Observed over expected",
    "ece": "Expected calibration error",
    "d_calibration": "D-calibration",
}
FEWEST_OUTCOMES = 10  # people with and without the event below which no interval is given
MOST_GROUPS, EVENTS_PER_GROUP = 10, 12


def calibration(
    predictions: pd.DataFrame, curves: pd.DataFrame | None, horizon: float | None, level: float
) -> pd.DataFrame:
    """Calibration of every model of a task.

    Parameters
    ----------
    predictions, curves
        The waist of one task, of any kind that has probabilities, and the companion with one column per time (or None).

    Returns
    -------
    DataFrame
        ``record`` is ``measure`` (value, low, high, what a calibrated model has) or ``group`` (predicted, observed).
    """
    found: list[dict[str, Any]] = []
    survival = "score" not in predictions
    for model, rows in predictions.groupby("model", sort=False):
        head = {"model": model, "horizon": horizon if survival else None}
        try:
            repeats = forecasts(rows, curves, horizon)
        except NotEstimableError as error:
            found.append({**head, "record": "group", "reason": str(error)})
            continue
        made = _Measured(repeats, level)
        found += [{**head, "record": "measure", **row} for row in made.rows(survival)]
        groups = repeats[0].groups(made.bins)
        found += [{**head, "record": "group", "group": k, **row} for k, row in enumerate(groups, 1)]
    return pd.DataFrame(found, columns=CALIBRATION)


@dataclass(frozen=True)
class _Measured:
    """The measures of one model over its repeats."""

    repeats: list[Forecast]
    level: float

    @property
    def bins(self) -> int:
        """Groups that the events of the first repeat can fill; one where (nearly) everyone has the same risk."""
        first = self.repeats[0]
        if len(np.unique(first.p)) < MOST_GROUPS:
            return 1
        return int(np.clip(first.rarer // EVENTS_PER_GROUP, 3, MOST_GROUPS))

    def rows(self, survival: bool) -> list[dict[str, Any]]:
        """One row per measure, with the reason where it has no value."""
        first = self.repeats[0]
        moved = sum(int(np.sum((one.p < RESOLUTION) | (one.p > 1 - RESOLUTION))) for one in self.repeats)
        counts = {"n": first.p.size, "n_units": len(np.unique(first.unit)), "n_events": first.outcomes[0]}
        shared = {**counts, "unit": "patient", "repeats": len(self.repeats), "level": self.level, "clipped": moved}
        made: dict[str, Callable[[], dict[str, Any]]] = {
            "brier": self._brier,
            "slope": lambda: self._recalibrated(0, 1.0),
            "intercept": lambda: self._recalibrated(1, 0.0),
            "in_the_large": lambda: self._plain(lambda one: one.in_the_large(), 0.0),
            "observed_expected": self._ratio,
            "ece": self._error,
        }
        made |= {"d_calibration": self._d} if survival else {}
        return [{"measure": name, "label": LABELS[name], **shared, **_or_reason(make)} for name, make in made.items()]

    def _limits(self, estimates: Sequence[Estimate]) -> dict[str, Any]:
        """The mean over repeats with its limits, or with the reason why there are none."""
        mean = averaged(estimates, [np.unique(one.unit) for one in self.repeats])
        first = self.repeats[0]
        try:
            for having, n in zip(("with", "without"), first.outcomes, strict=True):
                if n < FEWEST_OUTCOMES:
                    raise NotEstimableError(
                        f"{n} patients {having} the event are too few for an interval (at least {FEWEST_OUTCOMES})"
                    )
            folds = len(np.unique(first.fold))
            found = interval(mean, [one.value for one in estimates], folds, self.level)
        except NotEstimableError as error:
            return {"value": mean.value, "reason": str(error)}
        return {"value": mean.value, "low": found.low, "high": found.high, "method": found.method}

    def _plain(self, estimate: Callable[[Forecast], Estimate], ideal: float) -> dict[str, Any]:
        limits = self._limits([estimate(one) for one in self.repeats])
        return {"ideal": ideal, "ideal_is": "a calibrated model", **limits}

    def _brier(self) -> dict[str, Any]:
        same = float(np.mean([one.brier_of_one_risk() for one in self.repeats]))
        return {**self._plain(lambda one: one.brier(), same), "ideal_is": "the same risk for everyone"}

    def _recalibrated(self, which: int, ideal: float) -> dict[str, Any]:
        if all(_alike_within_folds(one) for one in self.repeats):
            raise NotEstimableError("the model predicts the same for everyone in a fold: there is no calibration slope")
        return self._plain(lambda one: one.slope_and_intercept()[which], ideal)

    def _ratio(self) -> dict[str, Any]:
        found = self._plain(lambda one: one.log_ratio(), 0.0)
        return found | {name: float(np.exp(found[name])) for name in ("value", "ideal", "low", "high") if name in found}

    def _error(self) -> dict[str, Any]:
        """The error is too high by up to what chance makes of it: the lower limit goes down by as much."""
        errors = [one.error(self.bins) for one in self.repeats]
        chance = float(np.mean([one.by_chance for one in errors]))
        found = self._limits([Estimate(one.value, one.influence) for one in errors])
        if "low" in found:
            found |= {"low": max(0.0, found["low"] - chance), "method": f"{found['method']}, widened by its bias"}
        ideal = {"ideal": chance, "ideal_is": "a calibrated model of as many patients, by chance"}
        return {"bins": int((errors[0].n > 0).sum()), **ideal, **found}

    def _d(self) -> dict[str, Any]:
        found = d_calibration_over([one.d_calibration() for one in self.repeats])
        method = f"chi-squared of {found.counts.size} bins, {found.df} degrees of freedom"
        method += ", counts averaged over repeats (conservative)" if len(self.repeats) > 1 else ""
        return {"value": found.statistic, "p": found.p, "bins": found.counts.size, "method": method}


def _alike_within_folds(one: Forecast) -> bool:
    return all(np.ptp(one.p[one.fold == fold]) == 0 for fold in np.unique(one.fold))


def _or_reason(make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return make()
    except NotEstimableError as error:
        return {"reason": str(error)}
