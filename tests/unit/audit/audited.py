"""A small task without a fault, and ways to look at one check."""

from dataclasses import replace

import numpy as np
import pandas as pd

from triptych.audit._context import FINDING, Context
from triptych.plugins import load
from triptych.tables import FAILURES, KEY, Examples

NO_INPUT = {*KEY, "site", "family_id", "time", "event", "y", "split"}


def clean(n=60, seed=0, estimand="new-patients", folds=4, repeats=2, kind="survival", **columns):
    """People with sites and families, six inputs, folds by family."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "cohort": "c",
            "participant_id": [f"p{i:03d}" for i in range(n)],
            "session_id": "ses-1",
            "site": [f"s{i % 4}" for i in range(n)],
            "family_id": [f"f{i}" if i < 6 else None for i in range(n)],
            "time": rng.exponential(10, n),
            "event": rng.random(n) < 0.6,
            "age": rng.normal(60, 9, n),
            "g1": rng.normal(size=n),
            "g2": rng.normal(size=n),
            "sex": rng.integers(0, 2, n).astype(float),
            "grade": rng.choice(["low", "mid", "high"], n),
        }
    )
    table.loc[:8, "event"] = True
    if kind != "survival":
        y = table["event"].astype(int) if kind == "classification" else np.log(table["time"])
        table = table.drop(columns=["time", "event"]).assign(y=y)
    table = table.assign(**columns)
    if estimand == "new-site":
        splits = load("splits", "leave_site_out")
        made = splits.split(_stratified(table), splits.Options(), seed=seed)
    else:
        splits = load("splits", "repeated_kfold")
        made = splits.split(_stratified(table), splits.Options(folds=folds, repeats=repeats), seed=seed)
    return Context(
        made, _examples(table, kind), table, pd.DataFrame(columns=FAILURES), estimand, kind=kind, participants=table
    )


def _stratified(table):
    if "event" in table:
        return table.assign(stratum=table["event"].astype(bool))
    return table.assign(stratum=table["y"] > table["y"].median() if table["y"].nunique() > 2 else table["y"] == 1)


def _examples(table, kind):
    return Examples(table, {"all": [c for c in table if c not in NO_INPUT]}, kind)


def but(context, **changes):
    """A context with some parts replaced; a new table replaces people, participants and examples."""
    if "table" in changes:
        table = changes.pop("table")
        changes = {
            "people": table,
            "participants": table,
            "examples": _examples(table, changes.get("kind", context.kind)),
            **changes,
        }
    return replace(context, **changes)


def given(context, tested):
    """One fold that tests some rows (a mask) and trains on the rest."""
    splits = context.people[KEY].reset_index(drop=True).assign(part=np.where(tested, "test", "train"))
    return but(context, splits=splits.assign(repeat=0, fold=0))


def check(name, context):
    """Findings of one check."""
    found = load("audit", name).check(context)
    assert list(found) == FINDING
    return found


def one(name, context):
    """The only finding of one check."""
    found = check(name, context)
    found = found[found["severity"] != "not assessable"] if len(found) > 1 else found
    assert len(found) == 1, found
    return found.iloc[0]


def move(context, people, part, repeat=0, fold=0):
    """Put people into the other part of one fold."""
    splits = context.splits.copy()
    here = (splits["repeat"] == repeat) & (splits["fold"] == fold) & splits["participant_id"].isin(people)
    splits.loc[here, "part"] = part
    return but(context, splits=splits)


def sessions(context, who="p020", part="train", **changes):
    """A second session of one person, always on the training side (or on that of the person)."""
    table = context.people
    extra = table[table["participant_id"] == who].assign(session_id="ses-2", **{"age": 1.0, **changes})
    splits = context.splits[context.splits["participant_id"] == who].assign(session_id="ses-2")
    splits = splits if part == "same" else splits.assign(part=part)
    both = pd.concat([table, extra], ignore_index=True)
    return but(context, table=both, splits=pd.concat([context.splits, splits], ignore_index=True))


def twins(context, one="p010", other="p050"):
    """Give one person the content of another."""
    table = context.people.copy()
    same = [c for c in table if c not in {*KEY, "family_id", "site"}]
    table.loc[table["participant_id"] == other, same] = table.loc[table["participant_id"] == one, same].to_numpy()
    return but(context, table=table.infer_objects())


def apart(context, one, other, side):
    """Put two people on two sides of one fold, or on the training side of all."""
    splits = context.splits.copy()
    splits.loc[splits["participant_id"].isin([one, other]), "part"] = "train"
    if side == "two":
        splits.loc[(splits["participant_id"] == other) & (splits["fold"] == 1), "part"] = "test"
    return but(context, splits=splits)
