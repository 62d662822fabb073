"""Rows, people and sessions, as the checks look at them."""

import re
from typing import Any

import numpy as np
import pandas as pd

from triptych import visits
from triptych.audit._context import Context
from triptych.bids.names import session_order
from triptych.survival.nonparametric import nelson_aalen
from triptych.tables import FAMILY, KEY, PERSON, SITE, canonical_id

OUTCOME = ["time", "event", "y"]


def rows(context: Context) -> pd.DataFrame:
    """One row per key, in the order of the examples: site, family and outcome, where they are known."""
    table = context.examples.table if context.examples is not None else context.people.drop_duplicates(KEY)
    return table[[*KEY, *(c for c in (SITE, FAMILY, *OUTCOME) if c in table)]].reset_index(drop=True)


def with_columns(context: Context, columns: list[str]) -> pd.DataFrame:
    """Key, site and outcome of each row, and columns of the cohorts: numbers, days for dates, or words.

    Columns that no cohort has are left out.
    """
    table = rows(context)
    table = table[[*KEY, *(c for c in (SITE, *OUTCOME) if c in table)]]
    known = [c for c in dict.fromkeys(columns) if c in context.participants and c not in table]
    if not known:
        return table
    found = context.participants[[*KEY, *known]].drop_duplicates(KEY)
    for column in known:
        what, numbers = moments(found[column])
        found[column] = found[column] if what == "name" else numbers
    return table.merge(found, on=KEY, how="left")


def person(table: pd.DataFrame) -> pd.Series:
    """``cohort/participant`` of each row."""
    return table["cohort"].astype(str) + "/" + table["participant_id"].astype(str)


def names(table: pd.DataFrame, among: pd.DataFrame) -> list[str]:
    """Ids of the people of a table, with their cohort where there are several, sorted."""
    several = among["cohort"].nunique() > 1
    return sorted(set(person(table) if several else table["participant_id"].astype(str)))


def plain_id(text: str) -> str:
    """An id without blanks, case, zero padding and the BIDS prefix ``sub-``."""
    return canonical_id(text).removeprefix("sub-")


def canonical(ids: pd.Series) -> pd.Series:
    """Ids as ``plain_id`` spells them."""
    text = ids.astype(str)
    return text.map({one: plain_id(one) for one in text.unique()})


def site_of(table: pd.DataFrame) -> pd.Series | None:
    """``cohort/site`` of each row (missing where it is not known), the cohort where no site is known, or None."""
    cohort = table["cohort"].astype(str)
    if SITE in table and table[SITE].notna().any():
        return (cohort + "/" + table[SITE].astype(str)).where(table[SITE].notna())
    return cohort if cohort.nunique() > 1 else None


def patients(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """One row per person: means of numbers, the first of words, any event; and ``score``, what the outcome says.

    Rows follow the sorted ids, so that checks that draw do not depend on the order of the rows.
    """
    groups = table.drop(columns="session_id").groupby(PERSON, sort=True)
    numbers = [c for c in table if c not in KEY and pd.api.types.is_numeric_dtype(table[c])]
    words = [c for c in table if c not in KEY and c not in numbers]
    people = pd.concat([groups[words].first(), groups[numbers].mean()], axis=1).reset_index()
    if "event" in people:
        people["event"] = groups["event"].max().to_numpy(bool)
    return people.assign(score=outcome_score(people, kind))


def outcome_score(table: pd.DataFrame, kind: str) -> np.ndarray:
    """A number (n,) for each outcome, larger for worse: the class, the rank of the value, or of the martingale residual.

    The residual of a model without covariates, event minus cumulative hazard, is the score of the log-rank test; its rank
    keeps a few who lived long from ruling it.
    """
    if "event" in table:
        time, event = table["time"].to_numpy(float), table["event"].to_numpy(bool)
        return pd.Series(event - nelson_aalen(time, event).at(time)).rank().to_numpy()
    y = table["y"].to_numpy(float)
    return y if kind == "classification" else pd.Series(y).rank().to_numpy()


def classes(people: pd.DataFrame, kind: str) -> np.ndarray | None:
    """Whether each person had the event or is positive, bool (n,); None for numbers, which have no classes."""
    if "event" in people:
        return people["event"].to_numpy(bool)
    return people["y"].to_numpy(float) >= 0.5 if kind == "classification" else None


def natural(text: Any) -> tuple:
    """A key by which ``ses-M6`` comes before ``ses-M12``: numbers in it count as numbers."""
    parts = re.split(r"(\d+)", str(text).casefold())
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


def taken(table: pd.DataFrame) -> pd.Series:
    """Place of each session among those of its person, as the task takes them (``triptych.visits``)."""
    when = [visits.moment(said) for said in table[visits.DATE]] if visits.DATE in table else [None] * len(table)
    ids, place = list(map(session_order, table["session_id"].astype(str))), pd.Series(0, index=table.index)
    for rows in table.groupby(PERSON, sort=False).indices.values():
        ordered = visits.in_time(rows, when.__getitem__, ids.__getitem__)
        place.iloc[ordered] = range(len(ordered))
    return place


def moments(values: pd.Series) -> tuple[str, pd.Series]:
    """What dates, ages or names of sessions are (``number``, ``date`` or ``name``), and numbers that follow them in time.

    Numbers are taken as they are, dates become days, names are ranked in natural order; missing stays missing.
    """
    if not pd.api.types.is_datetime64_any_dtype(values):
        numbers = pd.to_numeric(values, errors="coerce")
        if (numbers.notna() == values.notna()).all():
            return "number", numbers.astype(float)
    dates = pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True)
    if (dates.notna() == values.notna()).all():
        return "date", ((dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)).astype(float)
    order = {name: k for k, name in enumerate(sorted(values.dropna().unique(), key=natural))}
    return "name", values.map(order).astype(float)
