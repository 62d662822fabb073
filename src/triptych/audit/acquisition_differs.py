"""How the data were acquired goes with the outcome: a model may learn the scanner instead of the disease."""

import pandas as pd

from triptych.audit._by_role import against_outcome
from triptych.audit._context import Context

TITLE = "Acquisition that differs by outcome"
LEAK_CLASS = "design"
SEVERITY = "warn"


def check(context: Context) -> pd.DataFrame:
    """Standardised mean differences and tables of counts at the patient, with a permutation test (never on shares)."""
    action = "compare within one protocol, and see what acquisition alone predicts (`controls: [acquisition]`)"
    return against_outcome(context, "acquisition", SEVERITY, "acquisition parameters", action)
