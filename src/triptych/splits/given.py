"""The authors' own split: a column of the participants table says who trains and who is tested."""

from dataclasses import dataclass

import pandas as pd

from triptych.errors import DataError, did_you_mean
from triptych.splits._groups import rows_of_fold

ANSWERS = ("new-patients", "new-site")


@dataclass(frozen=True)
class Options:
    """The column, and the value that marks a tested row; every other row trains."""

    column: str = "split"
    test: str = "test"


def split(participants: pd.DataFrame, options: Options, *, seed: int) -> pd.DataFrame:
    """One repeat with one fold.

    Returns
    -------
    DataFrame
        ``repeat, fold, cohort, participant_id, session_id, part``.

    Raises
    ------
    DataError
        When the column is missing, has empty cells, or one of the parts is empty.
    """
    if options.column not in participants:
        raise DataError(
            f"given: no column {options.column!r} in the participants table{did_you_mean(options.column, participants)}"
        )
    values = participants[options.column]
    if values.isna().any():
        who = participants.loc[values.isna(), "participant_id"].iloc[0]
        raise DataError(f"given: participant {who!r} has no value in {options.column!r}; say train or test for each")
    test = (values.astype(str) == options.test).to_numpy()
    if test.all() or not test.any():
        raise DataError(
            f"given: column {options.column!r} puts {int(test.sum())} of {len(test)} rows into {options.test!r}; it holds "
            f"{', '.join(map(repr, sorted(values.astype(str).unique())[:6]))}: name another value with `test:`"
        )
    return rows_of_fold(participants, 0, 0, test)
