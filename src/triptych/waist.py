"""The waist of the hourglass: all predictions of one task in one checked table, and their survival curves beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from triptych.errors import DataError
from triptych.tables import FAILURES, FIT, KEY, PREDICTIONS, PROBABILITY, SITE, check_predictions, read


@dataclass(frozen=True)
class Waist:
    """``curves`` has the rows of ``predictions``: the fit, and one column per time (empty where a model gives none)."""

    predictions: pd.DataFrame
    curves: pd.DataFrame
    failures: pd.DataFrame


def gather(
    fits: list[pd.DataFrame],
    said: list[dict[str, Any]],
    splits: pd.DataFrame,
    kind: str,
    tolerance: float,
    controls: list[str] | None = None,
) -> Waist:
    """Put the predictions of all fits into one table.

    Parameters
    ----------
    said
        What each job said: ``fits`` and ``failures``.
    tolerance
        Largest share of failed fits of a model.
    controls
        Negative controls: they may fail, and the report then says that they did.

    Raises
    ------
    DataError
        When a model failed more often than tolerated, or the rows are not valid predictions.
    """
    failures = [row for one in said for row in one["failures"]]
    folds = splits[["repeat", "fold"]].drop_duplicates()
    fits = [fit for fit in fits if len(fit)]
    table = pd.concat(fits, ignore_index=True) if fits else pd.DataFrame(columns=FIT)
    done = table.drop_duplicates(FIT).groupby("model").size()
    for model in dict.fromkeys([*done.index, *(row["model"] for row in failures)]):
        if model in (controls or ()):
            continue
        n, wanted = done.get(model, 0), len(folds)
        if wanted - n > tolerance * wanted or not n:
            reasons = [row["reason"] for row in failures if row["model"] == model] or ["its predictions are missing"]
            raise DataError(
                f"model {model!r}: {wanted - n} of {wanted} fits failed, more than `tolerance: fits: {tolerance:g}`; "
                f"the first: {reasons[0]}"
            )
    optional = [c for c in (SITE, PROBABILITY) if c in table]
    known = [*FIT, *KEY, *optional, *PREDICTIONS[kind]]
    check_predictions(table, kind, "predictions")
    curves = table[[*FIT, *(c for c in table if c not in known)]]
    return Waist(table[known], curves, pd.DataFrame(failures, columns=FAILURES))


def read_curves(path: Path) -> pd.DataFrame | None:
    """Survival curves (rows as in the predictions, columns are times), or None when no model gives any."""
    table = read(path, FIT).drop(columns=FIT)
    return table if table.shape[1] else None


def train_ratio(splits: pd.DataFrame) -> float | None:
    """Mean size of a test part over that of its training part; None when training was elsewhere."""
    sizes = splits.groupby(["repeat", "fold", "part"]).size().unstack("part", fill_value=0)
    if "train" not in sizes or not sizes["train"].all():
        return None
    return float((sizes["test"] / sizes["train"]).mean())
