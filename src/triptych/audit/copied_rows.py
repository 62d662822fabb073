"""Rows copied before the split: the same inputs under another session, or a copy under an id such as ``p001_aug2``."""

import re

import numpy as np
import pandas as pd

from triptych.audit._context import Context, finding, findings, meet, not_assessable
from triptych.audit._inputs import fine_columns, inputs, numbers, row_hashes
from triptych.audit._people import canonical, person, plain_id, rows

TITLE = "Rows copied before the split (oversampling, augmentation)"
LEAK_CLASS = "augmentation"
SEVERITY = "stop"
OF_SPLIT = True
FINE, FINE_COLUMNS = 20, 3  # so many columns with so many values make agreement by chance unlikely
NEAR, NEAR_COLUMNS, MOST_COLUMNS = 0.25, 5, 50  # root mean square difference in standard deviations; 1.4 for strangers
WORD = r"(?:copy|copie|aug|dup|flip|rot|nois|smote|synth|over|resampl|jitter|shift|mirror|crop)[a-z]*"
COPY = re.compile(rf"^(?P<base>.+?)[-_. ]*(?:{WORD}[-_. ]*\d*|(?<=[-_. ])\d+)$")


def check(context: Context) -> pd.DataFrame:
    """Compare sessions of one person, and people whose id is that of another with something added."""
    table = inputs(context.examples)
    if table is None:
        return not_assessable("no inputs to compare: the predictions were made elsewhere")
    fine = fine_columns(table, min(FINE, max(3, len(table) // 2)), MOST_COLUMNS)
    if len(fine) < FINE_COLUMNS:
        return not_assessable(f"only {len(fine)} inputs have {FINE} values or more: equal rows can be honest")
    keys = rows(context)
    found = [*_sessions(context, table, keys), *_suffixed(context, table[fine], keys)]
    return findings(*found)


def _sessions(context: Context, table: pd.DataFrame, keys: pd.DataFrame) -> list[dict]:
    """Several rows of one person with equal inputs."""
    same = pd.Series(row_hashes(table)).astype(str) + person(keys)
    copied = same.duplicated(keep=False).to_numpy()
    if not copied.any():
        return []
    named = (person(keys) + "/" + keys["session_id"].astype(str))[copied]
    what = (
        f"{int(copied.sum())} rows of {person(keys)[copied].nunique()} people are the same person's with equal inputs"
    )
    return [_found(context, keys[copied], same[copied].to_numpy(), what, list(named))]


def _suffixed(context: Context, table: pd.DataFrame, keys: pd.DataFrame) -> list[dict]:
    """Ids that are another id and a word such as ``copy``, or another id and a number with nearly the same inputs."""
    ids = keys["participant_id"].astype(str)
    place = {pair: k for k, pair in reversed(list(enumerate(zip(keys["cohort"], canonical(ids), strict=True))))}
    _, x = numbers(table)
    with np.errstate(invalid="ignore"):
        x = (x - np.nanmean(x, axis=0)) / np.nanstd(x, axis=0)
    pairs = {}
    for k, (cohort, name) in enumerate(zip(keys["cohort"], ids.str.strip().str.casefold(), strict=True)):
        match = COPY.match(name)
        base = match and place.get((cohort, plain_id(match["base"])))
        if base is not None and ids[base] != ids[k]:
            difference = x[k] - x[base]
            near = np.sum(~np.isnan(difference)) >= NEAR_COLUMNS and np.sqrt(np.nanmean(difference**2)) < NEAR
            if near or not name[-1].isdigit() or re.search(rf"{WORD}[-_. ]*\d+$", name):
                pairs[k] = base
    if not pairs:
        return []
    members = sorted({*pairs, *pairs.values()})
    group = np.array([pairs.get(k, k) for k in members])
    named = [f"{ids[k]} = {ids[base]}" for k, base in pairs.items()]
    what = f"{len(pairs)} rows have the id of another with something added, as copies have"
    return [_found(context, keys.iloc[members], group, what, named)]


def _found(context: Context, keys: pd.DataFrame, group: np.ndarray, what: str, named: list[str]) -> dict:
    apart = meet(context, keys, group)
    where = "some on two sides of a split" if apart else "always on the same side of the split"
    action = "copy and change rows inside training only, after the split"
    return finding(SEVERITY if apart else "warn", f"{what}; {where}", keys=named, action=action)
