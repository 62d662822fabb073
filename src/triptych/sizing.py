"""What a larger study would need: how many patients or sites for an interval of a wished width, from this study's own numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from triptych import plugins
from triptych.errors import NotEstimableError
from triptych.inference.planning import sites_for, units_for

PLANNING = [
    "model", "role", "metric", "label", "at", "direction", "value", "level", "unit", "n_units", "n_rows", "n_events",
    "rows_per_unit", "icc", "half_width", "target", "needed", "needed_events", "needed_one_row", "needed_many_rows",
    "method", "estimable", "reason",
]  # fmt: skip
TARGETS = (0.05, 0.02)  # of a score between 0 and 1; others are planned in halves and fifths of today's width
SHARES = (0.5, 0.2)


def planning(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Sizes for one metric of one task, from the table ``scores``.

    Returns
    -------
    DataFrame
        One row per model and ``target`` half-width: units ``needed`` with as many rows each as here, with one row each, and with
        as many rows as one likes (where patients have several rows), and the events among them when they are as frequent as here.
    """
    rows = scores[(scores["metric"] == metric) & (scores["role"] == "model")]
    bounded = plugins.describe("metrics", metric)["SCALE"] == "logit"
    found = [plan for row in rows.to_dict("records") for plan in _plans(row, bounded)]
    return pd.DataFrame(found, columns=PLANNING)


def _plans(row: dict[str, Any], bounded: bool) -> list[dict[str, Any]]:
    head = {name: row.get(name) for name in PLANNING if name in row and name not in ("method", "estimable", "reason")}
    try:
        if not row["estimable"]:
            raise NotEstimableError(str(row["reason"]))
        half = (row["high"] - row["low"]) / 2
        head |= {"half_width": half, "rows_per_unit": row["n_rows"] / row["n_units"]}
        targets = TARGETS if bounded else tuple(share * half for share in SHARES)
        return [{**head, **_sizes(row, target), "estimable": True, "reason": ""} for target in targets]
    except NotEstimableError as error:
        return [{**head, "estimable": False, "reason": str(error)}]


def _sizes(row: dict[str, Any], target: float) -> dict[str, Any]:
    """Units for one half-width; standard errors shrink with the root of the number of units."""
    n, level = int(row["n_units"]), float(row["level"])
    if row["unit"] == "resample":
        raise NotEstimableError(
            "more folds or repeats do not narrow this interval for long: the patients set its width, and how it would shrink "
            "with more of them is not known from one study"
        )
    enough: Callable[..., int] = sites_for if row["unit"] == "site" else units_for
    sd = float(row["se"]) * np.sqrt(n)
    sizes: dict[str, Any] = {"target": target, "needed": enough(target, sd, level=level)}
    if row["unit"] == "site":
        return {**sizes, "method": "t over sites that differ as here, with as many patients each"}
    sizes["needed_events"] = np.ceil(sizes["needed"] * row["n_events"] / n)
    icc, rows = row.get("icc", np.nan), row["n_rows"] / n
    if rows > 1 and icc == icc:
        one_row = sd * np.sqrt(row["n_eff"] / n)
        sizes["needed_one_row"] = enough(target, one_row, level=level)
        sizes["needed_many_rows"] = enough(target, one_row * np.sqrt(icc), level=level) if icc > 0 else np.nan
    return {**sizes, "method": "t over patients like these, the standard error shrinking with their root"}
