"""Repeated k-fold cross-validation by person (by family where known), with the events spread evenly over the folds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.errors import DataError
from triptych.splits._groups import group_codes, rows_of_fold

ANSWERS = ("new-patients", "procedure")


@dataclass(frozen=True)
class Options:
    """How many folds, how often."""

    folds: int = 5
    repeats: int = 5


def split(participants: pd.DataFrame, options: Options, *, seed: int) -> pd.DataFrame:
    """Assign whole groups to folds, groups with an event and groups without one apart.

    Parameters
    ----------
    participants
        One row per example: the key, ``event``, and ``family_id`` where known.
    seed
        The assignment is a function of the seed and of the set of keys, not of the order of the rows.

    Returns
    -------
    DataFrame
        ``repeat, fold, cohort, participant_id, session_id, part``; part is ``train`` or ``test``.

    Raises
    ------
    DataError
        When there are fewer groups with an event than folds: some fold would have none.
    """
    for name, least in (("folds", 2), ("repeats", 1)):
        if getattr(options, name) < least:
            raise DataError(f"repeated_kfold: `{name}:` must be {least} or more, not {getattr(options, name)}")
    groups = group_codes(participants)
    with_event = pd.Series(participants["event"].to_numpy(bool)).groupby(groups).any().to_numpy()
    if with_event.sum() < options.folds or len(with_event) < 2 * options.folds:
        raise DataError(
            f"{int(with_event.sum())} of {len(with_event)} patients have an event: too few for {options.folds} folds "
            f"with an event in each; use `folds: {max(2, min(int(with_event.sum()), len(with_event) // 2))}`"
        )
    parts = []
    for repeat in range(options.repeats):
        random = np.random.default_rng([seed, repeat])
        fold_of_group = np.empty(len(with_event), int)
        offset = 0
        for stratum in (True, False):
            members = random.permutation(np.flatnonzero(with_event == stratum))
            fold_of_group[members] = (np.arange(len(members)) + offset) % options.folds
            offset += len(
                members
            )  # the second stratum goes on where the first ended, so fold sizes differ by one at most
        parts += [
            rows_of_fold(participants, repeat, fold, fold_of_group[groups] == fold) for fold in range(options.folds)
        ]
    return pd.concat(parts, ignore_index=True)
