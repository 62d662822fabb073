"""The people of a task who were read: who stayed, who was left out, and for what kind of reason."""

import numpy as np
import pandas as pd

from triptych.audit._people import person, site_of
from triptych.ledger import KINDS
from triptych.tables import PERSON

CLASSES = {"event": ("without event", "with event"), "y": ("negative", "positive")}


def people(kept: pd.DataFrame, gone: pd.DataFrame, kind: str) -> pd.DataFrame:
    """One row per person; whoever keeps a row was not left out.

    Parameters
    ----------
    kept
        Key, site and outcome of the examples.
    gone
        The same of rows that were left out, with ``kind``: what kind of reason (``triptych.ledger.KINDS``).

    Returns
    -------
    DataFrame
        Index ``PERSON``; ``gone`` (1.0 or 0.0), ``why`` (the kind of reason; empty for those kept), ``outcome`` (a word, or the
        number of a regression; missing where it is not known) and ``place`` (cohort and site; missing where not known).
    """
    gone = gone[~person(gone).isin(person(kept))] if len(gone) else gone
    why = gone.get("kind", "rule")
    rows = pd.concat([kept.assign(gone=0.0, why=""), gone.assign(gone=1.0, why=why)], ignore_index=True)
    name = "event" if "event" in kept else "y"
    rows = rows.assign(outcome=pd.to_numeric(rows[name], errors="coerce"), place=site_of(rows))
    rows = rows.assign(why=rows["why"].map({word: k for k, word in enumerate(["", *reversed(KINDS)])}))
    found = rows.groupby(PERSON).agg({"gone": "max", "why": "max", "outcome": "mean", "place": "first"})
    found["why"] = np.array(["", *reversed(KINDS)])[found["why"]]
    if kind != "regression":
        found["outcome"] = found["outcome"].round().map(dict(enumerate(CLASSES[name])))
    return found
