"""The scans of a cohort: who, which session, which run, and where the file or the DICOM folder lies.

They come from a column of the user's table, from the pattern of a plug-in, or from a BIDS folder, and are known while the
workflow is parsed: each scan is a job.  Standard library only.  Whether a file can be used is not asked here: a broken scan
costs itself, later.
"""

import csv
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from triptych import plugins, raw, visits
from triptych.bids import names
from triptych.errors import DataError, did_you_mean
from triptych.ids import SESSION, canonical_id

COLUMN = "t1w"  # of scans, when the study names no other
OF_A_SCAN = ("series", visits.DATE)  # columns that, like the run and the path, may differ between scans of one session
EMPTY = ("", "n/a", "na", "nan", "none", "null")  # cells that name no file


@dataclass(frozen=True)
class Scan:
    """One T1-weighted scan.

    Attributes
    ----------
    participant_id, session_id
        As in the participants of the cohort.
    run
        Tells repeated scans of one session apart; empty when there is one.
    source
        The NIfTI file, or the folder or archive of DICOM files; it may be missing or broken.
    name
        ``sub-<label>[_ses-<label>][_run-<n>]``, unique in the cohort: the beginning of the names of its files.
    file
        The source as the table, the pattern or the BIDS folder names it.
    series
        DICOM Series Number, for a folder that holds several series; else empty.
    date
        What the table says of when it was made; else empty.
    """

    participant_id: str
    session_id: str
    run: str
    source: Path
    name: str
    file: str
    series: str = ""
    date: str = ""

    @property
    def subject(self) -> str:
        """``sub-<label>``."""
        return self.name.partition("_")[0]

    @property
    def session(self) -> str:
        """``ses-<label>``, or nothing when the cohort has no sessions."""
        return next((part for part in self.name.split("_") if part.startswith("ses-")), "")

    @property
    def anat(self) -> Path:
        """Folder of its anatomical images below the root of a BIDS data set."""
        return Path(self.subject, self.session, "anat")


@dataclass(frozen=True)
class Source:
    """What the study says about where the scans of a cohort are listed; see ``triptych.study.CohortEntry``."""

    table: str | None = None
    bids: str | None = None
    scans: str | None = None


def named(cohort: str, source: dict[str, Any], root: Path | None, name: str) -> Scan:
    """One scan of a cohort, by its name.

    Raises
    ------
    DataError
        When there is none of that name (any more).
    """
    found = {scan.name: scan for scan in scans(cohort, Source(**source), root)}
    if name not in found:
        raise DataError(f"cohort {cohort!r} has no scan {name!r}{did_you_mean(name, found)}")
    return found[name]


def scans(cohort: str, entry: Any, root: Path | None) -> list[Scan]:
    """All scans of a cohort, by person, session and run in the order of time (``triptych.visits``).

    Parameters
    ----------
    entry
        What the study says of the cohort (``triptych.study.CohortEntry``), or None.
    root
        Data root, or None.

    Raises
    ------
    DataError
        When the table, pattern or folder cannot say what its scans are, or two scans would have one name.
    """
    if entry is not None and entry.bids:
        return of_folder(cohort, entry.bids, root)
    if entry is not None and entry.table:
        found = _of_table(Path(entry.table).expanduser(), entry.scans or COLUMN, root)
    else:
        found = _of_pattern(cohort, (entry.scans if entry else None) or COLUMN, root)
    return _in_order(found)


def of_folder(cohort: str, named: str, root: Path | None) -> list[Scan]:
    """All scans of a BIDS data set, ordered.

    ``sub-1`` and ``sub-01`` are taken as one person, so that they can never be on two sides of a split; where both were
    scanned in a session of one name, the second one's is called ``<session>_<sub-label>``.
    """
    folder = raw.bids_folder(cohort, named, root)
    paths, unmatched = names.images(folder)
    if not paths:
        shown = f"; not understood: {', '.join(map(str, unmatched[:10]))}" if unmatched else ""
        raise DataError(
            f"{folder}: no T1-weighted image in this BIDS folder (cohort {cohort!r}); they are called "
            f"sub-<label>/[ses-<label>/]anat/sub-<label>[_ses-<label>]_T1w.nii.gz{shown}"
        )
    found: list[tuple[str, Scan]] = []
    people: dict[str, str] = {}
    takes: dict[tuple[str, str], str] = {}
    for path in paths:
        said = names.T1W.fullmatch(path.name)
        assert said
        sub, session = f"sub-{said['sub']}", f"ses-{said['ses']}" if said["ses"] else SESSION
        who = people.setdefault(canonical_id(sub), sub)
        if takes.setdefault((who, session), sub) != sub:
            session = f"{session}_{sub}"
        run, file = said["rest"].strip("_").removeprefix("run-"), raw.bids_file(named, path)
        found.append((str(path), Scan(who, session, run, folder / path, names.stem(path), file)))
    return _in_order(_distinct(found, str(folder)))


def _in_order(found: list[Scan]) -> list[Scan]:
    """By the names of people, and for each by sessions and runs in the order of time."""
    people: dict[str, list[Scan]] = {}
    for scan in sorted(found, key=lambda scan: names.natural(scan.subject)):
        people.setdefault(scan.participant_id, []).append(scan)
    ordered = []
    for mine in people.values():
        for session in visits.sessions((scan.session_id, visits.moment(scan.date)) for scan in mine):
            runs = [scan for scan in mine if scan.session_id == session]
            ordered += visits.in_time(
                runs, lambda scan: visits.moment(scan.date), lambda scan: names.natural(scan.name)
            )
    return ordered


def used(found: list[Scan], runs: str) -> list[Scan]:
    """The scans that a study looks at where a session has several: the first, the last, or all, as ``found`` has them in order.

    With ``best`` these are all, too: which one is used is known when they were preprocessed (``triptych.mri.choosing``). With
    ``all`` each run is a row of its own among the participants, and its session is called ``<session>_run-<run>``.
    """
    if runs == "best":
        return found
    sessions: dict[tuple[str, str], list[Scan]] = {}
    for scan in found:
        sessions.setdefault((scan.participant_id, scan.session_id), []).append(scan)
    if runs == "all":
        return [
            replace(scan, session_id=f"{scan.session_id}_run-{scan.run}") if len(same) > 1 and scan.run else scan
            for same in sessions.values()
            for scan in same
        ]
    return [same[0 if runs == "first" else -1] for same in sessions.values()]


def digests(found: list[Scan]) -> dict[str, str]:
    """Name of the scan: a hash of the content of its file or folder, and the series; touching it changes nothing, and a
    source that is not there is ``missing``.
    """
    there = [scan.source for scan in found if scan.source.exists()]
    known = raw.sha256_of(list(dict.fromkeys(there)))
    return {s.name: f"{known.get(s.source, 'missing')[:16]}{f' series {s.series}' if s.series else ''}" for s in found}


# ---- a column of the user's table ----


def _of_table(path: Path, column: str, root: Path | None) -> list[Scan]:
    known = raw.header(path)
    for wanted in ("participant_id", column):
        if wanted not in known:
            hint = "" if wanted != column else "; say `scans: <column>` in the study's cohort"
            raise DataError(f"{path}: no column {wanted!r}{did_you_mean(wanted, known)}{hint}")
    rows = list(_rows(path, ["participant_id", "session_id", "run", "series", visits.DATE, column]))
    people: dict[str, str] = {}  # the first spelling of an id is that of the person
    for _, row in rows:
        people.setdefault(canonical_id(row["participant_id"]), row["participant_id"])
    with_sessions = any(row["session_id"] not in ("", SESSION) for _, row in rows)
    found = []
    for line, row in rows:
        if row["participant_id"] and row[column].casefold() not in EMPTY:
            who = people[canonical_id(row["participant_id"])]
            session = row["session_id"] or SESSION
            source = raw.image_path(row[column], str(path), root)
            name = _name(who, session if with_sessions else "", row["run"], f"{path}, row {line}")
            facts = (row["run"], source, name, row[column], row["series"], row[visits.DATE])
            found.append((f"row {line}", Scan(who, session, *facts)))
    return _distinct(found, str(path))


def _rows(path: Path, columns: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and stripped cells of a table; a column that is not there is empty."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream, delimiter=raw.delimiter(path))
        try:
            for row in reader:
                yield reader.line_num, {column: (row.get(column) or "").strip() for column in columns}
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}, row {reader.line_num + 1}: not UTF-8 text ({error.reason}); save it as UTF-8"
            ) from None


# ---- the pattern of a plug-in ----


def _of_pattern(cohort: str, column: str, root: Path | None) -> list[Scan]:
    patterns = plugins.describe("cohorts", cohort).literals.get("IMAGES", {})
    if column not in patterns:
        raise DataError(f"cohort {cohort!r} names no images {column!r} in IMAGES{did_you_mean(column, patterns)}")
    pattern = patterns[column]
    fields = re.findall(r"\{(.*?)\}", pattern)
    strange = [field for field in fields if field not in ("participant_id", "session_id", "run")]
    if "participant_id" not in fields or strange:
        raise DataError(
            f"cohort {cohort!r}, IMAGES {column!r}: {pattern!r} must hold {{participant_id}}, and may hold {{session_id}} and "
            "{run}; nothing else is known before the cohort is read"
        )
    if root is None:
        raise DataError(f"cohort {cohort!r} needs a data root for {pattern}; set `data_root:` or TRIPTYCH_DATA")
    reads, found = re.compile(_as_expression(pattern)), []
    for path in sorted(root.glob(re.sub(r"\{.*?\}", "*", pattern))):
        file = path.relative_to(root).as_posix()
        if said := reads.fullmatch(file):
            row = said.groupdict()
            who, session, run = row["participant_id"], row.get("session_id", ""), row.get("run", "")
            found.append((file, Scan(who, session or SESSION, run, path, _name(who, session, run, file), file)))
    if not found:
        raise DataError(f"cohort {cohort!r}: no file {pattern} below the data root {root}; check `data_root:`")
    return _distinct(found, f"cohort {cohort!r}")


def _as_expression(pattern: str) -> str:
    """A regular expression whose groups are the fields of a pattern; a field that comes again must say the same."""
    parts, seen = [], set()
    for text, field in re.findall(r"([^{]*)(?:\{(.*?)\})?", pattern):
        parts.append(re.escape(text))
        if field:
            parts.append(f"(?P={field})" if field in seen else f"(?P<{field}>[^/]+?)")
            seen.add(field)
    return "".join(parts)


# ---- names ----


def _name(who: str, session: str, run: str, place: str) -> str:
    """The BIDS name of a scan of a table or pattern."""
    parts = [("sub-", names.label(who, "sub-"), who), ("ses-", names.label(session, "ses-"), session)]
    number = run.removeprefix("run-")
    if run and not number.isdecimal():
        raise DataError(f"{place}: the run {run!r} is no number; repeated scans of one session are counted 1, 2, 3")
    for what, text in (("session_id", session), ("run", run)):
        if names.is_date(text):
            raise DataError(
                f"{place}: the {what} {text!r} is a date, and would become part of file names, where no date may stand; call it "
                "by visit (M6, or 1, 2, 3), and give the date in a column `scan_date`, which orders sessions and is not published"
            )
    for prefix, text, written in parts:
        if written and not text:
            raise DataError(
                f"{place}: {written!r} has no letter or digit to make a BIDS label {prefix}<label> of; rename it"
            )
    named = [f"{prefix}{text}" for prefix, text, _ in parts if text]
    return "_".join([*named, *([f"run-{int(number)}"] if run else [])])


def _distinct(found: list[tuple[str, Scan]], where: str) -> list[Scan]:
    """The scans, once it is clear that each has a name of its own, on any file system, and each label stands for one person."""
    by_name: dict[str, tuple[str, Scan]] = {}
    by_label: dict[str, str] = {}
    for place, scan in found:
        other = by_name.setdefault(scan.name.casefold(), (place, scan))
        if other[1] != scan:
            advice = (
                "give one another session_id or run" if other[1].participant_id == scan.participant_id else "rename one"
            )
            raise DataError(
                f"{where}: {other[0]} ({other[1].file}) and {place} ({scan.file}) would both be called {scan.name}; {advice}"
            )
        person = by_label.setdefault(scan.subject.casefold(), scan.participant_id)
        if person != scan.participant_id:
            raise DataError(
                f"{where}: the participants {person!r} and {scan.participant_id!r} would both be called {scan.subject}, "
                "since BIDS labels hold letters and digits only; rename one"
            )
    return [scan for _, scan in by_name.values()]
