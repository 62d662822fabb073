"""Hospitals on both sides of a split: fine for new patients, not for a claim about new hospitals."""

import pandas as pd

from triptych.audit._context import Context, finding, findings, not_assessable
from triptych.tables import KEY, SITE

TITLE = "Hospitals on both sides of a split"
LEAK_CLASS = "design"
SEVERITY = "stop"
OF_SPLIT = True


def check(context: Context) -> pd.DataFrame:
    """Count, per fold, the sites of the test part that are also in training."""
    if SITE not in context.people or context.people[SITE].isna().all():
        return not_assessable("no column site: effects of hospitals and scanners cannot be seen")
    people = context.people[[*KEY, SITE]].drop_duplicates(KEY)
    people = people.assign(
        **{SITE: people["cohort"].astype(str) + "/" + people[SITE]}
    )  # as leave_site_out tells them apart
    splits = context.splits.merge(people, on=KEY, how="left")
    counts = []
    for (repeat, _), rows in splits.groupby(["repeat", "fold"]):
        test = set(rows.loc[rows["part"] == "test", SITE].dropna())
        if (rows["part"] == "train").any():
            train = set(rows.loc[rows["part"] == "train", SITE])
        else:  # predictions made elsewhere: whoever is tested in another fold of the repeat was training
            others = splits[(splits["repeat"] == repeat) & ~splits.index.isin(rows.index)]
            train = set(others[SITE])
        counts.append((len(test & train), len(test)))
    shared, total = (sum(column) for column in zip(*counts, strict=True))
    message = f"{shared} of {total} test sites (summed over folds) are also in training"
    if context.estimand == "new-site" and shared:
        return findings(finding(SEVERITY, message, action="use the split leave_site_out"))
    note = f"{message}; results say nothing about a hospital never seen" if shared else message
    return findings(finding("pass", note))
