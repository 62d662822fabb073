"""From cohorts to examples: participants with unified ids, an outcome that means what it says, and blocks of inputs.

Bad rows cost one patient, never the run and never silence: each leaves a row in ``failures``, and ``flow`` counts who stayed.
"""

import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triptych import plugins, raw, visits
from triptych.bids import people as bids_people
from triptych.bids.names import natural, session_order
from triptych.errors import DataError, did_you_mean
from triptych.ids import SESSION
from triptych.ledger import Ledger
from triptych.mri.columns import PREFIX, STATUS, T1W, is_image
from triptych.outcomes import OUTCOME, READ, holds, plain_word
from triptych.scans import COLUMN, OF_A_SCAN
from triptych.tables import FAMILY, KEY, PERSON, ROW, RUN, SITE, Examples, failure, unify_ids

SET_ASIDE = ("quarantined", "outlier")  # what is said of scans that are there and not used
CONTROL = "control-"  # begins the blocks of negative controls (``triptych.controls``)


def read_cohort(
    cohort: str,
    table: str | None,
    root: str | None,
    *,
    bids: str | None = None,
    scans: str | None = None,
    runs: str = "first",
) -> tuple[pd.DataFrame, Ledger]:
    """Participants of one cohort with checked keys.

    Parameters
    ----------
    cohort
        Name of the cohort, and of the plug-in when there is neither a table nor a BIDS folder.
    table
        A file of the user's own, or None.
    root
        Data root, or None.
    bids
        Folder of a BIDS data set, or None.
    scans
        Column of the table with the paths of scans, or None.
    runs
        ``first``, ``last``, ``best`` or ``all`` of the scans of a session that were repeated; ``all``: each is a row of its own;
        ``best``: the row of the first, until scans are joined.

    Returns
    -------
    participants, ledger
        One row per participant and session; ``site`` and ``family_id`` are text when present.

    Raises
    ------
    DataError
        For rows that contradict each other, naming both.
    """
    ledger = Ledger()
    if bids:
        found = bids_people.read(cohort, bids, Path(root) if root else None, runs, ledger.failures)
    elif table:
        found = _read_table(Path(table).expanduser())
    else:
        found = plugins.load("cohorts", cohort).participants(Path(root) if root else None)
    if "participant_id" not in found:
        raise DataError(
            f"{table or bids or cohort}: no column 'participant_id'; it has {', '.join(map(repr, found.columns[:20]))}"
        )
    found = found.assign(cohort=cohort).rename_axis(index=ROW)
    if "session_id" not in found:
        found["session_id"] = SESSION
    for column in (c for c in ("session_id", SITE, FAMILY) if c in found):
        found[column] = found[column].map(lambda x: (str(x).strip() or None) if pd.notna(x) else None)
    found["session_id"] = found["session_id"].fillna(SESSION)
    file = table or bids or cohort
    found = _unified(found, ledger, file)
    _note_dates(found, ledger, file)
    if table and RUN in found and (scans or COLUMN) in found:
        found = _one_row_per_run(found, scans or COLUMN, runs, ledger, file)
    return _one_row_each(found, ledger, file), ledger


def _one_row_per_run(found: pd.DataFrame, column: str, runs: str, ledger: Ledger, file: str) -> pd.DataFrame:
    """Rows of repeated scans: the one that is used, or each under a session of its own (see ``triptych.scans.used``)."""
    found[RUN] = found[RUN].map(lambda x: str(x).strip() if pd.notna(x) else "")
    for _, rows in found.groupby(KEY, sort=False):
        if len(rows) < 2 or rows[RUN].nunique() < len(rows):
            continue
        number = {row: natural(run.removeprefix("run-")) for row, run in rows[RUN].items()}
        order = visits.in_time(rows.index, _moments(rows).__getitem__, number.__getitem__)
        if runs == "all":
            sessions = [f"{found.loc[row, 'session_id']}_run-{found.loc[row, RUN]}" for row in order]
            found.loc[order, "session_id"] = sessions
            continue
        others = rows.drop(columns=[RUN, column, *OF_A_SCAN], errors="ignore")
        if len(others.drop_duplicates()) == 1:  # rows that differ in more are told by what follows
            kept = order[-1 if runs == "last" else 0]
            found = found.drop(index=[row for row in order if row != kept])
            if runs == "best":
                continue
            facts = {"file": file, "row": kept, "column": RUN, "modality": column}
            reason = f"{len(rows)} scans of one session; run {found.loc[kept, RUN]} is used"
            key = {name: found.loc[kept, name] for name in KEY}
            ledger.failures.append(
                failure("note", key, **facts, reason=reason, advice="say `runs:` for another choice")
            )
    return found


def _read_table(path: Path) -> pd.DataFrame:
    """A table of the user's own; the index is the line of the file, to be named in messages."""
    raw.header(path)  # its errors say more than those of pandas
    text = dict.fromkeys(["participant_id", "session_id", RUN, SITE, FAMILY, visits.DATE], str)
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
    exclude: dict[str, list[Any]] | None = None,
    sessions: str = "all",
) -> Examples:
    """The examples of one task: rows with a usable outcome, and the columns of each block of inputs.

    Parameters
    ----------
    exclude
        Column: values; such rows leave before anything looks at the outcome.  Who they were is kept in the ledger.
    sessions
        ``all``, or ``baseline``: of each person the first session that is left.

    Raises
    ------
    DataError
        When nobody or no event is left, the outcome is constant or its coding is not clear, or an input is not usable.
    """
    if kind not in READ:
        raise DataError(
            f"task {task!r}: no stage for {kind} outcomes from tables yet; bring predictions made elsewhere"
        )
    ledger.task = task
    ledger.count("read", "in the cohort's table", participants)
    choice = participants.drop(columns=KEY)  # an id is no input, not even of a pattern such as c*
    blocks = {block: _columns(choice, wanted) for block, wanted in inputs.items()}
    needed = list(dict.fromkeys(column for columns in blocks.values() for column in columns))
    named = [outcome[role] for role in ("time", "event", "label", "value") if outcome.get(role)]
    leaks = [c for c in (*named, *OUTCOME[kind]) if c in needed]
    if leaks:
        raise DataError(
            f"task {task!r}: the inputs take the column {leaks[0]!r}, which is the outcome or has its name (target leak); "
            "name the inputs without it, or rename the column"
        )
    table = _excluded_by_rule(participants, exclude or {}, ledger)
    claimed = [column for block, columns in blocks.items() if not block.startswith(CONTROL) for column in columns]
    scans = [T1W] if any(column.startswith(PREFIX) for column in claimed) and T1W in table else []
    table = _with_scan(table, list(dict.fromkeys([*scans, *filter(is_image, needed)])), ledger)
    if sessions == "baseline":
        table = _baseline(table, ledger)
    table = READ[kind](table, outcome, ledger)
    for column in (c for c in needed if not is_image(c)):
        try:
            table = _numeric_or_level(table, column)
        except DataError as error:
            readers = [block for block, columns in blocks.items() if column in columns]
            control = all(block.startswith(CONTROL) for block in readers)
            advice = f"; only the negative control {readers[0]!r} reads it: leave it out by `roles:` or `controls:`"
            raise DataError(f"{error}{advice if control else ''}") from None
    contents = [f"{c}_sha256" for c in needed if is_image(c)]  # so that an image that changed is another input
    kept = [*KEY, *(c for c in (SITE, FAMILY, *contents) if c in table), *OUTCOME[kind]]
    ledger.count("kept", "with outcome", table, events=kind == "survival")
    return Examples(table[list(dict.fromkeys([*kept, *needed]))].reset_index(drop=True), blocks, kind)


def _excluded_by_rule(participants: pd.DataFrame, exclude: dict[str, list[Any]], ledger: Ledger) -> pd.DataFrame:
    """Leave out rows whose column holds one of some values.

    Raises
    ------
    DataError
        For a value that the column never holds: a misspelt rule would leave nobody out.
    """
    everyone = participants
    for column, values in exclude.items():
        for value in values:
            if not holds(everyone[column], value).any():
                known = did_you_mean(plain_word(value), everyone[column].dropna().map(plain_word).unique())
                raise DataError(f"task {ledger.task!r}: `exclude:` {column!r} never holds {value!r}{known}")
        bad = np.any([holds(participants[column], value) for value in values], axis=0)
        reason = f"{column} is {' or '.join(map(str, values))}"
        ledger.leave_out(participants[bad], column, reason)
        participants = ledger.exclude(participants, bad, f"left out by rule: {reason}")
    return participants


def _baseline(participants: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    """The first session of each person, in the order of time (``triptych.visits``)."""
    when, ids = list(_moments(participants).values), participants["session_id"].astype(str).to_list()
    later = np.ones(len(participants), bool)
    for places in participants.groupby(PERSON, sort=False).indices.values():
        later[visits.in_time(places, when.__getitem__, lambda k: session_order(ids[k]))[0]] = False
    return ledger.exclude(participants, later, "a later session")


def _moments(table: pd.DataFrame) -> pd.Series:
    """When each row's scan was made, as its column ``scan_date`` says; None where it does not."""
    said = map(visits.moment, table[visits.DATE]) if visits.DATE in table else [None] * len(table)
    return pd.Series(list(said), index=table.index, dtype=object)


def _note_dates(found: pd.DataFrame, ledger: Ledger, file: str) -> None:
    """Dates that cannot be read order nothing, which is told; they are not repeated, since no date is published."""
    if visits.DATE not in found:
        return
    for row in found.index[found[visits.DATE].map(visits.unclear).to_numpy(bool)]:
        facts = {"file": file, "row": row, "column": visits.DATE}
        reason = "the date is not understood: the sessions of this person follow their names"
        advice = "write it as 2019-06-11, or give a number of days since any one day"
        key = {name: found.loc[row, name] for name in KEY} if not found.index.has_duplicates else {}
        ledger.failures.append(failure("note", key, **facts, reason=reason, advice=advice))


def _with_scan(table: pd.DataFrame, columns: list[str], ledger: Ledger) -> pd.DataFrame:
    """Set aside rows without a usable scan, told by columns of paths; the outcome is not looked at.

    A scan that was quarantined counts against the tolerance; people who were never scanned do not.
    """
    for column in columns:
        bad = table[column].isna().to_numpy() | (table[column].astype(str).str.strip() == "").to_numpy()
        for index, row in table[bad].iterrows():
            broken = row.get(STATUS, "none") == "quarantined"
            reason = f"no usable scan: {row[STATUS]}" if STATUS in table else "no usable scan"
            facts = {"modality": "mri", "row": index, "column": column, "reason": reason}
            advice = (
                "see the failures of scans; correct the scan, or raise `tolerance: patients:`" if broken else "add one"
            )
            stage = "scan" if broken else "note"
            ledger.failures.append(failure(stage, {name: row[name] for name in KEY}, **facts, advice=advice))
        status = table.loc[bad, STATUS] if STATUS in table else pd.Series("none", index=table.index[bad])
        kinds = status.isin(SET_ASIDE).map({True: "scan set aside", False: "no scan"})
        ledger.leave_out(table[bad], column, "no usable scan", kinds.to_numpy())
        table = ledger.exclude(table, bad, "no usable scan")
    return table


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
    if words.nunique() > most_levels and column != SITE:  # every hospital is a level
        known = words.dropna()
        raise DataError(
            f"inputs: column {column!r} is text with {words.nunique()} different values "
            f"(row {known.index[0]}: {known.iloc[0]!r}); code it as numbers or as a few levels"
        )
    return table.assign(**{column: words})
