"""The authors' own cross-validation: a column of the participants table says in which fold each row is tested."""

from dataclasses import dataclass

import pandas as pd

from triptych.errors import DataError, did_you_mean
from triptych.splits._groups import rows_of_fold
from triptych.tables import plain

ANSWERS = ("new-patients", "procedure")
FOLDS_FROM_DATA = True  # as many as the column has values


@dataclass(frozen=True)
class Options:
    """The column; each of its values is a fold."""

    column: str = "fold"


def split(participants: pd.DataFrame, options: Options, *, seed: int) -> pd.DataFrame:
    """One repeat, one fold for each value of the column, in their order.

    Returns
    -------
    DataFrame
        ``repeat, fold, cohort, participant_id, session_id, part``.

    Raises
    ------
    DataError
        When the column is missing, has empty cells, or only one value.
    """
    if options.column not in participants:
        known = did_you_mean(options.column, participants)
        raise DataError(f"given_folds: no column {options.column!r} in the participants table{known}")
    fold = participants[options.column]
    if fold.isna().any():
        who = participants.loc[fold.isna(), "participant_id"].iloc[0]
        raise DataError(
            f"given_folds: participant {who!r} has no fold in {options.column!r}; fill it or leave the row out"
        )
    values = sorted(fold.unique())
    if len(values) < 2:
        raise DataError(f"given_folds: every row of {options.column!r} is {plain(values[0])!r}; two folds are needed")
    return pd.concat(
        [rows_of_fold(participants, 0, k, (fold == value).to_numpy()) for k, value in enumerate(values)],
        ignore_index=True,
    )
