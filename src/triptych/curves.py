"""Curves for the eye: Kaplan-Meier by predicted risk.

They use the first repeat, in which every patient was predicted once by a model that had not seen them.
"""

from typing import Any

import numpy as np
import pandas as pd

from triptych.errors import NotEstimableError
from triptych.survival.nonparametric import kaplan_meier, logrank

RULES = {
    "fold-median": "high: risk at or above the median of the patients tested in the same fold",
    "pooled-median": "high: risk at or above the median over all folds",
}
KM = ["model", "record", "group", "time", "survival", "low", "high", "n", "events", "p", "rule", "reason"]


def km_by_risk(predictions: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Kaplan-Meier of the low and the high half by predicted risk, numbers at risk, and the log-rank test.

    Returns
    -------
    DataFrame
        ``record`` is ``curve``, ``at_risk`` or ``test``.
    """
    found: list[dict[str, Any]] = []
    for model, rows in _first_repeat(predictions).groupby("model", sort=False):
        time, event, risk = rows["time"].to_numpy(float), rows["event"].to_numpy(bool), rows["risk"].to_numpy(float)
        high = _high(risk, rows["fold"].to_numpy(), rule)
        head = {"model": model, "rule": RULES[rule]}
        if high.all() or not high.any() or len(np.unique(risk)) == 1:
            found.append({**head, "record": "test", "reason": "the model gives everyone the same risk"})
            continue
        ticks = _ticks(float(time.max()))
        for group, members in (("low", ~high), ("high", high)):
            found += [{**head, "group": group, **row} for row in _curve(time[members], event[members], ticks)]
        facts = {**head, "record": "test", "n": len(time), "events": int(event.sum())}
        try:
            found.append({**facts, "p": logrank(time, event, high).p})
        except NotEstimableError as error:
            found.append({**facts, "reason": str(error)})
    return pd.DataFrame(found, columns=KM)


def _first_repeat(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions[predictions["repeat"] == predictions.groupby("model")["repeat"].transform("min")]


def _high(risk: np.ndarray, fold: np.ndarray, rule: str) -> np.ndarray:
    if rule == "pooled-median":
        return risk >= np.percentile(risk, 50)
    median = pd.Series(risk).groupby(fold).transform("median").to_numpy()
    return risk >= median


def _curve(time: np.ndarray, event: np.ndarray, ticks: np.ndarray) -> list[dict[str, Any]]:
    km = kaplan_meier(time, event)
    low, high = km.interval(0.95)
    n, events = len(time), int(event.sum())
    start = {"record": "curve", "time": 0.0, "survival": 1.0, "low": 1.0, "high": 1.0, "n": n, "events": events}
    steps = [
        {"record": "curve", "time": t, "survival": s, "low": lo, "high": hi, "n": n, "events": events}
        for t, s, lo, hi in zip(km.times, km.survival, low, high, strict=True)
    ]
    return [start, *steps, *({"record": "at_risk", "time": t, "n": int((time >= t).sum())} for t in ticks)]


def _ticks(longest: float) -> np.ndarray:
    """Three to six round times for the numbers at risk."""
    step = longest / 5
    size = 10 ** np.floor(np.log10(step))
    step = next(size * k for k in (1, 2, 2.5, 5, 10) if size * k >= step)
    return np.arange(0, longest, step)
