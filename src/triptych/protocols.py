"""One question under several protocols: scores with true and with permuted labels, what was kept apart, and what chance is."""

from typing import Any

import numpy as np
import pandas as pd

from triptych.tables import PERSON, SITE

PROTOCOLS = [
    "group", "title", "task", "protocol", "apart", "leaks", "model", "outcomes", "metric", "label", "at", "time_unit",
    "value_unit", "direction", "value", "low", "high", "level", "chance", "chance_of", "unit", "n_units", "n_rows", "method",
    "coverage", "estimable", "reason",
]  # fmt: skip
TRUE, PERMUTED = "true", "permuted"


def apart(splits: pd.DataFrame, examples: pd.DataFrame) -> str:
    """What training and test never share in any fold: ``nothing`` (some person is on both sides), ``people``, or ``sites``."""
    if _shared(splits, PERSON):
        return "nothing"
    if SITE not in examples or examples[SITE].isna().any():
        return "people"
    keys = [c for c in examples if c in splits]
    known = splits.merge(examples[[*keys, SITE]], on=keys, how="left", validate="m:1")
    return "people" if _shared(known, ["cohort", SITE]) else "sites"


def _shared(splits: pd.DataFrame, columns: list[str]) -> bool:
    """Whether something is in both parts of a fold."""
    sides = splits.drop_duplicates(["repeat", "fold", "part", *columns])
    return bool(sides.duplicated(["repeat", "fold", *columns]).any())


def protocols(asked: list[dict[str, Any]], scores: list[pd.DataFrame], kept: list[str]) -> pd.DataFrame:
    """One row per protocol, model, and true or permuted outcomes.

    Parameters
    ----------
    asked
        For each task in the order of the figure: ``group``, ``title``, ``metric``, ``task``, ``protocol``, ``leaks`` (whether the
        study says that it does, on purpose), ``value_unit`` (of the score, or empty), and ``models`` (label -> label of the same
        model on permuted outcomes, or None).
    scores, kept
        For each of these tasks: its table ``scores``, and what was kept ``apart``.

    Returns
    -------
    DataFrame
        ``chance`` is the value of a metric without any skill, else the score of the best null of the task; ``chance_of`` says
        whose it is.  Permuted outcomes that were not scored have no row.
    """
    rows = []
    for one, table, what in zip(asked, scores, kept, strict=True):
        part = table[table["metric"] == one["metric"]]
        head = {key: one[key] for key in ("group", "title", "task", "protocol", "leaks", "value_unit")} | {
            "apart": what
        }
        head |= _chance(part)
        for model, permuted in one["models"].items():
            for outcomes, label in ((TRUE, model), (PERMUTED, permuted)):
                found = part[part["model"] == label].drop(columns=["model", "task"])
                rows += [{**row, **head, "model": model, "outcomes": outcomes} for row in found.to_dict("records")]
    return pd.DataFrame(rows, columns=PROTOCOLS)


def _chance(part: pd.DataFrame) -> dict[str, Any]:
    """What no skill scores: fixed for some metrics, else what the best null reached."""
    fixed = part["null_value"].dropna()
    if len(fixed):
        return {"chance": float(fixed.iloc[0]), "chance_of": "no skill"}
    nulls = part[(part["role"] == "null") & part["value"].notna()]
    if nulls.empty:
        return {"chance": np.nan, "chance_of": ""}
    best = nulls["value"].argmin() if nulls["direction"].iloc[0] == "lower" else nulls["value"].argmax()
    return {"chance": float(nulls["value"].iloc[best]), "chance_of": str(nulls["model"].iloc[best])}
