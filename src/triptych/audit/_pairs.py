"""Rows of different ids that show one person, as a finding."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from triptych.audit._context import Context, finding, findings, meet
from triptych.audit._people import person
from triptych.tables import FAMILY, KEY

ACTION = "keep one of each, or give them one participant_id"


def of_the_task(context: Context, keys: pd.DataFrame, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Which pairs are of two people who are both in the split, and no relatives by ``family_id``; bool."""
    here = person(keys).isin(set(person(context.splits))).to_numpy()
    wanted = here[first] & here[second]
    if FAMILY in context.people and context.people[FAMILY].notna().any():
        people = context.people.drop_duplicates(KEY[:2])
        family = pd.Series(people[FAMILY].to_numpy(), index=person(people)).reindex(person(keys)).to_numpy(object)
        wanted &= ~((family[first] == family[second]) & pd.notna(family[first]))
    return wanted


def sets(keys: pd.DataFrame, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Label of the set of each row (-1: in no pair), and the ids of each set: ``c/p1 = c/p2``."""
    who = person(keys).to_numpy()
    people, code = np.unique(who, return_inverse=True)
    graph = coo_matrix((np.ones(len(first)), (code[first], code[second])), (len(people), len(people)))
    label = connected_components(graph, directed=False)[1]
    many = np.flatnonzero(np.bincount(label) > 1)
    named = [" = ".join(people[label == one]) for one in many]
    return np.where(np.isin(label[code], many), label[code], -1), named


def one_person(
    context: Context, keys: pd.DataFrame, label: np.ndarray, named: list[str], message: str, **evidence: Any
) -> pd.DataFrame:
    """The finding: stop when ids of one set are on two sides of a split, else warn."""
    rows = label >= 0
    apart = meet(context, keys[rows], label[rows])
    where = "some on two sides of a split" if apart else "always on the same side of the split"
    return findings(
        finding("stop" if apart else "warn", f"{message}, {where}", keys=named, action=ACTION, **evidence)
    )
