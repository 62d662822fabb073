"""Predictions made elsewhere enter at the waist: a table of any shape becomes the one that every model here writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from triptych import raw
from triptych.errors import DataError, did_you_mean
from triptych.examples import Ledger, event_flag
from triptych.tables import FIT, KEY, PERSON, SESSION, SITE, canonical_id, check_predictions, failure


def read_predictions(path: Path, spec: dict[str, Any], task: str, models: dict[str, str]) -> pd.DataFrame:
    """The predictions of one task.

    Parameters
    ----------
    spec
        The study's ``predictions``: ``columns`` (ours: theirs), ``event_value``, ``site_pattern``.
    models
        Our model: its name in the file.

    Raises
    ------
    DataError
        When a column, the task or a model is not in the file, or the rows are not valid predictions.
    """
    theirs = spec["columns"]
    table = pd.read_csv(path, sep=raw.delimiter(path), dtype={theirs.get("participant_id", "participant_id"): str})
    for column in theirs.values():
        if column not in table:
            raise DataError(f"{path}: no column {column!r}{did_you_mean(column, table.columns)}")
    table = table.rename(columns={their: our for our, their in theirs.items()})
    if "task" in theirs:
        table = table[table["task"].astype(str) == task]
    if not len(table):
        raise DataError(f"{path}: no row for the task {task!r}")
    for name in models.values():
        if name not in set(table["model"]):
            raise DataError(f"{path}: task {task!r} has no model {name!r}{did_you_mean(name, table['model'].unique())}")
    table = table[table["model"].isin(models.values())]
    table = table.assign(task=task, model=table["model"].map({name: model for model, name in models.items()}))
    for column, default in {"repeat": 0, "fold": 0, "cohort": task, "session_id": SESSION}.items():
        if column not in table:
            table[column] = default
    if spec.get("site_pattern"):
        table[SITE] = table["participant_id"].str.extract(spec["site_pattern"], expand=True)[0]
    table = table.assign(event=event_flag(table["event"], spec).astype(int))
    kept = [*FIT, *KEY, *([SITE] if SITE in table else []), "time", "event", "risk"]
    order = {model: k for k, model in enumerate(models)}  # the study's order, not the file's
    table = table[kept].sort_values([*FIT, *KEY], ignore_index=True)
    table = table.sort_values("model", key=lambda m: m.map(order), kind="stable", ignore_index=True)
    check_predictions(table, "survival", str(path))
    _check_same_people(table, path)
    return table


def column_as_risk(
    predictions: pd.DataFrame, participants: pd.DataFrame, column: str, model: str
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """A column of the cohorts used as risk as it is, on the people and folds of the predictions.

    A missing value is replaced by the median (it then says nothing of that patient) and listed.

    Returns
    -------
    rows, failures
        Rows of the waist, and one failure row for each replaced value.
    """
    first = predictions[predictions["model"] == predictions["model"].iloc[0]]
    values = (
        participants.assign(id=participants["participant_id"].map(canonical_id)).set_index("id")[column].astype(float)
    )
    risk = first["participant_id"].map(canonical_id).map(values)
    failures = [
        failure(
            "baseline",
            {k: row[k] for k in KEY},
            modality="table",
            column=column,
            reason=f"{column} is missing; the median stands for it",
            advice="look the value up",
        )
        for _, row in first[risk.isna()].iterrows()
    ]
    if risk.isna().mean() > 0.5:
        raise DataError(
            f"{column!r} is missing for {risk.isna().sum()} of {len(risk)} people of the predictions; check the ids"
        )
    return first.assign(model=model, risk=risk.fillna(risk.median())), failures


def _check_same_people(table: pd.DataFrame, path: Path) -> None:
    """All models must be judged on the same people with the same outcome."""
    outcome = table.groupby(PERSON)[["time", "event"]].nunique().max(axis=1)
    if (outcome > 1).any():
        who = outcome[outcome > 1].index[0]
        raise DataError(f"{path}: {who[1]} has different outcomes in different rows")
    sizes = table.groupby("model")["participant_id"].nunique()
    if sizes.nunique() > 1:
        low, high = sizes.idxmin(), sizes.idxmax()
        raise DataError(
            f"{path}: {low} has {sizes[low]} people, {high} has {sizes[high]}; give every model the same people"
        )


@dataclass(frozen=True)
class Brought:
    """What a task needs when its predictions come from elsewhere."""

    predictions: pd.DataFrame
    splits: pd.DataFrame
    flow: pd.DataFrame
    failures: pd.DataFrame


def bring(
    path: Path,
    spec: dict[str, Any],
    task: str,
    external: dict[str, str],
    columns: dict[str, str],
    participants: list[pd.DataFrame],
) -> Brought:
    """Read the predictions of one task and add the baselines that are columns of its cohorts.

    Parameters
    ----------
    external, columns
        Our model: its name in the file; our model: the column that is its risk.
    """
    ledger = Ledger(task)
    table = read_predictions(path, spec, task, external)
    parts = [table]
    for model, column in columns.items():
        rows, failures = column_as_risk(table, pd.concat(participants), column, model)
        parts.append(rows)
        ledger.failures += failures
    people = table[table["model"] == table["model"].iloc[0]]
    ledger.count("read", "in the file of predictions", people, events=True)
    ledger.count("kept", "with predictions of every model", people, events=True)
    splits = people[["repeat", "fold", *KEY]].assign(part="test")
    predictions = pd.concat(parts, ignore_index=True)
    return Brought(predictions, splits, ledger.flow_table(), ledger.failures_table())
