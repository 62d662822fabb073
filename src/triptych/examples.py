"""From cohorts to examples: participants with unified ids, an outcome that means what it says, and blocks of inputs.

Bad rows cost one patient, never the run and never silence: each leaves a row in ``failures``, and ``flow`` counts who stayed.
"""

import fnmatch
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triptych import plugins, raw
from triptych.errors import DataError
from triptych.tables import FAILURES, FAMILY, FLOW, KEY, PERSON, ROW, SESSION, SITE, Examples, failure, plain, unify_ids

EVENT_WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass
class Ledger:
    """What happened to whom on the way: rows of ``failures`` and of ``flow``."""

    task: str = ""
    failures: list[dict[str, Any]] = field(default_factory=list)
    flow: list[dict[str, Any]] = field(default_factory=list)

    def count(self, what: str, reason: str, table: pd.DataFrame, events: bool = False) -> None:
        """Add one line of patient flow for each cohort in the table."""
        for cohort, rows in table.groupby("cohort", sort=True):
            n_events = int(rows["event"].sum()) if events else ""
            people = rows["participant_id"].nunique()
            self.flow.append(
                dict(zip(FLOW, [self.task, len(self.flow), cohort, what, reason, people, n_events], strict=True))
            )

    def exclude(self, table: pd.DataFrame, bad: np.ndarray, reason: str) -> pd.DataFrame:
        """Drop rows for an ordinary reason (they were never eligible); the flow says how many people left.

        Who keeps another session has not left: such sessions have a line of their own, with nobody in it.
        """
        people = pd.MultiIndex.from_frame(table[PERSON])
        stays = bad & people.isin(people[~bad])
        if (bad & ~stays).any():
            self.count("excluded", reason, table[bad & ~stays])
        for cohort, rows in table[stays].groupby("cohort", sort=True):
            what = f"{len(rows)} sessions of {rows['participant_id'].nunique()} patients who stay: {reason}"
            self.flow.append(dict(zip(FLOW, [self.task, len(self.flow), cohort, "excluded", what, 0, ""], strict=True)))
        return table[~bad]

    def quarantine(self, table: pd.DataFrame, bad: np.ndarray, column: str, reason: str, advice: str) -> pd.DataFrame:
        """Drop broken rows: each is listed in ``failures`` and counts against the tolerance."""
        for index, row in table[bad].iterrows():
            facts = {
                "modality": "table",
                "row": index,
                "column": column,
                "reason": f"{reason}: {plain(row[column])!r}",
                "advice": advice,
            }
            self.failures.append(failure("outcome", {name: row[name] for name in KEY}, **facts))
        return self.exclude(table, bad, f"quarantined: {reason}")

    def failures_table(self) -> pd.DataFrame:
        """The rows of ``failures.tsv``."""
        return pd.DataFrame(self.failures, columns=FAILURES)

    def flow_table(self) -> pd.DataFrame:
        """The rows of ``flow.tsv``."""
        return pd.DataFrame(self.flow, columns=FLOW)


def read_cohort(cohort: str, table: str | None, root: str | None) -> tuple[pd.DataFrame, Ledger]:
    """Participants of one cohort with checked keys.

    Parameters
    ----------
    cohort
        Name of the cohort, and of the plug-in when there is no table.
    table
        A file of the user's own, or None.
    root
        Data root, or None.

    Returns
    -------
    participants, ledger
        One row per participant and session; ``site`` and ``family_id`` are text when present.

    Raises
    ------
    DataError
        For rows that contradict each other, naming both.
    """
    if table:
        found = _read_table(Path(table).expanduser())
    else:
        found = plugins.load("cohorts", cohort).participants(Path(root) if root else None)
    if "participant_id" not in found:
        raise DataError(
            f"{table or cohort}: no column 'participant_id'; it has {', '.join(map(repr, found.columns[:20]))}"
        )
    found = found.assign(cohort=cohort).rename_axis(index=ROW)
    if "session_id" not in found:
        found["session_id"] = SESSION
    for column in (c for c in ("session_id", SITE, FAMILY) if c in found):
        found[column] = found[column].map(lambda x: (str(x).strip() or None) if pd.notna(x) else None)
    found["session_id"] = found["session_id"].fillna(SESSION)
    ledger = Ledger()
    return _one_row_each(_unified(found, ledger, table or cohort), ledger, table or cohort), ledger


def _read_table(path: Path) -> pd.DataFrame:
    """A table of the user's own; the index is the line of the file, to be named in messages."""
    raw.header(path)  # its errors say more than those of pandas
    text = dict.fromkeys(["participant_id", "session_id", SITE, FAMILY], str)
    how: dict[str, Any] = {"sep": raw.delimiter(path), "dtype": text, "encoding": "utf-8-sig", "low_memory": False}
    try:
        found = pd.read_csv(path, skip_blank_lines=False, **how)
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: cannot be read as a table ({' '.join(str(error).split())}); correct that line"
        ) from None
    if not isinstance(found.index, pd.RangeIndex):
        raise DataError(f"{path}: the rows have more cells than line 1 has names; name every column")
    found.index = pd.RangeIndex(2, 2 + len(found))
    return found.dropna(how="all")  # blank lines


def _unified(found: pd.DataFrame, ledger: Ledger, file: str) -> pd.DataFrame:
    blank = (found["participant_id"].isna() | (found["participant_id"].astype(str).str.strip() == "")).to_numpy()
    for row in found.index[blank]:
        facts = {
            "file": file,
            "row": row,
            "column": "participant_id",
            "reason": "no participant id",
            "advice": "give the row an id",
        }
        ledger.failures.append(failure("cohort", {"cohort": found.loc[row, "cohort"]}, **facts))
    found, changes = unify_ids(found[~blank])
    for change in changes.itertuples():
        reason = f"id {change.old!r} is another spelling of {change.new!r}; taken as the same person"
        key = {"cohort": change.cohort, "participant_id": change.new}
        facts = {"file": file, "row": change.row, "column": "participant_id", "reason": reason}
        ledger.failures.append(
            failure("note", key, **facts, advice="spell ids one way; if they are two people, rename one")
        )
    return found


def _one_row_each(found: pd.DataFrame, ledger: Ledger, file: str) -> pd.DataFrame:
    """Keep one of identical rows; refuse rows of one key that differ."""
    same = found.duplicated(keep="first")
    for row in found.index[same]:
        key = {name: found.loc[row, name] for name in KEY} if not found.index.has_duplicates else {}
        facts = {"file": file, "row": row, "reason": "the same row again; one is kept", "advice": "remove the copy"}
        ledger.failures.append(failure("note", key, **facts))
    found = found[~same]
    twice = found[found.duplicated(KEY, keep=False)]
    if len(twice):
        who = twice.iloc[0]
        pair = twice[(twice[KEY] == who[KEY]).all(axis=1)].iloc[:2]
        differ = [c for c in pair if pair[c].nunique(dropna=False) > 1]
        raise DataError(
            f"{file}: rows {pair.index[0]} and {pair.index[1]} are both {who['participant_id']} ({who['session_id']}) but differ "
            f"in {', '.join(map(repr, differ[:5]))}; correct or remove one, or give each a session_id"
        )
    return found


def make_examples(
    participants: pd.DataFrame,
    *,
    task: str,
    kind: str,
    outcome: dict[str, Any],
    inputs: dict[str, list[str]],
    ledger: Ledger,
) -> Examples:
    """The examples of one task: rows with a usable outcome, and the columns of each block of inputs.

    Raises
    ------
    DataError
        When nobody or no event is left, the outcome is constant or its coding is not clear, or an input is not usable.
    """
    if kind != "survival":
        raise DataError(
            f"task {task!r}: no stage for {kind} outcomes from tables yet; bring predictions made elsewhere"
        )
    ledger.task = task
    ledger.count("read", "in the cohort's table", participants)
    choice = participants.drop(columns=KEY)  # an id is no input, not even of a pattern such as c*
    blocks = {block: _columns(choice, wanted) for block, wanted in inputs.items()}
    needed = list(dict.fromkeys(column for columns in blocks.values() for column in columns))
    leaks = [c for c in (outcome["time"], outcome["event"], "time", "event") if c in needed]
    if leaks:
        raise DataError(
            f"task {task!r}: the inputs take the column {leaks[0]!r}, which is the outcome or has its name (target leak); "
            "name the inputs without it, or rename the column"
        )
    table = survival_outcome(participants, outcome, ledger)
    for column in needed:
        table = _numeric_or_level(table, column)
    kept = [*KEY, *(c for c in (SITE, FAMILY) if c in table), "time", "event"]
    ledger.count("kept", "with outcome", table, events=True)
    return Examples(table[list(dict.fromkeys([*kept, *needed]))].reset_index(drop=True), blocks)


def survival_outcome(table: pd.DataFrame, outcome: dict[str, Any], ledger: Ledger) -> pd.DataFrame:
    """Add ``time`` (float) and ``event`` (bool); rows without an outcome are excluded, impossible ones quarantined."""
    time_name, event_name = outcome["time"], outcome["event"]
    time = pd.to_numeric(table[time_name], errors="coerce")
    text = (time.isna() & table[time_name].notna()).to_numpy()
    table = ledger.quarantine(table, text, time_name, "time is not a number", "correct the time")
    table = ledger.exclude(table, table[[time_name, event_name]].isna().any(axis=1).to_numpy(), "missing outcome")
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


def event_flag(values: pd.Series, outcome: dict[str, Any]) -> pd.Series:
    """Booleans from an event column; the study's ``event_value`` decides, 0/1 and true/false need none.

    Raises
    ------
    DataError
        When the coding is not clear (say, 1/2 or words): lists the values found.
    """
    text = values.map(_plain)
    found = sorted(text.unique())
    wanted = outcome.get("event_value")
    if isinstance(wanted, bool) and set(found) <= set(EVENT_WORDS):  # YAML reads a plain `yes` as true
        return text.map(EVENT_WORDS).astype(bool) == wanted
    if wanted is None:
        if not set(found) <= set(EVENT_WORDS):
            raise DataError(
                f"event column {values.name!r} holds {', '.join(map(repr, found[:6]))}; "
                "say which value is an event: `event_value:`"
            )
        return text.map(EVENT_WORDS).astype(bool)
    if _plain(wanted) not in found:
        raise DataError(
            f"event column {values.name!r} never holds {wanted!r}; it holds {', '.join(map(repr, found[:6]))}"
        )
    if len(found) > 2:
        raise DataError(
            f"event column {values.name!r} holds more than two values ({', '.join(map(repr, found[:6]))}); "
            "competing events are not a single event: make a column with two values"
        )
    return text == _plain(wanted)


def _plain(value: Any) -> str:
    """One spelling for 1, 1.0, True, "Yes "."""
    if isinstance(value, bool | np.bool_):
        return "1" if value else "0"
    if isinstance(value, int | float | np.number):
        return f"{float(value):g}"
    return str(value).strip().casefold()


def _columns(table: pd.DataFrame, wanted: list[str]) -> list[str]:
    found: list[str] = []
    for pattern in wanted:
        named = [c for c in table.columns if c == pattern or fnmatch.fnmatchcase(c, pattern)]
        if not named:
            raise DataError(f"inputs: no column {pattern!r} among {', '.join(map(repr, table.columns[:20]))}")
        found += named
    return list(dict.fromkeys(found))


def _numeric_or_level(table: pd.DataFrame, column: str, most_levels: int = 12) -> pd.DataFrame:
    """Numbers stay numbers, a few words are levels of a category; anything else is an error that shows an example."""
    values = table[column]
    if pd.api.types.is_bool_dtype(values):
        return table.assign(**{column: values.astype(float)})
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.astype(float)
        infinite = np.isinf(numbers.to_numpy())
        if infinite.any():
            row = table.index[infinite][0]
            raise DataError(f"inputs: column {column!r}, row {row}: infinite; write an empty cell for a missing value")
        return table.assign(**{column: numbers})
    numbers = pd.to_numeric(values, errors="coerce")
    odd = values[numbers.isna() & values.notna()]
    if not len(odd) and numbers.notna().any() and column not in (SITE, FAMILY):
        return _numeric_or_level(table.assign(**{column: numbers}), column)  # numbers that were read as text
    if len(odd) and numbers.notna().sum() > 0.5 * values.notna().sum():
        raise DataError(
            f"inputs: column {column!r}, row {odd.index[0]}: {odd.iloc[0]!r} among numbers; correct it or write an empty cell"
        )
    words = values.map(lambda x: str(x).strip() if pd.notna(x) else None)
    if words.nunique() > most_levels:
        known = words.dropna()
        raise DataError(
            f"inputs: column {column!r} is text with {words.nunique()} different values "
            f"(row {known.index[0]}: {known.iloc[0]!r}); code it as numbers or as a few levels"
        )
    return table.assign(**{column: words})


def check_tolerance(ledger: Ledger, n_patients: int, tolerance: float, task: str) -> None:
    """Stop when more patients were quarantined than the study tolerates."""
    lost = {(row["cohort"], row["participant_id"] or row["row"]) for row in ledger.failures if row["stage"] != "note"}
    if lost and len(lost) > tolerance * n_patients:
        example = next(row for row in ledger.failures if row["stage"] != "note")
        raise DataError(
            f"task {task!r}: {len(lost)} of {n_patients} patients are in quarantine, "
            f"more than `tolerance: patients: {tolerance:g}`; the first: "
            f"{example['participant_id']} (row {example['row']}, column {example['column']!r}): {example['reason']}"
        )
