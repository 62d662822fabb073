"""Training and test part with different shares of events or classes, more than a random split gives."""

import numpy as np
import pandas as pd
from scipy import special

from triptych.audit._association import LEVEL
from triptych.audit._context import Context, finding, findings, looked, not_assessable
from triptych.audit._people import classes, patients, rows
from triptych.tables import PERSON

TITLE = "Training and test part differ in the outcome"
LEAK_CLASS = "design"
SEVERITY = "warn"


def check(context: Context) -> pd.DataFrame:
    """Compare the share of patients with an event (or positive, or above the median) by the hypergeometric distribution."""
    if context.estimand == "new-site":
        return looked("hospitals may differ: each is tested on its own")
    people = patients(rows(context), context.kind)
    positive = classes(people, context.kind)
    people["positive"] = people["y"] > people["y"].median() if positive is None else positive
    both = context.splits.groupby(["repeat", "fold"])["part"].nunique() > 1
    if not both.any():
        return not_assessable("who trained is not known: the predictions were made elsewhere")
    splits = context.splits.drop_duplicates(["repeat", "fold", "part", *PERSON])
    splits = splits.merge(people[[*PERSON, "positive"]], on=PERSON)
    found = []
    for (repeat, fold), part in splits.groupby(["repeat", "fold"]):
        test = part["part"] == "test"
        n, m, k = len(part), int(part["positive"].sum()), int(test.sum())
        seen = int(part.loc[test, "positive"].sum())
        if k in (0, n) or _two_sided(seen, n, m, k) * int(both.sum()) > LEVEL:
            continue
        message = (
            f"repeat {repeat + 1}, fold {fold + 1}: {seen / k:.0%} of {k} tested and {(m - seen) / (n - k):.0%} of "
            f"{n - k} training patients have the event, are positive, or lie above the median"
        )
        action = "draw the split at random within classes, or say why the parts differ"
        found.append(finding(SEVERITY, message, action=action, measure="share in test", value=seen / k))
    return findings(*found)


def _two_sided(seen: int, n: int, m: int, k: int) -> float:
    """P value of ``seen`` positives among k drawn from n with m positives: twice the smaller tail."""

    def choose(a: int, b: np.ndarray) -> np.ndarray:
        return special.gammaln(a + 1) - special.gammaln(b + 1) - special.gammaln(a - b + 1)

    possible = np.arange(max(0, k - (n - m)), min(m, k) + 1)
    p = np.exp(choose(m, possible) + choose(n - m, k - possible) - choose(n, np.array(k)))
    return float(min(1.0, 2 * min(p[possible <= seen].sum(), p[possible >= seen].sum())))
