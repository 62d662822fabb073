"""One person under two ids: expression profiles that are alike whatever their unit, noise and choice of genes."""

import numpy as np
import pandas as pd

from triptych.audit._alike import Alike, alike
from triptych.audit._context import Context, not_assessable
from triptych.audit._inputs import CONTROL
from triptych.audit._people import person, rows
from triptych.likeness import match, profiles

TITLE = "One person under two ids (expression profile)"
LEAK_CLASS = "identity"
SEVERITY = "stop"
OF_SPLIT = True


def check(context: Context) -> pd.DataFrame:
    """Compare the profiles of all rows: each block of inputs with so many numbers is one."""
    examples = context.examples
    blocks = {} if examples is None else {b: c for b, c in examples.blocks.items() if not b.startswith(CONTROL)}
    wide = {block: _numbers(examples.table, columns) for block, columns in blocks.items()}
    wide = {block: x for block, x in wide.items() if x.shape[1] >= profiles.FEWEST}
    if not wide:
        return not_assessable(f"no block of {profiles.FEWEST} numbers or more: no profiles to compare")
    keys = rows(context)
    who, cohort = pd.factorize(person(keys))[0], pd.factorize(keys["cohort"])[0]
    found = []
    for block, x in wide.items():
        for genes, mine in profiles.panels(x):
            some = (~np.isnan(x[:, genes])).mean(1) > 0.5
            scores = profiles.embed(x[np.ix_(some, genes)], cohort[some])
            if why := match.refusal(who[some]):
                return not_assessable(f"profiles of {block}: {why}")
            matches = match.find([scores], who[some], cohort[some], profiles.SAME_PROFILE)
            found.append(Alike(f"profile of {block}", np.flatnonzero(some), matches, mine))
    return alike(context, keys, found)


def _numbers(table: pd.DataFrame, columns: list[str]) -> np.ndarray:
    numeric = [c for c in columns if pd.api.types.is_numeric_dtype(table[c]) and table[c].nunique() > 2]
    return table[numeric].to_numpy(float)
