"""The people of a BIDS data set that is read in place: participants.tsv, their sessions, and the image of each."""

from pathlib import Path
from typing import Any

import pandas as pd

from triptych import raw, scans, visits
from triptych.bids import names
from triptych.errors import DataError
from triptych.ids import SESSION, canonical_id
from triptych.scans import Scan
from triptych.tables import failure

WHEN = (
    visits.DATE,
    "acq_time",
    "days",
)  # columns of sessions.tsv that order sessions; the last is that of our data sets


def read(cohort: str, named: str, root: Path | None, runs: str, failures: list[dict[str, Any]]) -> pd.DataFrame:
    """One row per participant and session, with what the data set says of both, and the path of the image in ``t1w``.

    Parameters
    ----------
    named
        The folder, as the study names it.
    runs
        Which scan is used where a session has several: ``first``, ``last`` or ``all``; with ``best`` the row
        is that of the first until scans are joined.
    failures
        Takes a row for each image that is not understood, for each participant without an image or image without a participant,
        and for each choice among repeated scans.

    Raises
    ------
    DataError
        For a participant who is listed twice, and for tables that cannot be read.
    """
    folder = raw.bids_folder(cohort, named, root)
    every = scans.of_folder(cohort, named, root)
    by_sub: dict[str, list[Scan]] = {}
    for scan in scans.used(every, "first" if runs == "best" else runs):
        by_sub.setdefault(scan.subject, []).append(scan)
    listed, notes = _listed(folder, list(by_sub)), Notes(cohort, failures)
    _note_images(notes, folder, every, runs)
    rows = []
    for person in listed:
        sub = person["participant_id"]
        mine = by_sub.get(sub, [])
        if not mine:
            notes.add(
                sub, "participants.tsv", "a participant without a T1-weighted image", "add the image, or leave it so"
            )
        sessions = _sessions(folder, sub)
        for scan in mine:
            more = {"participant_id": scan.participant_id, "session_id": scan.session_id, "run": scan.run}
            rows.append({**person, **sessions.get(scan.session, {}), **more, raw.BIDS_COLUMN: scan.file})
        empty: dict[str, Any] = {"run": "", raw.BIDS_COLUMN: None}
        others = [s for s in sessions if s not in {scan.session for scan in mine}] or ([] if mine else [SESSION])
        rows += [{**person, **sessions.get(s, {}), "session_id": s, **empty} for s in others]
    known = {person["participant_id"] for person in listed}
    for sub in by_sub:
        if sub not in known:
            notes.add(sub, f"{sub}/", "an image whose participant is not in participants.tsv", f"add a row for {sub}")
    return pd.DataFrame(rows)


class Notes:
    """Adds rows to the failures of a cohort that cost nobody: they are told, and nothing else happens."""

    def __init__(self, cohort: str, failures: list[dict[str, Any]]):
        self.cohort, self.failures = cohort, failures

    def add(self, who: str, file: str, reason: str, advice: str) -> None:
        """One row."""
        key = {"cohort": self.cohort, "participant_id": who}
        self.failures.append(failure("note", key, modality="t1w", file=file, reason=reason, advice=advice))


def _listed(folder: Path, subs: list[str]) -> list[dict[str, Any]]:
    """Rows of participants.tsv, each with the id as its folder spells it; without the file, whoever has an image."""
    path = folder / "participants.tsv"
    if not path.is_file():
        return [{"participant_id": sub} for sub in subs]
    table = _table(path, "participant_id")
    exact, alike = set(subs), {canonical_id(sub): sub for sub in reversed(subs)}
    ids = [f"sub-{names.label(text, 'sub-')}" for text in table["participant_id"]]
    ids = [sub if sub in exact else alike.get(canonical_id(sub), sub) for sub in ids]
    table["participant_id"] = ids
    twice = table[table["participant_id"].duplicated(keep=False)]
    if len(twice):
        who = twice["participant_id"].iloc[0]
        lines = table.index[table["participant_id"] == who]
        raise DataError(
            f"{path}: lines {lines[0] + 2} and {lines[1] + 2} are both {who}; a participant has one row, what changes between "
            f"sessions stands in {who}/{who}_sessions.tsv"
        )
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _sessions(folder: Path, sub: str) -> dict[str, dict[str, Any]]:
    """What ``sub-<label>_sessions.tsv`` says of each session."""
    path = folder / sub / f"{sub}_sessions.tsv"
    if not path.is_file():
        return {}
    table = _table(path, "session_id")
    ids = [f"ses-{names.label(text, 'ses-')}" for text in table["session_id"]]
    when = next((column for column in WHEN if column in table), None)
    if when:
        table = table.assign(**{visits.DATE: table[when]})
    rows = table.drop(columns="session_id").to_dict("records")
    return {
        session: {str(k): v for k, v in row.items() if k != "participant_id"}
        for session, row in zip(ids, rows, strict=True)
    }


def _table(path: Path, column: str) -> pd.DataFrame:
    raw.header(path)  # its errors say more than those of pandas
    try:
        table = pd.read_csv(path, sep="\t", dtype={column: str, "participant_id": str}, encoding="utf-8-sig")
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a table ({' '.join(str(error).split())})") from None
    if column not in table:
        raise DataError(f"{path}: no column {column!r}; it has {', '.join(map(repr, table.columns[:20]))}")
    table = table.dropna(subset=[column])
    return table.drop_duplicates()


def _note_images(notes: Notes, folder: Path, every: list[Scan], runs: str) -> None:
    for path in names.images(folder)[1]:
        notes.add(
            "",
            path.as_posix(),
            "no BIDS name, or not in the folder that it names: not read",
            "rename it to sub-<label>/[ses-<label>/]anat/sub-<label>[_ses-<label>]_T1w.nii.gz, or list it in .bidsignore",
        )
    subs: dict[str, set[str]] = {}
    sessions: dict[tuple[str, str], list[Scan]] = {}
    for scan in every:
        subs.setdefault(scan.participant_id, set()).add(scan.subject)
        sessions.setdefault((scan.participant_id, scan.session_id), []).append(scan)
    for who, spelt in subs.items():
        if len(spelt) > 1:
            reason = f"{' and '.join(sorted(spelt))} differ by case or zeros only; taken as one person"
            notes.add(who, f"{who}/", reason, "if they are two people, rename one")
    for (who, session), same in sessions.items():
        if len(same) > 1 and runs in ("first", "last"):
            kept = scans.used(same, runs)[0]
            reason = f"{len(same)} T1-weighted images in {session}; {kept.name} is used (`runs: {runs}`)"
            notes.add(who, kept.file, reason, "say `runs:` for another choice")
