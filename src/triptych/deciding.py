"""Decision curves of one task: the net benefit of treating by each model, of treating all and of treating none.

Net benefits are estimated in each repeat and averaged, as are the influences of each patient; a band holds at each threshold by
itself.
"""

from typing import Any

import numpy as np
import pandas as pd

from triptych.errors import NotEstimableError
from triptych.forecasts import Forecast, averaged, forecasts, interval
from triptych.inference.estimate import Estimate

DECISION = [
    "model", "horizon", "threshold", "benefit", "low", "high", "treat_all", "treat_all_low", "treat_all_high",
    "gain", "gain_low", "gain_high", "default", "treated", "level", "method", "unit", "n_units", "n_events", "reason",
]  # fmt: skip
STEP = 0.02
FEWEST_OUTCOMES = 10  # people with and without the event below which no band is drawn


def decision(
    predictions: pd.DataFrame, curves: pd.DataFrame | None, horizon: float | None, level: float
) -> pd.DataFrame:
    """Net benefit of every model of a task at each threshold, up to the risk that ten people reach by some model.

    Returns
    -------
    DataFrame
        One row per model and threshold. ``gain`` is the model's net benefit less that of the better default, ``default``:
        to treat ``all`` or ``none``. A model without probabilities has one row that says so.
    """
    known = {model: _known(rows, curves, horizon) for model, rows in predictions.groupby("model", sort=False)}
    thresholds = _thresholds([one for repeats in known.values() if isinstance(repeats, list) for one in repeats])
    at = {"horizon": None if "score" in predictions else horizon}
    found: list[dict[str, Any]] = []
    for model, repeats in known.items():
        if isinstance(repeats, list):
            found += [{"model": model, **at, **_at(repeats, threshold, level)} for threshold in thresholds]
        else:
            found.append({"model": model, **at, "reason": str(repeats)})
    return pd.DataFrame(found, columns=DECISION)


def _known(
    rows: pd.DataFrame, curves: pd.DataFrame | None, horizon: float | None
) -> list[Forecast] | NotEstimableError:
    try:
        return forecasts(rows, curves, horizon)
    except NotEstimableError as error:
        return error


def _thresholds(known: list[Forecast]) -> np.ndarray:
    """Multiples of the step, from one step to the highest risk that ten people reach by some model."""
    highest = 0.0
    for one in known:
        of_person = np.sort(pd.Series(one.p).groupby(one.unit).max().to_numpy())
        highest = max(highest, float(of_person[-min(FEWEST_OUTCOMES, of_person.size)]))
    return STEP * np.arange(1, max(2, int(np.ceil(min(highest, 1 - STEP) / STEP - 1e-9)) + 1))


def _at(repeats: list[Forecast], threshold: float, level: float) -> dict[str, Any]:
    """One row: net benefits at a threshold, or the reason why there is none."""
    first = repeats[0]
    head = {"threshold": round(threshold, 10), "level": level, "unit": "patient", "n_units": len(np.unique(first.unit))}
    head["n_events"] = first.outcomes[0]
    try:
        each = [one.net_benefit(threshold) for one in repeats]
    except NotEstimableError as error:
        return {**head, "reason": str(error)}
    model, everyone, more = ([getattr(one, name) for one in each] for name in ("model", "treat_all", "gain"))
    units = [np.unique(one.unit) for one in repeats]
    default, gain = ("all", more) if averaged(everyone, units).value > 0 else ("none", model)
    known = {"benefit": model, "treat_all": everyone, "gain": gain}
    means = {name: averaged(estimates, units) for name, estimates in known.items()}
    row = {name: mean.value for name, mean in means.items()} | {"default": default}
    row["treated"] = float(np.mean([one.positive for one in each]))
    return {**head, **row, **_bands(known, means, first, level)}


def _bands(
    known: dict[str, list[Estimate]], means: dict[str, Estimate], first: Forecast, level: float
) -> dict[str, Any]:
    """Limits of each, or the reason why there are none."""
    row: dict[str, Any] = {}
    folds = len(np.unique(first.fold))
    try:
        if min(first.outcomes) < FEWEST_OUTCOMES:
            raise NotEstimableError(
                f"{min(first.outcomes)} patients with or without the event are too few for a band (at least {FEWEST_OUTCOMES})"
            )
        for name, mean in means.items():
            trained = 1 if name == "treat_all" else folds  # no model is asked whom to treat
            made = interval(mean, [one.value for one in known[name]], trained, level)
            prefix = "" if name == "benefit" else f"{name}_"
            row |= {f"{prefix}low": made.low, f"{prefix}high": made.high, "method": made.method}
    except NotEstimableError as error:
        return {"reason": str(error)}
    return row
