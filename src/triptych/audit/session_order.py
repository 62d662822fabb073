"""Sessions whose dates say another order than the one that they are taken in, or whose names as text do."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from triptych import visits
from triptych.audit._context import Context, finding, findings
from triptych.audit._people import moments, names, person, taken
from triptych.bids.names import session_order
from triptych.tables import KEY

TITLE = "Sessions in another order than they are taken in"
LEAK_CLASS = "time"
SEVERITY = "warn"
MANY = 3  # names of one form, before another form is odd


def check(context: Context) -> pd.DataFrame:
    """Compare the order in which sessions are taken (``triptych.visits``) with dates, ages and DICOM headers, and names as text.

    Where a task takes the first session of each person as baseline, a contradiction stops it.
    """
    table = context.participants if len(context.participants) else context.people
    wanted = [visits.DATE, *context.roles.get("visit", [])]
    table = table[[*KEY, *(c for c in dict.fromkeys(wanted) if c in table)]].drop_duplicates(KEY)
    several = table[person(table).map(person(table).value_counts()) > 1]
    placed = several.assign(place=taken(several))
    severity = "stop" if context.sessions == "baseline" else SEVERITY
    found = [
        _against(placed.assign(moment=moments(placed[column])[1]), repr(column), severity)
        for column in context.roles.get("visit", [])
        if column in placed
    ]
    if len(context.scans):
        days = (
            context.scans.assign(moment=pd.to_numeric(context.scans["days"]))
            .groupby(KEY, as_index=False)["moment"]
            .min()
        )
        scanned = placed.assign(session_id=placed["session_id"].astype(str).str.split("_run-").str[0])
        found.append(_against(scanned.merge(days, on=KEY), "date in its DICOM header", severity))
    return findings(*filter(None, found), *_as_text(several), *_odd(table))


def _against(table: pd.DataFrame, what: str, severity: str) -> dict | None:
    """People whose later session (by its ``place``) has an earlier ``moment``."""
    dated = table.dropna(subset="moment").sort_values("place", kind="stable")
    wrong = person(dated)[dated.groupby(person(dated))["moment"].diff() < 0].unique()
    if not len(wrong):
        return None
    message = f"{len(wrong)} people have a later session (by scan_date, else by its name) with an earlier {what}"
    action = (
        "correct the dates or the names, or give all dates in `scan_date`, before a first session is taken as baseline"
    )
    return finding(severity, message, keys=_named(table, wrong), action=action)


def _as_text(table: pd.DataFrame) -> list[dict]:
    """People whose first session as text is not the first by number, all being named alike."""
    ids = table["session_id"].astype(str)
    places = pd.DataFrame({"text": _places(ids, str), "number": _places(ids, session_order), "form": _form(ids)})
    groups = places.groupby(person(table))
    first = (places["text"] == groups["text"].transform("min")) != (
        places["number"] == groups["number"].transform("min")
    )
    wrong = person(table)[first & (groups["form"].transform("nunique") == 1)].unique()
    if not len(wrong):
        return []
    example = ids[person(table) == wrong[0]]
    earliest = min(example, key=session_order)
    message = f"the sessions of {len(wrong)} people sort wrongly as text ({min(example)!r} before {earliest!r})"
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
