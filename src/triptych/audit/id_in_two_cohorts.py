"""The same id in two cohorts with the same data beside it: perhaps one person (an id alone means nothing)."""

import numpy as np
import pandas as pd

from triptych.audit._context import Context, finding, findings, looked, meet
from triptych.audit._people import canonical
from triptych.tables import FAMILY, KEY, PERSON, SITE

TITLE = "One person in two cohorts (same id, same data)"
LEAK_CLASS = "identity"
SEVERITY = "stop"
OF_SPLIT = True
CHANCE = 0.001
AGREE = 0.8  # share of the columns known of both that are equal to the last digit
FINE = 0.1  # how often two strangers agree, at most, in a column that counts as evidence


def check(context: Context) -> pd.DataFrame:
    """Compare people of two cohorts who share an id, in every column that both cohorts have.

    Four of five values must be equal to the last digit, and those of columns in which strangers hardly ever agree so often
    that chance, times the number of shared ids, does it less than once in a thousand times.
    """
    table = context.participants
    if "cohort" not in table or table["cohort"].nunique() < 2:
        return looked("one cohort only")
    everyone = people = table.drop_duplicates(PERSON).reset_index(drop=True)
    shared = canonical(people["participant_id"])
    people = people[people.groupby(shared)["cohort"].transform("nunique") > 1]
    groups = [rows.index for _, rows in people.groupby(shared)]
    pairs = np.array([(a, b) for index in groups for k, a in enumerate(index) for b in index[k + 1 :]], int)
    suspects = _suspects(everyone, pairs.reshape(-1, 2)) if len(pairs) else []
    if not suspects:
        return looked(f"{len(groups)} ids are in several cohorts; nothing says that they are the same people")
    label = {tuple(people.loc[i, PERSON]): float(pair[0]) for pair in suspects for i in pair}
    splits = context.splits[KEY].drop_duplicates()
    apart = meet(context, splits, np.array([label.get(who, np.nan) for who in splits[PERSON].itertuples(index=False)]))
    named = [" = ".join("/".join(people.loc[i, PERSON].astype(str)) for i in pair) for pair in suspects]
    where = "some on two sides of a split" if apart else "never on two sides of a split"
    message = f"{len(suspects)} ids are in two cohorts with the same data; {where}"
    action = "leave out one of the two; if they are two people, lower the severity of this check and say so"
    return findings(finding(SEVERITY if apart else "warn", message, keys=named, action=action, threshold=CHANCE))


def _suspects(people: pd.DataFrame, pairs: np.ndarray) -> list[list[int]]:
    """Those pairs (m, 2) of rows that agree more than two strangers do."""
    known, equal = np.zeros((2, len(pairs))), np.zeros((2, len(pairs)))  # all columns, fine columns
    log = np.full(len(pairs), np.log(len(pairs)))
    for name in (c for c in people if c not in (*KEY, FAMILY, SITE)):
        codes = pd.factorize(people[name].map(_digits))[0]
        share = np.bincount(codes[codes >= 0]) / max((codes >= 0).sum(), 1)
        chance = float(np.square(share).sum())
        one, two = codes[pairs[:, 0]], codes[pairs[:, 1]]
        both, same = (one >= 0) & (two >= 0), (one == two) & (one >= 0)
        for k in range(2 if chance <= FINE else 1):
            known[k] += both
            equal[k] += same
        if 0 < chance <= FINE:
            log += np.where(same, np.log(chance), 0.0)
    return pairs[(equal >= AGREE * known).all(axis=0) & (log < np.log(CHANCE))].tolist()


def _digits(value: object) -> str | None:
    """One spelling of equal values; None for missing ones."""
    if pd.isna(value):
        return None
    return f"{value:.12g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value).casefold()
