"""Fit one model on the training part of each fold, and predict the held-out part."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from triptych import plugins
from triptych.checkpoints import Keep, keeping
from triptych.errors import DataError, NotEstimableError
from triptych.harmonise import fit_harmoniser
from triptych.outcomes import OUTCOME
from triptych.tables import FIT, KEY, PREDICTIONS, SITE, Examples, failure, keys_hash

RANKED = {"survival": "risk", "classification": "score", "regression": "predicted"}


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
    permuted: bool = False,
    harmonise: dict[str, Any] | None = None,
    keep: Keep | None = None,
) -> tuple[pd.DataFrame, list[dict[str, Any]], list[dict[str, Any]]]:
    """Fit and predict every (repeat, fold) of ``splits``.

    Parameters
    ----------
    times
        Grid (m,) on which survival curves are predicted, or None.
    permuted
        Whether outcomes are exchanged between whole patients first (a negative control).
    harmonise
        What ``fit_harmoniser`` is told, or None.
    keep
        Where trainings are kept, so that one that was stopped goes on; for one fold.
    tolerate
        Whether a failed fit is listed (and its fold left out) instead of raised.

    Returns
    -------
    predictions, notes, failures
        Rows of the waist with one further column per time (none when every fit failed and that is tolerated: ``gather``
        judges all jobs of a model together); what each fit chose, and its ``map`` where it has one; failed fits.
    """
    module = plugins.load("models", use)
    chosen = plugins.build_options(module, options)
    predictions, notes, failures = [], [], []
    for (repeat, fold), rows in splits.groupby(["repeat", "fold"], sort=True):
        repeat, fold = int(repeat), int(fold)  # numpy integers cannot be written as JSON
        told = permute_outcomes(examples, fit_seed(seed, repeat, 0)) if permuted else examples
        train, test = (_part(told, rows, part) for part in ("train", "test"))
        train = replace(train, unseen=_unseen(train, test))
        try:
            if harmonise:
                train, test = _harmonised(train, test, blocks, harmonise)
            with keeping(keep, train.fingerprint()):
                fitted = module.fit(train, chosen, blocks=blocks, seed=fit_seed(seed, repeat, fold), device=device)
            predicted = fitted.predict(test, times)
            _check(predicted, test, fitted, train)
            ranked = RANKED[examples.kind]
            predicted[ranked] = predicted[ranked].round(10)  # rounding noise must not break ties
        except (DataError, NotEstimableError) as error:
            message = f"model {name!r}, task {task!r}, repeat {repeat + 1}, fold {fold + 1}: {error}"
            if not tolerate:
                raise DataError(message) from error
            failures.append(
                failure("fit", modality="table", reason=message, advice="see the model's options", model=name)
            )
            continue
        head = dict(zip(FIT, (task, name, repeat, fold), strict=True))
        known = test.table[[*KEY, *([SITE] if SITE in test.table else []), *OUTCOME[examples.kind]]]
        if examples.kind == "survival":
            known = known.assign(event=test.event.astype(int))
        predictions.append(pd.concat([known, predicted], axis=1).assign(**head))
        counted = {"n_train": len(train), "events_train": int(train.stratum.sum())}
        notes.append(
            {**head, "seen": fitted.seen, **counted, **fitted.notes, **({} if permuted else _map(fitted, test))}
        )
    if not predictions:
        return pd.DataFrame(columns=[*FIT, *KEY, *PREDICTIONS[examples.kind]]), notes, failures
    table = pd.concat(predictions, ignore_index=True)
    return table[[*FIT, *(c for c in table if c not in FIT)]], notes, failures


def permute_outcomes(examples: Examples, seed: int) -> Examples:
    """Exchange outcomes between whole patients, within their site where it is known (Winkler et al. 2015).

    All rows of a patient get the outcome of the first row of another patient (or, by chance, their own): exchanging rows
    instead would leave one patient with several outcomes, and a test of chance with 18 % false alarms.
    """
    table = examples.table
    codes = examples.people
    _, start = np.unique(codes, return_index=True)
    site = table[SITE].astype(str).to_numpy()[start] if SITE in table else np.zeros(len(start))
    random = np.random.default_rng(seed)
    donor = np.arange(len(start))
    for one in np.unique(site):
        members = np.flatnonzero(site == one)
        donor[members] = random.permutation(members)
    taken = start[donor][codes]
    outcome = {column: table[column].to_numpy()[taken] for column in OUTCOME[examples.kind]}
    return replace(examples, table=table.assign(**outcome))


def grid(horizon: float | None, points: int = 100) -> np.ndarray | None:
    """Times (points,) up to the horizon on which survival curves are kept; None without a horizon."""
    return None if horizon is None else horizon * np.arange(1, points + 1) / points


def fit_seed(seed: int, repeat: int, fold: int) -> int:
    """A seed of its own for each fit, the same for every model."""
    return int(np.random.SeedSequence([seed, repeat, fold]).generate_state(1)[0] % 2**31)


def _harmonised(train: Examples, test: Examples, blocks: list[str], told: dict[str, Any]) -> tuple[Examples, Examples]:
    """Both parts, by what the training rows alone say of their sites."""
    harmoniser = fit_harmoniser(train, blocks, told)
    if harmoniser.seen != train.fingerprint():
        raise RuntimeError("the harmoniser carries other keys than its training rows; it has seen something else")
    return harmoniser(train), harmoniser(test)


def _part(examples: Examples, rows: pd.DataFrame, part: str) -> Examples:
    keys = pd.MultiIndex.from_frame(rows.loc[rows["part"] == part, KEY])
    return examples.take(pd.MultiIndex.from_frame(examples.table[KEY]).isin(keys))


def _unseen(train: Examples, test: Examples) -> tuple[str, ...]:
    """Columns of places, the largest first, of which the tested rows share none with the training rows.

    Not a column with empty cells, which may stand for any place.
    """
    full = [c for c in ("cohort", SITE) if c in train.table and not train.table[c].isna().any()]
    return tuple(
        c for c in full if not test.table[c].isna().any() and not np.isin(test.places(c), train.places(c)).any()
    )


def _map(fitted: Any, test: Examples) -> dict[str, Any]:
    """Where a model of images looks in the held-out rows, and how many these are (see ``triptych.maps``)."""
    found = fitted.map(test) if hasattr(fitted, "map") else None
    return {} if found is None else {"map": (found, len(test))}


def _check(predicted: pd.DataFrame, test: Examples, fitted: Any, train: Examples) -> None:
    """A model must have learned from exactly the rows it was given, and give every row a finite risk."""
    if fitted.seen != train.fingerprint():
        raise RuntimeError("the fitted object carries other keys than its training rows; it has seen something else")
    if keys_hash(test.table) == fitted.seen or len(predicted) != len(test):
        raise RuntimeError("the predictions are not those of the held-out rows")
    ranked = RANKED[test.kind]
    bad = ~np.isfinite(predicted[ranked].to_numpy(float))
    if bad.any():
        raise DataError(f"the {ranked} of {test.table['participant_id'].to_numpy()[bad][0]} is not a finite number")
