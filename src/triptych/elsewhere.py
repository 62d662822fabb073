"""Predictions made elsewhere enter at the waist: a table of any shape becomes the one that every model here writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from triptych import raw
from triptych.errors import DataError, did_you_mean
from triptych.ids import SESSION, canonical_id
from triptych.ledger import Ledger
from triptych.outcomes import event_flag
from triptych.tables import (
    FIT,
    KEY,
    PERSON,
    SITE,
    check_columns,
    check_predictions,
    failure,
    plain,
)


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
    check_columns(table, ["model", "participant_id", "time", "event", "risk"], f"{path}, with `columns:` of the study")
    table.index = pd.RangeIndex(2, 2 + len(table))  # lines of the file
    if "task" in theirs:
        known = table["task"].astype(str).unique()
        table = table[table["task"].astype(str) == task]
        if not len(table):
            raise DataError(f"{path}: no row for the task {task!r}{did_you_mean(task, known)}")
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
    for column in ("participant_id", "event"):
        if table[column].isna().any():
            row, rows = table.index[table[column].isna()][0], table[column].isna().sum()
            raise DataError(
                f"{path}: row {row}, column {theirs.get(column, column)!r} is empty ({rows} such rows); "
                "fill it or leave the rows out"
            )
    table = table.assign(event=event_flag(table["event"], spec).astype(int))
    kept = [*FIT, *KEY, *([SITE] if SITE in table else []), "time", "event", "risk"]
    check_predictions(table[kept], "survival", str(path))
    _check_same_people(table, path)
    order = {model: k for k, model in enumerate(models)}  # the study's order, not the file's
    table = table[kept].sort_values([*FIT, *KEY], ignore_index=True)
    return table.sort_values("model", key=lambda m: m.map(order), kind="stable", ignore_index=True)


def column_as_risk(
    predictions: pd.DataFrame, participants: pd.DataFrame, column: str, model: str
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """A column of the cohorts used as risk as it is, on the people and folds of the predictions.

    A missing value is replaced by the median (it then says nothing of that patient) and listed.

    Returns
    -------
    rows, failures
        Rows of the waist, and one failure row for each replaced value.

    Raises
    ------
    DataError
        When the column is missing or not numeric, two rows of one id differ in it, or most people have no value.
    """
    first = predictions[predictions["model"] == predictions["model"].iloc[0]]
    check_columns(participants, [column], f"the cohorts of the column {column!r} that is used as risk")
    known = participants.assign(id=participants["participant_id"].map(canonical_id)).drop_duplicates(["id", column])
    known = known[known[column].notna()]
    numbers = pd.to_numeric(known[column], errors="coerce")
    for bad, fault in (
        (numbers.isna(), "is not a number"),
        (known["id"].duplicated(), "is a second value of this id; a risk has one value"),
    ):
        if bad.any():
            row = known[bad].iloc[0]
            raise DataError(
                f"column {column!r}, used as risk: {plain(row[column])!r} of {row['participant_id']} {fault}; "
                "correct the cohort's table"
            )
    values = numbers.astype(float).set_axis(known["id"])
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
    people = {
        model: set(rows.itertuples(index=False, name=None))
        for model, rows in table.groupby("model", sort=False)[["repeat", "fold", *KEY]]
    }
    sizes = {model: len(rows) for model, rows in people.items()}
    low, high = min(sizes, key=lambda m: sizes[m]), max(sizes, key=lambda m: sizes[m])
    if sizes[low] < sizes[high]:
        raise DataError(
            f"{path}: {low} has {sizes[low]} people, {high} has {sizes[high]}; give every model the same people"
        )
    for model, rows in people.items():
        if rows != people[low]:
            who = next(iter(sorted(map(str, rows - people[low]))))
            raise DataError(
                f"{path}: {model} has {who} (repeat, fold, cohort, id, session), {low} has not; give every model the same people "
                "in the same folds"
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
