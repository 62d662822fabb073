"""One person under two ids: rows that agree in the digits of their columns, also rounded, in another unit or in another place."""

import numpy as np
import pandas as pd

from triptych.audit._context import Context, looked, not_assessable
from triptych.audit._inputs import inputs
from triptych.audit._pairs import of_the_task, one_person, sets
from triptych.audit._people import person, rows
from triptych.likeness import tables
from triptych.tables import KEY

TITLE = "One person under two ids (same digits)"
LEAK_CLASS = "identity"
SEVERITY = "stop"
OF_SPLIT = True
MEASURE = "least evidence that two rows are one person's, bits"


def check(context: Context) -> pd.DataFrame:
    """Compare the rows of different people by the digits of inputs, outcome and all other numbers of the cohorts."""
    if inputs(context.examples) is None:
        return not_assessable("no inputs to compare: the predictions were made elsewhere")
    keys = rows(context)
    x, names = _numbers(context, keys)
    found = tables.copies(x, pd.factorize(person(keys))[0])
    wanted = found[0].wanted
    if found[0].most < wanted:
        return not_assessable(
            f"the digits of the columns are {found[0].most:.0f} bits of evidence at most, {wanted:.0f} are wanted: "
            "equal rows can be different people"
        )
    first, second, bits = (np.concatenate([getattr(f, part) for f in found]) for part in ("first", "second", "bits"))
    mine = of_the_task(context, keys, first, second)
    if not mine.any():
        seen = f"no two of {len(keys)} rows have the same digits under different ids"
        return looked(seen, measure=MEASURE, threshold=wanted)
    first, second = first[mine], second[mine]
    label, named = sets(keys, first, second)
    equal = np.all((x[first] == x[second]) | (np.isnan(x[first]) & np.isnan(x[second])))
    how = "identical inputs and outcome" if equal else "the same digits in inputs and outcome"
    changed = [f"{names[c]} as {names[d]} x {a:.4g}" for f in found if mine[len(found[0].first) :].any() for c, d, a in f.changed]
    where = f" (in another unit or place: {', '.join(changed[:5])})" if changed else ""
    message = f"{len(named)} sets of ids with {how}{where} among {len(keys)} rows"
    return one_person(
        context, keys, label, named, message, measure=MEASURE, value=float(bits[mine].min()), threshold=wanted
    )


def _numbers(context: Context, keys: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Values (n, p) and names of all columns: inputs, outcome, and whatever else the cohorts know; words as codes."""
    table = inputs(context.examples)
    assert table is not None
    table = pd.concat([table, keys[[c for c in ("time", "event", "y") if c in keys]]], axis=1)
    more = [c for c in context.participants if c not in {*table, *KEY, "site", "family_id"}]
    if more:
        known = context.participants.drop_duplicates(KEY).set_index(KEY)[more]
        known = known.reindex(pd.MultiIndex.from_frame(keys[KEY])).set_axis(table.index)
        numeric = [c for c in more if pd.api.types.is_numeric_dtype(known[c]) and not pd.api.types.is_bool_dtype(known[c])]
        table = pd.concat([table, known[numeric]], axis=1)
    columns = []
    for column in table:
        values = table[column]
        number = pd.api.types.is_numeric_dtype(values)
        columns.append(values.to_numpy(float, na_value=np.nan) if number else _codes(values))
    return np.column_stack(columns), list(table)


def _codes(words: pd.Series) -> np.ndarray:
    return np.where(words.isna(), np.nan, pd.factorize(words, sort=True)[0])
