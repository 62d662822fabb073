"""Sessions whose names or dates say another order than their names as text."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from triptych.audit._context import Context, finding, findings
from triptych.audit._people import moments, names, natural, person
from triptych.tables import KEY

TITLE = "Sessions in another order than their names say"
LEAK_CLASS = "time"
SEVERITY = "warn"
MANY = 3  # names of one form, before another form is odd


def check(context: Context) -> pd.DataFrame:
    """Compare the order of names (numbers in them count as numbers) with dates or ages, and with the order as text."""
    table = context.participants if len(context.participants) else context.people
    table = table[[*KEY, *(c for c in context.roles.get("visit", []) if c in table)]].drop_duplicates(KEY)
    several = table[person(table).map(person(table).value_counts()) > 1]
    found = [*_against_dates(several, context.roles.get("visit", [])), *_as_text(several), *_odd(table)]
    return findings(*found)


def _against_dates(table: pd.DataFrame, visit: list[str]) -> list[dict]:
    """People whose later session (by name) has an earlier date or age."""
    found = []
    for column in (c for c in visit if c in table):
        dated = table.assign(moment=moments(table[column])[1], place=_places(table["session_id"], natural))
        dated = dated.dropna(subset="moment").sort_values("place", kind="stable")
        wrong = person(dated)[dated.groupby(person(dated))["moment"].diff() < 0].unique()
        if len(wrong):
            message = f"{len(wrong)} people have a later session (by its name) with an earlier {column!r}"
            action = "correct the dates or the names, before a first session is taken as baseline"
            found.append(finding(SEVERITY, message, keys=_named(table, wrong), action=action))
    return found


def _as_text(table: pd.DataFrame) -> list[dict]:
    """People whose first session as text is not the first by number, all being named alike."""
    ids = table["session_id"].astype(str)
    places = pd.DataFrame({"text": _places(ids, str), "number": _places(ids, natural), "form": _form(ids)})
    groups = places.groupby(person(table))
    first = (places["text"] == groups["text"].transform("min")) != (
        places["number"] == groups["number"].transform("min")
    )
    wrong = person(table)[first & (groups["form"].transform("nunique") == 1)].unique()
    if not len(wrong):
        return []
    example = ids[person(table) == wrong[0]]
    message = f"the sessions of {len(wrong)} people sort wrongly as text ({min(example)!r} before {min(example, key=natural)!r})"
    action = "pad the numbers (M06, M12): tools that sort text take the wrong session as baseline"
    return [finding(SEVERITY, message, keys=_named(table, wrong), action=action)]


def _odd(table: pd.DataFrame) -> list[dict]:
    """Names that are formed unlike the others (``ses-01SE02``, ``ses-01-alt16``)."""
    found = []
    for cohort, rows in table.groupby("cohort"):
        form = _form(rows["session_id"])
        usual = form.value_counts()
        if len(usual) > 1 and usual.iloc[0] >= MANY:
            odd = form.map(usual) < max(2, 0.05 * len(form))
            if odd.any():
                keys = (rows["participant_id"].astype(str) + "/" + rows["session_id"].astype(str))[odd]
                message = f"{int(odd.sum())} sessions are named unlike the others ({usual.index[0]!r}, # is a number)"
                action = "check that they are what they seem, and in the right place of the order"
                found.append(finding(SEVERITY, message, cohort=str(cohort), keys=keys, action=action))
    return found


def _form(ids: pd.Series) -> pd.Series:
    """Names with # in the place of numbers."""
    return ids.astype(str).str.casefold().str.replace(r"\d+", "#", regex=True)


def _places(ids: pd.Series, key: Callable) -> pd.Series:
    """Places of names in an order."""
    return ids.map({name: k for k, name in enumerate(sorted(set(ids), key=key))})


def _named(table: pd.DataFrame, who: Any) -> list[str]:
    return names(table[person(table).isin(who)], table)
