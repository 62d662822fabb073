"""What the schemes share: who must stay together, and the rows of one fold."""

import numpy as np
import pandas as pd

from triptych.tables import FAMILY, KEY, PERSON


def group_codes(participants: pd.DataFrame) -> np.ndarray:
    """Code (n,) of the smallest group that must not be split: the family where known, else the person.

    Codes follow the sorted names, so that they do not depend on the order of the rows.
    """
    person = participants[PERSON].astype(str).agg("\t".join, axis=1)
    if FAMILY in participants:
        family = participants["cohort"].astype(str) + "\tfamily\t" + participants[FAMILY].astype(str)
        person = person.where(participants[FAMILY].isna(), family)
    return np.unique(person.to_numpy(str), return_inverse=True)[1]


def rows_of_fold(participants: pd.DataFrame, repeat: int, fold: int, test: np.ndarray) -> pd.DataFrame:
    """Rows of the split table for one fold: all rows, those of ``test`` (bool) in the test part."""
    rows = participants[KEY].reset_index(drop=True)
    rows.insert(0, "repeat", repeat)
    rows.insert(1, "fold", fold)
    return rows.assign(part=np.where(test, "test", "train"))
