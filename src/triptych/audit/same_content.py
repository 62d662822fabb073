"""Different ids, same content: rows that agree in every input to the last digit."""

import numpy as np
import pandas as pd

from triptych.audit._context import Context, finding, findings, not_assessable
from triptych.mri.columns import is_image
from triptych.tables import KEY, PERSON

TITLE = "One person under two ids (identical inputs)"
LEAK_CLASS = "identity"
SEVERITY = "stop"
OF_SPLIT = True
FINE = 20  # a column with so many different values makes agreement by chance unlikely
FINE_COLUMNS = 3


def check(context: Context) -> pd.DataFrame:
    """Find rows of different people with equal inputs and outcome; needs three columns with many values."""
    if context.examples is None or not context.examples.blocks:
        return not_assessable("no inputs to compare: the predictions were made elsewhere")
    inputs = context.examples.inputs(context.examples.blocks)
    inputs = inputs.loc[:, [not is_image(column) for column in inputs]]  # no path says what is in the file
    inputs = inputs.loc[:, ~inputs.columns.duplicated()]
    fine = [c for c in inputs if inputs[c].nunique() >= FINE]
    if len(fine) < FINE_COLUMNS:
        return not_assessable(f"only {len(fine)} inputs have {FINE} values or more: equal rows can be different people")
    table = context.examples.table
    same = pd.util.hash_pandas_object(
        inputs.assign(**{c: table[c] for c in ("time", "event", "y") if c in table}), index=False
    ).to_numpy()
    person = table[PERSON].astype(str).agg("/".join, axis=1).to_numpy()
    groups = pd.Series(person).groupby(same).unique()
    pairs = [" = ".join(people) for people in groups if len(np.unique(people)) > 1]
    if not pairs:
        return findings()
    severity = SEVERITY if _meet(context, groups) else "warn"
    message = (
        f"{len(pairs)} sets of ids with identical inputs and outcome among {table[KEY].drop_duplicates().shape[0]} rows"
    )
    where = "some on two sides of a split" if severity == "stop" else "always on the same side of the split"
    action = "keep one of each, or give them one participant_id"
    return findings(finding(severity, f"{message}, {where}", keys=pairs, action=action))


def _meet(context: Context, groups: pd.Series) -> bool:
    """Whether two ids with one content are on different sides in any fold."""
    many = groups[groups.map(len) > 1]
    content = {person: str(code) for code, people in many.items() for person in people}
    rows = context.splits.assign(content=context.splits[PERSON].astype(str).agg("/".join, axis=1).map(content)).dropna()
    return bool((rows.groupby(["repeat", "fold", "content"])["part"].nunique() > 1).any())
