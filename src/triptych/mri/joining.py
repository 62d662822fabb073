"""What the scans of a cohort gave, beside its participants."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triptych import scans
from triptych.bids.verdict import BETWEEN
from triptych.mri import choosing
from triptych.mri.columns import ACQUISITION_WORDS, BACKGROUND, COLUMNS, IMAGES, QUALITY, REGIONS, STATUS, T1W
from triptych.mri.quality import distances
from triptych.scans import COLUMN
from triptych.tables import FAILURES, KEY, RUN, failure, read_json

FEWEST = 10  # scans, from which on one can be called unlike the others
NO_SCAN = "none"


@dataclass(frozen=True)
class ScanResult:
    """One scan: whose, its name, its status file's content, and its run."""

    participant_id: str
    session_id: str
    name: str
    file: str
    status: dict[str, Any]
    run: str = ""


def results(cohort: str, source: dict[str, Any], runs: str, root: Path | None, folder: Path) -> list[ScanResult]:
    """The scans of a cohort that a study uses, with what came of each.

    Parameters
    ----------
    source, runs
        What the study says of the cohort's scans (``triptych.scans``).
    root
        Data root, or None.
    folder
        Holds ``<scan>/preprocessed.json`` of every scan.
    """
    used = scans.used(scans.scans(cohort, scans.Source(**source), root), runs)
    statuses = (read_json(folder / scan.name / "preprocessed.json") for scan in used)
    return [
        ScanResult(scan.participant_id, scan.session_id, scan.name, scan.file, status, scan.run)
        for scan, status in zip(used, statuses, strict=True)
    ]


def join(
    participants: pd.DataFrame,
    results: list[ScanResult],
    outliers: float | None = None,
    listing: pd.DataFrame | None = None,
    column: str = COLUMN,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Add the columns of ``triptych.mri.columns`` to the participants of a cohort.

    Parameters
    ----------
    participants
        One row per participant and session.
    results
        The scans of each session; of several the best is used (``triptych.mri.choosing``).
    outliers
        Robust distance of the quality measures beyond which a scan is not used; None: no scan leaves for that.
    listing
        ``bids_scans.tsv`` of the cohort, for the notes of its scans.
    column
        Of the participants, with the path of the scan.

    Returns
    -------
    imaged, failures, quality
        The participants; a row for each scan that cannot be used or has no participant; and one row per scan with its measures,
        distance from the others and the measure that is oddest, the oddest scan first.
    """
    table = quality_table(results, listing)
    far = set() if outliers is None else set(table.loc[table["distance"] > outliers, "name"])
    known = set(zip(participants["participant_id"], participants["session_id"], strict=True))
    by_name = {result.name: result for result in results}
    instead = choosing.instead((((r.participant_id, r.session_id), r.name, r.status) for r in results), far)
    others = _other_runs(results, listing)
    rows, failures = [], []
    for result in results:
        status = result.status["status"]
        key = {
            "cohort": participants["cohort"].iloc[0],
            "participant_id": result.participant_id,
            "session_id": result.session_id,
        }
        about = {"modality": "t1w", "file": result.file}
        if (result.participant_id, result.session_id) not in known:
            reason = "an image of somebody who is not among the participants"
            failures.append(failure("note", key, **about, reason=reason, advice="add the row, or remove the image"))
            continue
        if result.name in instead:
            kept = by_name[instead[result.name]]
            reason, advice = choosing.told(result.name, result.status, kept.name, kept.status)
            failures.append(failure("note", key, **about, reason=reason, advice=advice))
            continue
        if status != "ok":
            advice = f"{result.status['advice']}{others.get(result.name, '')}"
            failures.append(failure("scan", key, **about, reason=result.status["reason"], advice=advice))
        elif result.name in far:
            status = "outlier"
            odd = table.set_index("name").loc[result.name]
            reason = f"unlike the other scans: robust distance {odd['distance']:.1f}, most of all {odd['oddest']}"
            advice = "look at its picture; `outliers:` in the study says how far a scan may be"
            failures.append(failure("note", key, **about, reason=reason, advice=advice))
        rows.append({**{k: key[k] for k in KEY}, STATUS: status, **_columns(result, usable=status == "ok")})
    table = _not_used(table, instead)
    found = pd.DataFrame(rows, columns=[*KEY, STATUS, *_all_columns(results)])
    participants = _of_the_run(participants, [by_name[kept] for kept in set(instead.values())], column)
    index = participants.index
    imaged = participants.merge(found, on=KEY, how="left", validate="1:1").set_axis(index)
    imaged[STATUS] = imaged[STATUS].fillna(NO_SCAN)
    for row in imaged.loc[imaged[STATUS] == NO_SCAN, KEY].to_dict("records"):
        advice = "add the image, or leave it so: tasks that need one do without this row"
        failures.append(
            failure("note", row, modality="t1w", reason="no T1-weighted scan of this session", advice=advice)
        )
    return imaged, pd.DataFrame(failures, columns=FAILURES), table


def quality_table(results: list[ScanResult], listing: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per scan: key, name, status, reason, notes, picture, measures, robust distance, the oddest measure.

    What cannot be used comes first, then the oddest.
    """
    told = {} if listing is None else dict(zip(listing["name"], listing["notes"].fillna(""), strict=True))
    head = ["participant_id", "session_id", "name", "status", "reason", "notes", "picture"]
    rows = [
        [
            r.participant_id,
            r.session_id,
            r.name,
            r.status["status"],
            r.status["reason"],
            notes,
            _path(r, "picture") or "",
        ]
        for r in results
        for notes in [_notes(told.get(r.name, ""), r)]
    ]
    table = pd.DataFrame(rows, columns=head)
    values = pd.DataFrame([r.status["columns"] for r in results]).reindex(columns=list(QUALITY)).astype(float)
    table = pd.concat([table, values], axis=1)
    measured = values.notna().any(axis=1).to_numpy()
    table["distance"], table["oddest"] = np.nan, ""
    if measured.sum() >= FEWEST:
        distance, z = distances(values[measured].to_numpy())
        table.loc[measured, "distance"] = distance
        worst = np.nanargmax(np.where(np.isfinite(z), np.abs(z), -1), axis=1)
        table.loc[measured, "oddest"] = [QUALITY[k] for k in worst]
    order = table.assign(first=table["status"] != "ok").sort_values(
        ["first", "distance", "name"], ascending=[False, False, True], na_position="last", kind="stable"
    )
    return order.drop(columns="first").reset_index(drop=True)


def _other_runs(results: list[ScanResult], listing: pd.DataFrame | None) -> dict[str, str]:
    """Name of a scan: what to add to the advice, where another run of its session could be read and was not asked."""
    if listing is None:
        return {}
    asked = {result.name for result in results}
    found = {}
    for result in results:
        same = (listing["participant_id"] == result.participant_id) & (listing["session_id"] == result.session_id)
        fine = listing.loc[same & listing["status"].isin(["ok", "warn"]) & ~listing["name"].isin(asked), "name"]
        if len(fine):
            found[result.name] = f"; `runs: best` would use {' or '.join(fine)}, if its preprocessing goes well"
    return found


def _not_used(table: pd.DataFrame, instead: dict[str, str]) -> pd.DataFrame:
    """The table of quality, in which scans that can be used and are not say so."""
    left = table["name"].isin(instead) & (table["status"] == "ok")
    table.loc[left, "reason"] = [f"{instead[name]} is used (`runs: best`)" for name in table.loc[left, "name"]]
    table.loc[left, "status"] = "not used"
    return table


def _of_the_run(participants: pd.DataFrame, kept: list[ScanResult], column: str) -> pd.DataFrame:
    """Participants whose ``run`` and path are those of the scans that were chosen."""
    participants = participants.copy()
    for result in kept:
        here = (participants["participant_id"] == result.participant_id) & (
            participants["session_id"] == result.session_id
        )
        for name, value in ((RUN, result.run), (column, result.file)):
            if name in participants:
                participants.loc[here, name] = value
    return participants


def _notes(listed: str, result: ScanResult) -> str:
    """What is odd about a scan, from its BIDS data set and from its preprocessing, each note once."""
    notes = dict.fromkeys([*listed.split(BETWEEN), *result.status["notes"].get("said", [])])
    return BETWEEN.join(note for note in notes if note)


def _all_columns(results: list[ScanResult]) -> list[str]:
    """Columns in the order of ``COLUMNS``, with the regions that there are."""
    regions = {c for r in results for c in r.status["columns"] if c.startswith(REGIONS.rstrip("*"))}
    ordered = sorted(regions, key=lambda c: int(c.rpartition("_")[2]))
    found: list[str] = []
    for column in COLUMNS:
        found += ordered if column == REGIONS else [] if column == STATUS else [column]
    return found + [f"{column}_sha256" for column in IMAGES]


def _columns(result: ScanResult, *, usable: bool) -> dict[str, Any]:
    """Values of one scan; of one that is not used only what says why, and how it was acquired."""
    values = dict(result.status["columns"])
    if not usable:
        values = {k: v for k, v in values.items() if k in QUALITY or k.startswith("mri_voxel_")}
    files = {
        column: result.status["files"].get(what, [None, None])
        for column, what in ((T1W, "t1w"), (BACKGROUND, "background"))
    }
    paths = {column: path if usable else None for column, (path, _) in files.items()}
    paths |= {f"{column}_sha256": sha if usable else None for column, (_, sha) in files.items()}
    words = {column: result.status["notes"].get(column) for column in ACQUISITION_WORDS}
    return {**values, **words, **paths}


def _path(result: ScanResult, what: str) -> str | None:
    return result.status["files"].get(what, [None])[0]
