"""What a BIDS data set holds beside its images: its description, its people, and their sessions in the order of time."""

from datetime import datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from triptych import raw, tables, visits
from triptych.bids import archive, layout, slices, validator
from triptych.bids.verdict import BETWEEN
from triptych.scans import Scan, Source
from triptych.scans import scans as list_scans

BIDS_VERSION = "1.10.0"
OLDEST = 89  # years; older people can be known by their age
SEX = {"m": "M", "male": "M", "man": "M", "f": "F", "female": "F", "woman": "F", "o": "O", "other": "O"}
COLUMNS = [
    "cohort",
    "participant_id",
    "session_id",
    "run",
    "name",
    "status",
    "reason",
    "advice",
    "notes",
    "voxels",
    "days",
]
ABOUT = {
    "age": {"Description": f"age of the participant; {OLDEST} stands for {OLDEST} and older", "Units": "year"},
    "sex": {"Description": "sex of the participant", "Levels": {"M": "male", "F": "female", "O": "other"}},
    "days": {"Description": "days since the first session of the participant; dates are not published", "Units": "day"},
}
README = """\
# {cohort}

T1-weighted images of {people} people in {scans} scans, made by Triptych from DICOM or NIfTI files.

What says who a person is, where and when they were scanned was left out: sidecars hold acquisition parameters only, headers
of images hold no text, and sessions have days since the first one instead of dates. Faces were not removed. The intensities
are those of the original images.
"""


def finish(
    cohort: str, source: dict[str, Any], root: Path | None, participants: pd.DataFrame, folder: Path, bids: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Complete the data set of a cohort, and have it validated.

    Parameters
    ----------
    source
        ``table``, ``bids`` and ``scans`` of the study's cohort.
    folder
        Holds ``<scan>/bids.json`` of every scan.
    bids
        The data set that is made; one that is read in place is left as it is.

    Returns
    -------
    listing, issues
        Every scan with what was said of it, and what the BIDS validator found.

    Raises
    ------
    DataError
        When the validator finds errors in a data set that was made here.
    """
    found = list_scans(cohort, Source(**source), root)
    statuses = {scan.name: tables.read_json(folder / scan.name / "bids.json") for scan in found}
    if source.get("bids"):
        issues = validator.validate(raw.bids_folder(cohort, source["bids"], root))
    else:
        write(cohort, found, statuses, participants, bids)
        issues = validator.validate(bids)
        validator.refuse_errors(issues, bids)
    return listing(cohort, found, statuses, participants), issues


def write(
    cohort: str,
    scans: list[Scan],
    statuses: dict[str, dict[str, Any]],
    participants: pd.DataFrame,
    bids: Path,
) -> None:
    """Write the files of a data set whose images are there, and remove images of scans that are no longer part of it.

    Parameters
    ----------
    statuses
        Name of the scan: what ``making.make`` said of it.
    participants
        Participants of the cohort; ``age``, ``sex`` or ``gender`` are published, ``scan_date`` orders sessions and is not.
    bids
        The folder.
    """
    usable = [scan for scan in scans if statuses[scan.name]["status"] == "ok"]
    _remove_others(bids, usable)
    described = {"Name": cohort, "BIDSVersion": BIDS_VERSION, "DatasetType": "raw"}
    by = [{"Name": "Triptych", "Version": version("triptych")}]
    tables.write({**described, "GeneratedBy": by}, bids / "dataset_description.json")
    by_subject: dict[str, list[Scan]] = {}
    for scan in usable:
        by_subject.setdefault(scan.subject, []).append(scan)
    tables.write(README.format(cohort=cohort, people=len(by_subject), scans=len(usable)), bids / "README.md")
    said, people, with_sessions = _said(participants), [], any(scan.session for scan in usable)
    for subject, mine in by_subject.items():
        rows = sessions(mine, dates(mine, participants))
        keys = {scan.session: (scan.participant_id, scan.session_id) for scan in mine}
        facts = [said.get(keys[row["session_id"]], {}) for row in rows]
        people.append({"participant_id": subject, **facts[0]})
        if with_sessions:
            ages = [{"age": fact["age"]} if "age" in fact else {} for fact in facts]
            table = pd.DataFrame([{**row, **age} for row, age in zip(rows, ages, strict=True)])
            tables.write(table, bids / subject / f"{subject}_sessions.tsv")
    table = pd.DataFrame(
        people, columns=["participant_id", *dict.fromkeys(c for row in people for c in row if c in ABOUT)]
    )
    if people:
        tables.write(table.fillna("n/a"), bids / "participants.tsv")
        tables.write({column: ABOUT[column] for column in table if column in ABOUT}, bids / "participants.json")
    else:  # the validator wants no empty list
        (bids / "participants.tsv").unlink(missing_ok=True)
    if with_sessions:
        tables.write(
            {"days": ABOUT["days"], **({"age": ABOUT["age"]} if "age" in table else {})}, bids / "sessions.json"
        )


def dates(scans: list[Scan], participants: pd.DataFrame) -> dict[str, datetime]:
    """Name of the scan: when it was made, from the table's column ``scan_date`` or the DICOM headers, where they say."""
    said: dict[tuple[str, str], datetime] = {}
    if visits.DATE in participants:
        mine = participants[participants["participant_id"] == scans[0].participant_id]
        days = zip(_keys(mine), map(visits.moment, mine[visits.DATE]), strict=True)
        said = {key: day for key, day in days if day}
    found = {scan.name: said.get((scan.participant_id, scan.session_id)) or _header_date(scan) for scan in scans}
    return {name: day for name, day in found.items() if day}


def sessions(scans: list[Scan], dated: dict[str, datetime]) -> list[dict[str, Any]]:
    """Rows of the sessions of one person in the order of time (``triptych.visits``), with days since the first one.

    Parameters
    ----------
    dated
        Name of the scan: when it was made.
    """
    first = visits.sessions((scan.session, dated.get(scan.name)) for scan in scans)
    start = min((day for day in first.values() if day), default=None)
    days = [(day.date() - start.date()).days if day and start else "n/a" for day in first.values()]
    return [{"session_id": session, "days": n} for session, n in zip(first, days, strict=True)]


def listing(
    cohort: str, scans: list[Scan], statuses: dict[str, dict[str, Any]], participants: pd.DataFrame
) -> pd.DataFrame:
    """Every scan with what was said of it, and every participant without one.

    Noted are copies under another id, session or run, and DICOM headers that date scans in another order than the table or
    their names.  ``voxels`` is the hash by which copies are found; ``days`` since the person's first scan by the DICOM headers.
    """
    copies: dict[str, list[Scan]] = {}
    for scan in scans:
        if content := statuses[scan.name]["voxels"]:
            copies.setdefault(content, []).append(scan)
    headers = {scan.name: day for scan in scans if (day := _header_date(scan))}
    odd = _misplaced(scans, headers)
    first: dict[str, datetime] = {}
    for scan in scans:
        if day := headers.get(scan.name):
            first[scan.participant_id] = min(day, first.get(scan.participant_id, day))
    rows = []
    for scan in scans:
        said = statuses[scan.name]
        others = [other for other in copies.get(said["voxels"], []) if other != scan]
        notes = [*said["notes"], *odd.get(scan.name, [])]
        notes += [f"the same image as {other.name} (participant {other.participant_id!r})" for other in others]
        status = "warn" if said["status"] == "ok" and notes else said["status"]
        who = [cohort, scan.participant_id, scan.session_id, scan.run, scan.name]
        day = headers.get(scan.name)
        days = (day.date() - first[scan.participant_id].date()).days if day else ""
        rows.append([*who, status, said["reason"], said["advice"], BETWEEN.join(notes), said["voxels"], days])
    with_scan = {scan.participant_id for scan in scans}
    without = [who for who in dict.fromkeys(participants["participant_id"]) if who not in with_scan]
    told = ["none", "a participant without a scan", "add it, or leave it so", "", "", ""]
    return pd.DataFrame([*rows, *([cohort, who, "", "", "", *told] for who in without)], columns=COLUMNS)


def _misplaced(scans: list[Scan], headers: dict[str, datetime]) -> dict[str, list[str]]:
    """Name of the scan: a note, where its DICOM header dates it before the scan of the person that it follows."""
    dated = [scan for scan in scans if scan.name in headers]
    told = (
        "the DICOM header dates it before {}, which it follows by scan_date or by name: correct the dates or the names"
    )
    return {
        scan.name: [told.format(before.name)]
        for before, scan in pairwise(dated)
        if before.participant_id == scan.participant_id and headers[scan.name] < headers[before.name]
    }


def _said(participants: pd.DataFrame) -> dict[tuple[str, str], dict[str, str]]:
    """Participant and session: age and sex, where the cohort's table has them."""
    folded = {str(column).casefold(): column for column in participants}
    columns: dict[str, list[str]] = {}
    if "age" in folded:
        ages = pd.to_numeric(participants[folded["age"]], errors="coerce").clip(upper=OLDEST)
        columns["age"] = ["n/a" if pd.isna(age) else f"{age:.4g}" for age in ages]
    if column := folded.get("sex", folded.get("gender")):
        columns["sex"] = [SEX.get(str(value).strip().casefold(), "n/a") for value in participants[column]]
    rows = zip(*columns.values(), strict=True) if columns else [()] * len(participants)
    return {key: dict(zip(columns, row, strict=True)) for key, row in zip(_keys(participants), rows, strict=True)}


def _keys(participants: pd.DataFrame) -> list[tuple[str, str]]:
    """Participant and session of each row; runs that are rows of their own belong to one session."""
    sessions = participants["session_id"].str.partition("_run-")[0]
    return list(zip(participants["participant_id"], sessions, strict=True))


def _header_date(scan: Scan) -> datetime | None:
    if not archive.holds_dicom(scan.source):
        return None
    with archive.opened(scan.source) as folder:
        return slices.when(folder)


def _remove_others(bids: Path, usable: list[Scan]) -> None:
    """An image of an earlier run whose scan is no longer part of the data set, and tables of people who have none."""
    wanted = {path(bids, scan) for scan in usable for path in (layout.image_path, layout.sidecar_path)}
    for path in sorted(bids.glob("sub-*/**/*"), reverse=True):
        if path.is_file() and path not in wanted:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    for folder in bids.glob("sub-*"):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
