"""An input that is the outcome, or is made from it: it ranks the patients almost perfectly on its own."""

import numpy as np
import pandas as pd

from triptych.audit._context import Context, finding, findings, not_assessable
from triptych.errors import NotEstimableError
from triptych.survival.concordance import harrell

TITLE = "The outcome among the inputs"
LEAK_CLASS = "target"
SEVERITY = "stop"
LIMIT = 0.98
LEVELS = 12  # a column with so few different values is looked at as words, too


def check(context: Context) -> pd.DataFrame:
    """Harrell's C of each numeric input alone; and inputs that equal the event column."""
    if context.examples is None or not context.examples.blocks:
        return not_assessable("no inputs to look at: the predictions were made elsewhere")
    time, event = context.examples.time, context.examples.event
    inputs = context.examples.inputs(context.examples.blocks)
    suspects = []
    for column in dict.fromkeys(inputs.columns):
        values = inputs[column].iloc[:, 0] if isinstance(inputs[column], pd.DataFrame) else inputs[column]
        known = values.notna().to_numpy()
        if values.nunique() < 2:
            continue
        if values.nunique() <= LEVELS and _tells_event(values[known].to_numpy(), event[known]):
            suspects.append(f"{column} (equals the event)")
            continue
        if not pd.api.types.is_numeric_dtype(values):
            continue
        x = values.to_numpy(float)[known]
        try:
            c = harrell(time[known], event[known], x, influence=False).c
        except NotEstimableError:
            continue
        if max(c, 1 - c) > LIMIT:
            suspects.append(f"{column} (C {c:.3f})")
    if not suspects:
        return findings()
    message = f"{len(suspects)} inputs rank the outcome almost perfectly on their own (C above {LIMIT} or below {1 - LIMIT:.2f})"
    return findings(
        finding(SEVERITY, message, keys=suspects, action="leave them out, or show that they are known at baseline")
    )


def _tells_event(levels: np.ndarray, event: np.ndarray) -> bool:
    """Whether the level (a number or a word) says who has the event; many levels of few rows each would do so by chance."""
    share = pd.Series(event.astype(float)).groupby(levels).transform("mean").to_numpy()
    rows_enough = len(np.unique(levels)) == 2 or len(levels) >= 5 * len(np.unique(levels))
    return bool(rows_enough and np.ptp(share) > 0 and np.corrcoef(share, event)[0, 1] > LIMIT)
