"""Outcomes that mean what they say: event times, classes and numbers, from the columns that a study names."""

from typing import Any

import numpy as np
import pandas as pd

from triptych.errors import DataError, did_you_mean
from triptych.ledger import Ledger
from triptych.tables import PERSON

OUTCOME = {"survival": ["time", "event"], "classification": ["y"], "regression": ["y"]}
EVENT_WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def survival_outcome(table: pd.DataFrame, outcome: dict[str, Any], ledger: Ledger) -> pd.DataFrame:
    """Add ``time`` (float) and ``event`` (bool); rows without an outcome are excluded, impossible ones quarantined."""
    time_name, event_name = outcome["time"], outcome["event"]
    time = pd.to_numeric(table[time_name], errors="coerce")
    text = (time.isna() & table[time_name].notna()).to_numpy()
    table = ledger.quarantine(table, text, time_name, "time is not a number", "correct the time")
    table = ledger.without_outcome(table, table[[time_name, event_name]].isna().any(axis=1).to_numpy())
    numbers = pd.to_numeric(table[time_name]).to_numpy(np.float64)
    table = ledger.quarantine(table, np.isinf(numbers), time_name, "time is infinite", "give the last date seen")
    numbers = pd.to_numeric(table[time_name]).to_numpy(np.float64)
    table = ledger.quarantine(table, numbers < 0, time_name, "time is negative", "correct the dates")
    if not len(table):
        raise DataError(f"task {ledger.task!r}: no patient has a usable outcome in {time_name!r} and {event_name!r}")
    table = table.assign(
        time=pd.to_numeric(table[time_name]).astype(float), event=event_flag(table[event_name], outcome)
    )
    if table["event"].sum() < 2:
        raise DataError(
            f"task {ledger.task!r}: {int(table['event'].sum())} of {len(table)} patients has an event in {event_name!r}; "
            "nothing can be estimated from fewer than two; check `event_value:`"
        )
    if table["time"].nunique() == 1:
        raise DataError(
            f"task {ledger.task!r}: the outcome is constant: every {time_name!r} is {table['time'].iloc[0]:g}"
        )
    return table


def class_outcome(table: pd.DataFrame, outcome: dict[str, Any], ledger: Ledger) -> pd.DataFrame:
    """Add ``y`` (int): 1 for the positive class, 0 for the other; rows without a label are excluded."""
    name = outcome["label"]
    table = ledger.without_outcome(table, table[name].isna().to_numpy())
    if not len(table):
        raise DataError(f"task {ledger.task!r}: no patient has a label in {name!r}")
    words = (
        "label column",
        "the class that is looked for",
        "positive",
        "two classes are told apart here; leave others out with `exclude:`",
    )
    table = table.assign(y=_flag(table[name], outcome.get("positive"), *words).astype(int))
    people = table.drop_duplicates(["y", *PERSON]).groupby("y").size().reindex([0, 1], fill_value=0)
    if people.min() < 2:
        raise DataError(
            f"task {ledger.task!r}: {people[1]} people are positive and {people[0]} negative in {name!r}; nothing can be told "
            "apart with fewer than two of each; check `positive:`"
        )
    return table


def number_outcome(table: pd.DataFrame, outcome: dict[str, Any], ledger: Ledger) -> pd.DataFrame:
    """Add ``y`` (float); rows without a value are excluded, those whose value is no finite number quarantined."""
    name = outcome["value"]
    numbers = pd.to_numeric(table[name], errors="coerce")
    text = (numbers.isna() & table[name].notna()).to_numpy()
    table = ledger.quarantine(table, text, name, "value is not a number", "correct the value")
    table = ledger.without_outcome(table, table[name].isna().to_numpy())
    infinite = np.isinf(pd.to_numeric(table[name]).to_numpy(np.float64))
    table = ledger.quarantine(table, infinite, name, "value is infinite", "correct the value")
    if not len(table):
        raise DataError(f"task {ledger.task!r}: no patient has a usable value in {name!r}")
    table = table.assign(y=pd.to_numeric(table[name]).astype(float))
    if table["y"].nunique() == 1:
        raise DataError(f"task {ledger.task!r}: the outcome is constant: every {name!r} is {table['y'].iloc[0]:g}")
    return table


READ = {"survival": survival_outcome, "classification": class_outcome, "regression": number_outcome}


def of_left_out(table: pd.DataFrame, outcome: dict[str, Any]) -> pd.DataFrame:
    """Add ``event`` or ``y`` (1, 0 or missing; or the number) to rows that were left out before it was looked at.

    Whoever was left out by the outcome itself, say a third class, has none of the two that are told apart.
    """
    role = next((role for role in ("value", "label", "event") if outcome.get(role)), "event")
    name = "event" if role == "event" else "y"
    if not len(table) or not outcome.get(role):
        return table.assign(**{name: pd.Series(dtype=float)})
    values = table[outcome[role]].where(table["rule"] != outcome[role])
    if role == "value":
        return table.assign(y=pd.to_numeric(values, errors="coerce"))
    wanted, text = outcome.get("event_value" if role == "event" else "positive"), values.map(plain_word)
    if wanted is None or isinstance(wanted, bool):
        flags = text.map(EVENT_WORDS).astype(float)
        flags = 1 - flags if wanted is False else flags
    else:
        flags = (text == plain_word(wanted)).astype(float)
    return table.assign(**{name: flags.where(values.notna())})


def event_flag(values: pd.Series, outcome: dict[str, Any]) -> pd.Series:
    """Booleans from an event column; the study's ``event_value`` decides, 0/1 and true/false need none.

    Raises
    ------
    DataError
        When the coding is not clear (say, 1/2 or words): lists the values found.
    """
    words = (
        "event column",
        "an event",
        "event_value",
        "competing events are not a single event: make a column with two values",
    )
    return _flag(values, outcome.get("event_value"), *words)


def _flag(values: pd.Series, wanted: Any, what: str, true: str, key: str, advice: str) -> pd.Series:
    text = values.map(plain_word)
    found = sorted(text.unique())
    if isinstance(wanted, bool) and set(found) <= set(EVENT_WORDS):  # YAML reads a plain `yes` as true
        return text.map(EVENT_WORDS).astype(bool) == wanted
    listed = ", ".join(map(repr, found[:6]))
    if wanted is None:
        if not set(found) <= set(EVENT_WORDS):
            raise DataError(f"{what} {values.name!r} holds {listed}; say which value is {true}: `{key}:`")
        return text.map(EVENT_WORDS).astype(bool)
    if plain_word(wanted) not in found:
        near = did_you_mean(plain_word(wanted), found)
        near = "" if near.startswith("; known") else near
        raise DataError(f"{what} {values.name!r} never holds {wanted!r}; it holds {listed}{near}")
    if len(found) > 2:
        raise DataError(f"{what} {values.name!r} holds more than two values ({listed}); {advice}")
    return text == plain_word(wanted)


def holds(values: pd.Series, wanted: Any) -> pd.Series:
    """Where a column holds a value of a study file, bool; empty cells hold nothing."""
    words = (
        [word for word, flag in EVENT_WORDS.items() if flag == wanted]
        if isinstance(wanted, bool)
        else [plain_word(wanted)]
    )
    return values.notna() & values.map(plain_word).isin(words)


def plain_word(value: Any) -> str:
    """One spelling for 1, 1.0, True, "Yes ": what a cell of a table and a value of a study are compared by."""
    if isinstance(value, bool | np.bool_):
        return "1" if value else "0"
    if isinstance(value, int | float | np.number):
        return f"{float(value):.15g}"  # ids may be long numbers
    return str(value).strip().casefold()
