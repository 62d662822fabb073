"""What the schemes share: who must stay together, and the rows of one fold."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from triptych.tables import FAMILY, KEY, PERSON


def group_codes(participants: pd.DataFrame) -> np.ndarray:
    """Code (n,) of the smallest group that must not be split: the family where known, else the person.

    All sessions of a person are together even when only one of them names the family, or they name two.  Codes follow the
    sorted names, so that they do not depend on the order of the rows.
    """
    person = participants[PERSON].astype(str).agg("\t".join, axis=1)
    if FAMILY not in participants:
        return np.unique(person.to_numpy(str), return_inverse=True)[1]
    family = participants["cohort"].astype(str) + "\tfamily\t" + participants[FAMILY].astype(str)
    name = person.where(participants[FAMILY].isna(), family)
    names, node = np.unique(np.concatenate([person.to_numpy(str), name.to_numpy(str)]), return_inverse=True)
    ties = (np.ones(len(person)), (node[: len(person)], node[len(person) :]))
    component = connected_components(coo_array(ties, shape=(len(names), len(names))), directed=False)[1][node]
    first = pd.Series(name.to_numpy(str)).groupby(component[: len(person)]).transform("min")
    return np.unique(first.to_numpy(str), return_inverse=True)[1]


def rows_of_fold(participants: pd.DataFrame, repeat: int, fold: int, test: np.ndarray) -> pd.DataFrame:
    """Rows of the split table for one fold: all rows, those of ``test`` (bool) in the test part."""
    rows = participants[KEY].reset_index(drop=True)
    rows.insert(0, "repeat", repeat)
    rows.insert(1, "fold", fold)
    return rows.assign(part=np.where(test, "test", "train"))
