"""Ranks of the models over the tasks of a study: which differ by more than chance from one data set to the next."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from triptych.errors import NotEstimableError
from triptych.inference.ranks import Friedman, RankTest, friedman, nemenyi, refuse_folds, row_ranks

RANKS = [
    "metric", "label", "direction", "record", "model", "role", "task", "value", "rank", "test", "statistic", "df1", "df2",
    "p", "critical_difference", "level", "n_tasks", "n_models", "method", "estimable", "reason",
]  # fmt: skip
TESTS = {
    "iman_davenport": "Friedman's test, F of Iman and Davenport",
    "corrected": "Friedman's test, chi-squared, corrected for ties",
    "plain": "Friedman's test, chi-squared",
}
CRITICAL = "Nemenyi's critical difference"


def ranks(scores: dict[str, pd.DataFrame], cohorts: dict[str, list[str]], level: float) -> pd.DataFrame:
    """Average ranks of the models and nulls that every task scores, for each metric.

    Parameters
    ----------
    scores
        Task: its table ``scores``.
    cohorts
        Task: names of its cohorts. Tasks that share people are not independent data sets, and are refused.

    Returns
    -------
    DataFrame
        ``record`` is ``task`` (value and rank of a model in one task), ``mean`` (average rank), ``test`` (Friedman's, that all
        models are equal), ``critical`` (difference of average ranks beyond which two models differ) or ``left out`` (a model
        without a score in some task). A metric that cannot be ranked has one row of ``test`` with the reason.
    """
    metrics = dict.fromkeys(metric for table in scores.values() for metric in table["metric"])
    found = [{"metric": metric, **row} for metric in metrics for row in _ranked(metric, scores, cohorts, level)]
    return pd.DataFrame(found, columns=RANKS)


def _ranked(
    metric: str, scores: dict[str, pd.DataFrame], cohorts: dict[str, list[str]], level: float
) -> list[dict[str, Any]]:
    tables = {task: _of(metric, table) for task, table in scores.items()}
    tables = {task: table for task, table in tables.items() if len(table)}
    first = next(iter(tables.values())).iloc[0]
    head = {"label": first["label"], "direction": first["direction"], "level": level, "n_tasks": len(tables)}
    try:
        _refuse_shared(cohorts, list(tables))
        refuse_folds("data sets", len(tables))
        values, roles, lost = _common(tables)
        upwards = first["direction"] == "higher"
        made = friedman(values.to_numpy(float), higher_is_better=upwards)
        rows = [*_by_task(values, roles, upwards), *_tests(made, roles, list(values), level), *lost]
    except NotEstimableError as error:
        return [{**head, "record": "test", "estimable": False, "reason": str(error)}]
    return [{**head, "n_models": values.shape[1], "estimable": True, **row} for row in rows]


def _of(metric: str, table: pd.DataFrame) -> pd.DataFrame:
    """The models and nulls that have this score; negative controls do not compete."""
    return table[(table["metric"] == metric) & (table["role"] != "control")].drop_duplicates("model").set_index("model")


def _refuse_shared(cohorts: dict[str, list[str]], tasks: list[str]) -> None:
    for one, two in combinations(tasks, 2):
        shared = sorted(set(cohorts.get(one, [])) & set(cohorts.get(two, [])))
        if shared:
            raise NotEstimableError(
                f"the tasks {one!r} and {two!r} share the cohort {shared[0]!r}: they are not independent data sets"
            )


def _common(tables: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.Series, list[dict[str, Any]]]:
    """Values (tasks x models) of the models that all tasks score, their roles, and a row for each model left out."""
    value = pd.DataFrame({task: t["value"].where(t["estimable"].astype(bool)) for task, t in tables.items()}).T
    order = dict.fromkeys(model for table in tables.values() for model in table.index)
    roles = pd.concat([table["role"] for table in tables.values()])
    roles = roles[~roles.index.duplicated()]
    value, lost = value[list(order)], []
    for model in [model for model in value if value[model].isna().any()]:
        lacking = ", ".join(value.index[value[model].isna()])
        told = {"record": "left out", "model": model, "role": roles[model], "estimable": False}
        lost.append({**told, "reason": f"no score in {lacking}"})
    kept = value.dropna(axis=1)
    if kept.shape[1] < 2:
        raise NotEstimableError(f"{kept.shape[1]} models have a score in every task; two or more can be ranked")
    return kept, roles, lost


def _by_task(values: pd.DataFrame, roles: pd.Series, upwards: bool) -> list[dict[str, Any]]:
    placed = row_ranks(values.to_numpy(float), higher_is_better=upwards)
    return [
        {"record": "task", "task": task, "model": model, "role": roles[model], "value": value, "rank": rank}
        for (task, row), own in zip(values.iterrows(), placed, strict=True)
        for model, value, rank in zip(values, row, own, strict=True)
    ]


def _tests(made: Friedman, roles: pd.Series, models: list[str], level: float) -> list[dict[str, Any]]:
    order = np.argsort(made.ranks, kind="stable")
    rows: list[dict[str, Any]] = [
        {"record": "mean", "model": models[k], "role": roles[models[k]], "rank": made.ranks[k]} for k in order
    ]
    for name, words in TESTS.items():
        test: RankTest = getattr(made, name)
        facts = {"statistic": test.statistic, "df1": test.df1, "df2": test.df2, "p": test.p}
        rows.append({"record": "test", "test": name, **facts, "method": words})
    critical = nemenyi(made.ranks, made.n, alpha=1 - level).critical_difference
    return [*rows, {"record": "critical", "critical_difference": critical, "method": CRITICAL}]
