"""What the schemes share: who must stay together, how folds are filled evenly, and the rows of one fold."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from triptych.errors import DataError
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


def check_folds(scheme: str, options: Any, stratum: np.ndarray, what: str) -> None:
    """Refuse options that make no folds, and fewer members of the stratum (bool, (n,)) than folds: one would have none."""
    for name, least in (("folds", 2), ("repeats", 1)):
        if getattr(options, name) < least:
            raise DataError(f"{scheme}: `{name}:` must be {least} or more, not {getattr(options, name)}")
    positive = int(stratum.sum())
    if positive < options.folds or len(stratum) < 2 * options.folds:
        raise DataError(
            f"{positive} of {len(stratum)} {what} have an event or are positive: too few for {options.folds} folds with one "
            f"in each; use `folds: {max(2, min(positive, len(stratum) // 2))}`"
        )


def spread(stratum: np.ndarray, folds: int, random: np.random.Generator) -> np.ndarray:
    """Fold (n,) of each member, at random, the stratum (bool, (n,)) spread evenly.

    Who is not of the stratum goes on where the stratum ended, so fold sizes differ by one at most.
    """
    order = np.concatenate([random.permutation(np.flatnonzero(stratum == s)) for s in (True, False)])
    fold = np.empty(len(order), int)
    fold[order] = np.arange(len(order)) % folds
    return fold


def rows_of_fold(participants: pd.DataFrame, repeat: int, fold: int, test: np.ndarray) -> pd.DataFrame:
    """Rows of the split table for one fold: all rows, those of ``test`` (bool) in the test part."""
    rows = participants[KEY].reset_index(drop=True)
    rows.insert(0, "repeat", repeat)
    rows.insert(1, "fold", fold)
    return rows.assign(part=np.where(test, "test", "train"))
