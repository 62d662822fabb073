"""K-fold cross-validation by row: one person is on both sides. It is here to show what that does, and for nothing else."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.splits._groups import check_folds, rows_of_fold, spread
from triptych.tables import KEY

ANSWERS = ()
LEAKS = True


@dataclass(frozen=True)
class Options:
    """How many folds, how often."""

    folds: int = 5
    repeats: int = 5


def split(participants: pd.DataFrame, options: Options, *, seed: int) -> pd.DataFrame:
    """Assign rows to folds as if each were a person of its own, events spread evenly.

    Returns
    -------
    DataFrame
        ``repeat, fold, cohort, participant_id, session_id, part``.

    Raises
    ------
    DataError
        When there are fewer rows with an event than folds: some fold would have none.
    """
    order = np.argsort(participants[KEY].astype(str).agg("\t".join, axis=1).to_numpy(str), kind="stable")
    stratum = participants["stratum"].to_numpy(bool)[order]  # by key, so that the order of the rows is nothing
    check_folds("row_kfold", options, stratum, "rows")
    parts = []
    for repeat in range(options.repeats):
        fold = np.empty(len(order), int)
        fold[order] = spread(stratum, options.folds, np.random.default_rng([seed, repeat]))
        parts += [rows_of_fold(participants, repeat, k, fold == k) for k in range(options.folds)]
    return pd.concat(parts, ignore_index=True)
