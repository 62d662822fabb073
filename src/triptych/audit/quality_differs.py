"""Quality goes with the outcome: patients who move more are not the sicker anatomy."""

import pandas as pd

from triptych.audit._by_role import against_outcome
from triptych.audit._context import Context

TITLE = "Quality that differs by outcome"
LEAK_CLASS = "design"
SEVERITY = "warn"


def check(context: Context) -> pd.DataFrame:
    """As for acquisition: effects and a permutation test at the patient."""
    return against_outcome(
        context, "quality", SEVERITY, "measures of quality", "match or adjust for quality, and say so"
    )
