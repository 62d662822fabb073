"""A published table beside ours: each statistic computed as its authors defined it, then ours with an honest interval."""

from typing import Any

import numpy as np
import pandas as pd

from triptych.errors import DataError, did_you_mean
from triptych.survival.concordance import harrell
from triptych.survival.nonparametric import logrank

LABELS = {
    "c_fold_mean": "Harrell's C, mean over folds",
    "c_fold_sd": "Harrell's C, SD over folds (ddof 0)",
    "c_pooled": "Harrell's C, folds pooled",
    "logrank_p": "log-rank p, risk at or above the pooled median",
    "c_test": "Harrell's C on the test set",
}
COLUMNS = ["task", "model", "statistic", "label", "published", "published_low", "published_high", "published_note"]
OURS = ["ours", "ours_low", "ours_high", "difference", "source"]


def beside(
    table: pd.DataFrame,
    predictions: pd.DataFrame,
    scores: pd.DataFrame,
    task: str,
    names: dict[str, tuple[str, str]],
    how: dict[str, Any],
) -> pd.DataFrame:
    """Put published values beside the same statistic of our predictions.

    Parameters
    ----------
    table
        The published table, one row per task and model.
    names
        Our model: its name in the published table, its label in ``scores``.
    how
        The study's ``published``: ``columns``, ``statistics``, ``low``, ``high``, ``citation``.

    Raises
    ------
    DataError
        When a named column is not in the table, or a statistic is not known.
    """
    for column in [*how["columns"].values(), *how["statistics"], *filter(None, [how.get("low"), how.get("high")])]:
        if column not in table:
            raise DataError(f"published: {how['file']} has no column {column!r}{did_you_mean(column, table.columns)}")
    found = []
    of_task = table[table[how["columns"]["task"]].astype(str) == task]
    for model, (name, label) in names.items():
        rows = of_task[of_task[how["columns"]["model"]].astype(str) == name]
        if len(rows) > 1:
            raise DataError(f"published: {how['file']} has {len(rows)} rows for {task} / {name}; keep one")
        for column, statistic in how["statistics"].items() if len(rows) else ():
            row = {"task": task, "model": model, "statistic": statistic, "label": LABELS.get(statistic, statistic)}
            row |= _published(rows.iloc[0], column, statistic, how) | _ours(
                predictions, scores[scores["model"] == label], model, statistic
            )
            found.append({**row, "difference": row["ours"] - row["published"], "source": how["citation"]})
    return pd.DataFrame(found, columns=[*COLUMNS, *OURS])


def _published(row: pd.Series, column: str, statistic: str, how: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {"published": float(row[column]), "published_note": row.get("note", "")}
    if statistic.startswith("c_") and statistic != "c_fold_sd":
        facts |= {f"published_{end}": float(row[how[end]]) for end in ("low", "high") if how.get(end)}
    return facts


def _ours(predictions: pd.DataFrame, scores: pd.DataFrame, model: str, statistic: str) -> dict[str, float]:
    rows = predictions[predictions["model"] == model]
    facts = {"ours": compute(rows, statistic)}
    score = scores[scores["metric"] == "harrell_c"]
    if statistic in ("c_fold_mean", "c_test") and len(score):
        facts |= {"ours_low": float(score["low"].iloc[0]), "ours_high": float(score["high"].iloc[0])}
    return facts


def compute(rows: pd.DataFrame, statistic: str) -> float:
    """One statistic of one model's predictions, as the published tables define it.

    Raises
    ------
    DataError
        For a statistic that is not known.
    """
    if statistic not in LABELS:
        raise DataError(f"published: no statistic {statistic!r}{did_you_mean(statistic, LABELS)}")
    time, event, risk = rows["time"].to_numpy(float), rows["event"].to_numpy(bool), rows["risk"].to_numpy(float)
    if statistic in ("c_pooled", "c_test"):
        return harrell(time, event, risk).c
    if statistic == "logrank_p":
        return logrank(time, event, risk >= np.percentile(risk, 50)).p
    folds = [harrell(time[members], event[members], risk[members]).c for members in _members(rows)]
    return float(np.mean(folds) if statistic == "c_fold_mean" else np.std(folds))


def _members(rows: pd.DataFrame) -> list[np.ndarray]:
    fit = rows.groupby(["repeat", "fold"], sort=True).ngroup().to_numpy()
    return [fit == k for k in np.unique(fit)]
