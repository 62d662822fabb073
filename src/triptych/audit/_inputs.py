"""The inputs that the claim rests on, as a table and as ranks."""

import numpy as np
import pandas as pd

from triptych.mri.columns import is_image
from triptych.tables import Examples

CONTROL = "control-"  # begins the blocks of negative controls, which no claim rests on


def inputs(examples: Examples | None) -> pd.DataFrame | None:
    """Each input column once, but paths of images, index 0..n-1; None where there are none."""
    if examples is None:
        return None
    blocks = [block for block in examples.blocks if not block.startswith(CONTROL)]
    columns = list(dict.fromkeys(column for block in blocks for column in examples.blocks[block]))
    columns = [column for column in columns if not is_image(column)]
    return examples.table[columns].reset_index(drop=True) if columns else None


def numbers(table: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Names and values (n, p), float64, of the columns that hold numbers."""
    names = [name for name, kind in table.dtypes.items() if pd.api.types.is_numeric_dtype(kind)]
    return names, table[names].to_numpy(float)


def row_hashes(table: pd.DataFrame) -> np.ndarray:
    """A number (n,) that is the same for rows with equal values, gaps included."""
    names, values = numbers(table)
    words = [pd.factorize(table[c])[0].astype(float) for c in table.columns.difference(names, sort=False)]
    x = np.column_stack([np.where(np.isnan(values), np.nan, values + 0.0), *words])  # one NaN, one zero
    return np.array([hash(row.tobytes()) for row in np.ascontiguousarray(x)])


def fine_columns(table: pd.DataFrame, fewest: int, most: int) -> list[str]:
    """The first ``most`` columns with ``fewest`` different values or more."""
    found: list[str] = []
    for column in table:
        if table[column].nunique() >= fewest:
            found.append(column)
        if len(found) == most:
            break
    return found
