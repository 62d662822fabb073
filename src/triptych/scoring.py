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
from triptych.metrics._held import Held, HeldClasses, HeldNumbers
from triptych.survival.nonparametric import censoring_curve
from triptych.tables import KEY, PERMUTED, PERSON, PROBABILITY, SITE

VALUES = ["model", "kind", "level", "value", "person_value", "n", "n_events", "train_ratio", "estimable", "reason"]
INFLUENCE = ["model", *PERSON, "influence", "squares", "rows", "counted", "positive"]
DRAWS = 60  # of one row per person; rows of a person are taken in turn, and 60 is a multiple of 1, 2, 3, 4, 5, 6, 10, 12, 15, 20
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
        ``person_value`` is the score with every person counted once, where some have several rows.
    influence
        One row per model and person: the sum of the influence of the person's rows, averaged over repeats, and of its squares;
        the number of these rows, how many of them the metric counts, and whether one has the event or is positive.
    """
    score = plugins.load("metrics", metric).contributions
    of = plugins.describe("metrics", metric).literals.get("OF", "all")
    lacking = _lacking(predictions)
    values: list[dict[str, Any]] = []
    influence: list[pd.DataFrame] = []
    for model in predictions["model"].unique():
        rows = Rows.of(predictions, curves, model, horizon)
        pooled, by_person = _pooled(rows, score, of)
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


def _lacking(predictions: pd.DataFrame) -> pd.Series:
    """Rows that other models predicted and this one did not, by model: failed fits.  Permuted models have one repeat."""
    sizes = predictions.groupby(["model", "repeat"]).size().unstack("repeat", fill_value=0)
    missing = sizes.max() - sizes
    permuted = missing.index.str.startswith(PERMUTED)
    missing.loc[permuted, missing.columns != missing.columns.min()] = 0
    return missing.sum(axis=1)


@dataclass(frozen=True)
class Rows:
    """One model's predictions by repeat."""

    table: pd.DataFrame
    held: dict[int, Any]
    people: dict[int, pd.DataFrame]

    @classmethod
    def of(cls, predictions: pd.DataFrame, curves: pd.DataFrame | None, model: str, horizon: float | None) -> "Rows":
        """Those of one model; what it says of one repeat is one object that metrics take."""
        table = predictions[predictions["model"] == model]
        held, people = {}, {}
        for repeat, rows in table.groupby("repeat", sort=True):
            held[repeat] = _held(rows, curves, horizon)
            people[repeat] = rows[KEY].assign(site=rows.get(SITE), positive=_positive(rows)).reset_index(drop=True)
        return cls(table, held, people)


def _held(rows: pd.DataFrame, curves: pd.DataFrame | None, horizon: float | None) -> Held | HeldClasses | HeldNumbers:
    """What a metric sees of some rows, by the kind of their predictions."""
    fold = rows["fold"].to_numpy(int)
    if "score" in rows:
        p = rows[PROBABILITY].to_numpy(float) if PROBABILITY in rows and rows[PROBABILITY].notna().all() else None
        y, predicted = rows["y"].to_numpy(int), rows["predicted"].to_numpy(int)
        return HeldClasses(y, rows["score"].to_numpy(float), predicted, p, fold)
    if "predicted" in rows:
        return HeldNumbers(rows["y"].to_numpy(float), rows["predicted"].to_numpy(float), fold)
    time, event = rows["time"].to_numpy(float), rows["event"].to_numpy(bool)
    known = None if curves is None else curves.loc[rows.index].dropna(axis=1)
    if known is not None and known.shape[1] < 2:
        known = None
    times = None if known is None else known.columns.astype(float).to_numpy()
    survival = None if known is None else known.to_numpy(float)
    risk = rows["risk"].to_numpy(float)
    return Held(time, event, risk, fold, times, survival, horizon, censoring_curve(time, event))


def _positive(rows: pd.DataFrame) -> np.ndarray:
    """Whether a row has the event, or is of the positive class; of numbers, all rows count."""
    if "event" in rows:
        return rows["event"].to_numpy(bool)
    return rows["y"].to_numpy() == 1 if "score" in rows else np.ones(len(rows), bool)


def _pooled(rows: Rows, score, of: str) -> tuple[dict[str, Any], pd.DataFrame | None]:
    """The score over all held-out rows: the mean over repeats, in each of which every person is tested once."""
    first = next(iter(rows.people.values()))
    counted = {"positive": first["positive"], "negative": ~first["positive"]}.get(of, True)
    people = (
        first.assign(counted=counted)
        .groupby(PERSON, sort=True, as_index=False)
        .agg(rows=("positive", "size"), counted=("counted", "sum"), positive=("positive", "any"))
    )
    counts = {"n": len(first), "n_events": int(people["positive"].sum())}  # several rows of one person are one event
    found, parts = [], []
    try:
        for repeat, held in rows.held.items():
            value, influence = score(held)
            found.append(value)
            parts.append(rows.people[repeat][KEY].assign(influence=influence / len(rows.held)))
    except NotEstimableError as error:
        return {"value": np.nan, **counts, "estimable": False, "reason": str(error)}, None
    by_row = pd.concat(parts).groupby(KEY, as_index=False)["influence"].sum()
    by_row["squares"] = by_row["influence"] ** 2
    by_person = by_row.groupby(PERSON, sort=True, as_index=False)[["influence", "squares"]].sum()
    by_person = by_person.merge(people, on=PERSON, how="left", validate="1:1")
    told = {"value": float(np.mean(found)), "person_value": _by_person(rows, score, people["rows"].max())}
    return {**told, **counts, "estimable": True, "reason": ""}, by_person


def _by_person(rows: Rows, score, most: int) -> float:
    """The score when every person counts once: mean over draws of one row per person; NaN where nobody has several.

    Within-cluster resampling (Hoffman, Sen and Weinberg 2001, Biometrika 88:1121).  It and the score over all rows
    differ where the number of rows goes with the outcome.
    """
    if most < 2:
        return np.nan
    random = np.random.default_rng(0)
    found = []
    for repeat, held in rows.held.items():
        sorted_rows = rows.people[repeat].sort_values(KEY).index.to_numpy()
        order = random.permutation(sorted_rows)
        shuffled = rows.people[repeat][PERSON].iloc[order].reset_index(drop=True)
        person, turn = shuffled.groupby(PERSON, sort=False).ngroup(), shuffled.groupby(PERSON, sort=False).cumcount()
        have = person.map(person.value_counts())
        for draw in range(DRAWS):
            taken = np.sort(order[(turn == draw % have).to_numpy()])
            try:
                found.append(score(held.take(taken))[0])
            except NotEstimableError:
                return np.nan
    return float(np.mean(found))


def _parts(rows: Rows, score) -> list[dict[str, Any]]:
    """Scores of each fold, and of each site (mean over repeats)."""
    found = []
    for repeat, held in rows.held.items():
        for fold in np.unique(held.fold):
            level = f"repeat {repeat + 1} fold {fold + 1}"
            own = rows.people[repeat].loc[held.fold == fold, "positive"].to_numpy()
            found.append({"kind": "fold", "level": level, **_score_of([held.take(held.fold == fold)], own, score)})
    first = next(iter(rows.people.values()))
    for site in sorted(first["site"].dropna().unique()):
        of_site = [held.take((rows.people[r]["site"] == site).to_numpy()) for r, held in rows.held.items()]
        own = first.loc[(first["site"] == site).to_numpy(), "positive"].to_numpy()
        found.append({"kind": "site", "level": site, **_score_of(of_site, own, score, FEWEST_AT_SITE)})
    return found


def _score_of(parts: list, positive: np.ndarray, score, fewest: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    counts = {"n": len(positive), "n_events": int(positive.sum())}
    try:
        if counts["n"] < fewest[0] or counts["n_events"] < fewest[1]:
            raise NotEstimableError(
                f"too few for a score of its own: {counts['n']} patients, {counts['n_events']} events"
            )
        value = float(np.mean([score(part)[0] for part in parts]))
    except NotEstimableError as error:
        return {"value": np.nan, **counts, "estimable": False, "reason": str(error)}
    return {"value": value, **counts, "estimable": True, "reason": ""}
