"""Missing inputs that go with the outcome: whether a value was measured tells what was expected."""

import numpy as np
import pandas as pd

from triptych.audit._association import associations, strongest
from triptych.audit._context import Context, finding, findings, looked, not_assessable
from triptych.audit._inputs import inputs
from triptych.audit._people import OUTCOME, classes, patients, rows
from triptych.tables import KEY

TITLE = "Missing values that differ by outcome"
LEAK_CLASS = "target"
SEVERITY = "warn"
MOST = 300  # columns that are tested one by one; of more, those that are missing nearest to half of the time


def check(context: Context) -> pd.DataFrame:
    """Test whether each input is missing, and how many are, against the outcome, by permutation of people."""
    table = inputs(context.examples)
    if table is None:
        return not_assessable("no inputs to look at: the predictions were made elsewhere")
    missing = table.isna().to_numpy()
    if not missing.any():
        return looked("no input is missing")
    share = missing.mean(axis=0)
    chosen = np.sort(np.argsort(-share * (1 - share), kind="stable")[:MOST])
    chosen = chosen[share[chosen] > 0]
    names = [str(table.columns[k]) for k in chosen]
    gaps = pd.DataFrame(missing[:, chosen].astype(float), columns=names)
    gaps["number of missing inputs"] = missing.sum(axis=1).astype(float)
    outcome = rows(context)
    outcome = outcome[[*KEY, *(c for c in OUTCOME if c in outcome)]]
    people = patients(pd.concat([outcome, gaps.rename(columns="missing {}".format)], axis=1), context.kind)
    columns = people[[f"missing {name}" for name in gaps]].set_axis(list(gaps), axis=1)
    tested = associations(
        people["score"].to_numpy(), columns, seed=context.seed, positive=classes(people, context.kind)
    )
    if not tested:
        return looked("the same inputs are missing in all people")
    most = strongest(tested)
    found = [str(one) for one in tested if one.found]
    if not found:
        return looked(
            f"inputs that are missing in some people ({len(chosen)}): no more by outcome than chance", **most.evidence
        )
    message = f"whether inputs are missing goes with the outcome of {len(people)} people: {'; '.join(found[:3])}"
    action = "leave these inputs out, or show that who was measured does not depend on the outcome"
    return findings(finding(SEVERITY, message, keys=found, action=action, **most.evidence))
