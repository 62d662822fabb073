"""Fit one model on the training part of each fold, and predict the held-out part."""

from typing import Any

import numpy as np
import pandas as pd

from triptych import plugins
from triptych.errors import DataError, NotEstimableError
from triptych.tables import FIT, KEY, SITE, Examples, failure, keys_hash


def fit_folds(
    examples: Examples,
    splits: pd.DataFrame,
    *,
    task: str,
    name: str,
    use: str,
    blocks: list[str],
    options: dict[str, Any],
    times: np.ndarray | None,
    seed: int,
    device: str,
    tolerate: bool,
) -> tuple[pd.DataFrame, list[dict[str, Any]], list[dict[str, Any]]]:
    """Fit and predict every (repeat, fold) of ``splits``.

    Parameters
    ----------
    times
        Grid (m,) on which survival curves are predicted, or None.
    tolerate
        Whether a failed fit is listed (and its fold left out) instead of raised.

    Returns
    -------
    predictions, notes, failures
        Rows of the waist with one further column per time (none when every fit failed and that is tolerated: ``gather``
        judges all jobs of a model together); what each fit chose; failed fits.
    """
    module = plugins.load("models", use)
    chosen = plugins.build_options(module, options)
    predictions, notes, failures = [], [], []
    for (repeat, fold), rows in splits.groupby(["repeat", "fold"], sort=True):
        repeat, fold = int(repeat), int(fold)  # numpy integers cannot be written as JSON
        train, test = (_part(examples, rows, part) for part in ("train", "test"))
        try:
            fitted = module.fit(train, chosen, blocks=blocks, seed=fit_seed(seed, repeat, fold), device=device)
            predicted = fitted.predict(test, times)
            _check(predicted, test, fitted, train)
            predicted["risk"] = predicted["risk"].round(10)  # rounding noise must not break ties of risk
        except (DataError, NotEstimableError) as error:
            message = f"model {name!r}, task {task!r}, repeat {repeat + 1}, fold {fold + 1}: {error}"
            if not tolerate:
                raise DataError(message) from error
            failures.append(
                failure("fit", modality="table", reason=message, advice="see the model's options", model=name)
            )
            continue
        head = dict(zip(FIT, (task, name, repeat, fold), strict=True))
        known = test.table[[*KEY, *([SITE] if SITE in test.table else []), "time"]].assign(event=test.event.astype(int))
        predictions.append(pd.concat([known, predicted], axis=1).assign(**head))
        notes.append(
            {**head, "seen": fitted.seen, "n_train": len(train), "events_train": int(train.event.sum()), **fitted.notes}
        )
    if not predictions:
        return pd.DataFrame(columns=[*FIT, *KEY, "time", "event", "risk"]), notes, failures
    table = pd.concat(predictions, ignore_index=True)
    return table[[*FIT, *(c for c in table if c not in FIT)]], notes, failures


def grid(horizon: float | None, points: int = 100) -> np.ndarray | None:
    """Times (points,) up to the horizon on which survival curves are kept; None without a horizon."""
    return None if horizon is None else horizon * np.arange(1, points + 1) / points


def fit_seed(seed: int, repeat: int, fold: int) -> int:
    """A seed of its own for each fit, the same for every model."""
    return int(np.random.SeedSequence([seed, repeat, fold]).generate_state(1)[0] % 2**31)


def _part(examples: Examples, rows: pd.DataFrame, part: str) -> Examples:
    keys = pd.MultiIndex.from_frame(rows.loc[rows["part"] == part, KEY])
    return examples.take(pd.MultiIndex.from_frame(examples.table[KEY]).isin(keys))


def _check(predicted: pd.DataFrame, test: Examples, fitted: Any, train: Examples) -> None:
    """A model must have learned from exactly the rows it was given, and give every row a finite risk."""
    if fitted.seen != train.fingerprint():
        raise RuntimeError("the fitted object carries other keys than its training rows; it has seen something else")
    if keys_hash(test.table) == fitted.seen or len(predicted) != len(test):
        raise RuntimeError("the predictions are not those of the held-out rows")
    bad = ~np.isfinite(predicted["risk"].to_numpy(float))
    if bad.any():
        raise DataError(f"the risk of {test.table['participant_id'].to_numpy()[bad][0]} is not a finite number")
