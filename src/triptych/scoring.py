"""From predictions to scores: what each metric says of each model, with the contributions that inference stands on.

``contributions`` is per task and metric and looks at predictions; ``triptych.inferring`` looks at contributions only and is not
imported here, so that a new test or interval never scores again.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from triptych import plugins
from triptych.errors import NotEstimableError
from triptych.metrics._held import Held
from triptych.survival.nonparametric import censoring_curve
from triptych.tables import PERSON, SITE

VALUES = ["model", "kind", "level", "value", "n", "n_events", "train_ratio", "estimable", "reason"]
INFLUENCE = ["model", *PERSON, "influence"]
FEWEST_AT_SITE = (10, 3)  # patients and events below which the score of one site is noise


def contributions(
    predictions: pd.DataFrame, curves: pd.DataFrame | None, metric: str, horizon: float | None, ratio: float | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score every model of a task with one metric.

    Parameters
    ----------
    predictions, curves
        The waist of one task, and the companion with one column per time (or None).
    ratio
        Test rows over training rows of a fold, for the inference on procedures; None where folds were made elsewhere.

    Returns
    -------
    values
        One row per model for kind ``pooled``, and for each ``fold`` and ``site``; what cannot be scored says why.
    influence
        One row per model and person: the sum of the influence of the person's rows, averaged over repeats.
    """
    score = plugins.load("metrics", metric).contributions
    sizes = predictions.groupby(["model", "repeat"]).size().unstack("repeat", fill_value=0)
    lacking = (sizes.max() - sizes).sum(axis=1)  # rows that other models predicted and this one did not: failed fits
    values: list[dict[str, Any]] = []
    influence: list[pd.DataFrame] = []
    for model in predictions["model"].unique():
        rows = _Rows.of(predictions, curves, model, horizon)
        pooled, by_person = _pooled(rows, score)
        if lacking[model]:
            reason = f"{lacking[model]} held-out rows have no prediction of this model: some of its fits failed"
            pooled, by_person = {**pooled, "value": np.nan, "estimable": False, "reason": reason}, None
        values.append({"model": model, "kind": "pooled", "level": "", **pooled, "train_ratio": ratio})
        values += [{"model": model, **row, "train_ratio": ratio} for row in _parts(rows, score)]
        if by_person is not None:
            influence.append(by_person.assign(model=model))
    return (
        pd.DataFrame(values, columns=VALUES),
        pd.concat(influence)[INFLUENCE] if influence else pd.DataFrame(columns=INFLUENCE),
    )


@dataclass(frozen=True)
class _Rows:
    """One model's predictions by repeat."""

    table: pd.DataFrame
    held: dict[int, Held]
    people: dict[int, pd.DataFrame]

    @classmethod
    def of(cls, predictions: pd.DataFrame, curves: pd.DataFrame | None, model: str, horizon: float | None) -> "_Rows":
        table = predictions[predictions["model"] == model]
        held, people = {}, {}
        for repeat, rows in table.groupby("repeat", sort=True):
            known = None if curves is None else curves.loc[rows.index].dropna(axis=1)
            if known is not None and known.shape[1] < 2:
                known = None
            time, event = rows["time"].to_numpy(float), rows["event"].to_numpy(bool)
            held[repeat] = Held(
                time,
                event,
                rows["risk"].to_numpy(float),
                rows["fold"].to_numpy(int),
                None if known is None else known.columns.astype(float).to_numpy(),
                None if known is None else known.to_numpy(float),
                horizon,
                censoring_curve(time, event),
            )
            people[repeat] = rows[PERSON].assign(site=rows.get(SITE)).reset_index(drop=True)
        return cls(table, held, people)


def _pooled(rows: _Rows, score) -> tuple[dict[str, Any], pd.DataFrame | None]:
    """The score over all held-out rows: the mean over repeats, in each of which every person is tested once."""
    first = rows.table[rows.table["repeat"] == rows.table["repeat"].min()]
    with_event = first[first["event"].astype(bool)].drop_duplicates(PERSON)  # several rows of one person are one event
    counts = {"n": len(first), "n_events": len(with_event)}
    found, parts = [], []
    try:
        for repeat, held in rows.held.items():
            value, influence = score(held)
            found.append(value)
            parts.append(rows.people[repeat][PERSON].assign(influence=influence / len(rows.held)))
    except NotEstimableError as error:
        return {"value": np.nan, **counts, "estimable": False, "reason": str(error)}, None
    by_person = pd.concat(parts).groupby(PERSON, sort=True, as_index=False)["influence"].sum()
    return {"value": float(np.mean(found)), **counts, "estimable": True, "reason": ""}, by_person


def _parts(rows: _Rows, score) -> list[dict[str, Any]]:
    """Scores of each fold, and of each site (mean over repeats)."""
    found = []
    for repeat, held in rows.held.items():
        for fold in np.unique(held.fold):
            level = f"repeat {repeat + 1} fold {fold + 1}"
            found.append({"kind": "fold", "level": level, **_score_of([held.take(held.fold == fold)], score)})
    first = next(iter(rows.people.values()))
    for site in sorted(first["site"].dropna().unique()):
        of_site = [held.take((rows.people[r]["site"] == site).to_numpy()) for r, held in rows.held.items()]
        found.append({"kind": "site", "level": site, **_score_of(of_site, score, FEWEST_AT_SITE)})
    return found


def _score_of(parts: list[Held], score, fewest: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    counts = {"n": len(parts[0].time), "n_events": int(parts[0].event.sum())}
    try:
        if counts["n"] < fewest[0] or counts["n_events"] < fewest[1]:
            raise NotEstimableError(
                f"too few for a score of its own: {counts['n']} patients, {counts['n_events']} events"
            )
        value = float(np.mean([score(part)[0] for part in parts]))
    except NotEstimableError as error:
        return {"value": np.nan, **counts, "estimable": False, "reason": str(error)}
    return {"value": value, **counts, "estimable": True, "reason": ""}
