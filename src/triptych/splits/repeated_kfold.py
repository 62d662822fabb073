"""Repeated k-fold cross-validation by person (by family where known), with the events spread evenly over the folds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.splits._groups import check_folds, group_codes, rows_of_fold, spread

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
        One row per example: the key, ``stratum`` (event, positive class, or above the median), and ``family_id`` where known.
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
    groups = group_codes(participants)
    with_event = pd.Series(participants["stratum"].to_numpy(bool)).groupby(groups).any().to_numpy()
    check_folds("repeated_kfold", options, with_event, "patients")
    parts = []
    for repeat in range(options.repeats):
        fold = spread(with_event, options.folds, np.random.default_rng([seed, repeat]))[groups]
        parts += [rows_of_fold(participants, repeat, k, fold == k) for k in range(options.folds)]
    return pd.concat(parts, ignore_index=True)
