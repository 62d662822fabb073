"""Different ids, same profile: rows of many inputs (gene expression) in the same order, whatever their unit."""

import numpy as np
import pandas as pd

from triptych.audit._context import Context, not_assessable
from triptych.audit._inputs import CONTROL, numbers
from triptych.audit._likeness import compare
from triptych.audit._people import rows
from triptych.likeness import profiles

TITLE = "One person under two ids (profiles that look the same)"
LEAK_CLASS = "identity"
SEVERITY = "stop"
OF_SPLIT = True
WIDE = 200  # inputs of one block that make a profile
FINE = 20  # with so many different values an input has an order


def check(context: Context) -> pd.DataFrame:
    """Compare the profiles of different people: all blocks of WIDE inputs or more, together."""
    if context.examples is None:
        return not_assessable("no inputs to compare: the predictions were made elsewhere")
    blocks = context.examples.blocks
    wide = [block for block, columns in blocks.items() if len(columns) >= WIDE and not block.startswith(CONTROL)]
    table = context.examples.inputs(wide)
    _, x = numbers(table.loc[:, ~table.columns.duplicated()])
    x = x[:, [len(np.unique(column[~np.isnan(column)])) >= FINE for column in x.T]]
    known = np.sum(~np.isnan(x), axis=1) >= WIDE // 2
    if x.shape[1] < WIDE or not known.any():
        return not_assessable(
            f"no block of inputs is a profile of {WIDE} numbers or more, each with {FINE} values or more"
        )
    return compare(context, rows(context)[known].reset_index(drop=True), profiles.embed(x[known]), "profiles")
