"""A folder of DICOM files to one NIfTI volume.

dcm2niix converts; its exit status is not enough (a missing slice is filled in and reported as success), so the series is
looked at before, by its headers, and what came out is compared with it.
"""

import json
import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triptych.bids import privacy, slices
from triptych.bids.names import natural
from triptych.bids.pseudonym import Person
from triptych.bids.slices import Slice
from triptych.bids.verdict import Unusable

UNEVEN = 0.1  # of the distance between slices
SAME = 1e-3  # mm
GAP = "export the series again, with all its slices"
TOLD = ("Manufacturer", "MagneticFieldStrength", "PatientPosition")


@dataclass(frozen=True)
class Converted:
    """What came of a series.

    Attributes
    ----------
    image
        The NIfTI file, unpacked.
    sidecar
        All that dcm2niix says of the series, and its names; to be stripped before anything is written.
    person
        What says who was scanned, where and when.
    n_slices
        Slices that the volume must have; 0 when the files do not say.
    """

    image: Path
    sidecar: dict[str, Any]
    person: Person
    n_slices: int


def convert(folder: Path, work: Path, notes: list[str], series: str = "") -> Converted:
    """Convert the one series of a folder; what is odd but usable is added to ``notes``.

    Parameters
    ----------
    work
        An empty folder for what is in between.
    series
        Series Number of the one that is meant, where the folder holds several.

    Raises
    ------
    Unusable
        With the reason and what to do; no message holds what says who was scanned.
    """
    found = look(folder, notes, series)
    first = found[0]
    (work / "in").mkdir()
    for k, one in enumerate(found):  # neutral names, each slice once
        (work / "in" / f"{k:05d}.dcm").symlink_to(one.path.resolve())
    (work / "out").mkdir()
    image, said = _dcm2niix(work / "in", work / "out", first.person.secret)
    notes += said
    about = image.with_suffix(".json")
    described = json.loads(about.read_text("utf-8", "replace"), strict=False) if about.is_file() else {}
    for key in ("SeriesDescription", "ProtocolName"):
        described.setdefault(key, first.texts.get(key, ""))
    return Converted(image, described, first.person, len(found) if len(found) > 1 else first.frames)


def look(folder: Path, notes: list[str], series: str = "") -> list[Slice]:
    """The slices of the one series of a folder, each once, in order; checked for gaps, copies and damage.

    Raises
    ------
    Unusable
        See ``convert``.
    """
    found, others, empty = [], [], []
    for path in slices.files(folder):
        if path.is_file() and path.stat().st_size == 0:
            empty.append(path)
        elif (one := slices.read(path)) is None:
            others.append(path)
        else:
            found.append(one)
    if not found:
        what = f"{len(empty)} empty and {len(others)} other files" if empty or others else "empty"
        raise Unusable(
            f"no DICOM file in the folder ({what})", "check the path; it is a folder with the files of one series"
        )
    secret = frozenset[str]().union(*(one.person.secret for one in found))
    found = _of_one_series(found, series, secret)
    for paths, fault in (
        (empty, "empty files (0 bytes) among the slices"),
        ([one.path for one in found if not one.whole], "files are cut off or damaged"),
    ):
        if paths:
            shown = ", ".join(privacy.screened(path.name, secret) for path in paths[:3])
            raise Unusable(f"{len(paths)} {fault}: {shown}", GAP)
    if others:
        notes.append(f"{len(others)} files in the folder are no DICOM images and are not read")
    found = _each_once(found, notes)
    _check_complete(found, notes)
    modality = found[0].texts.get("Modality", "MR")
    if modality != "MR":
        raise Unusable(f"the modality is {modality}, not MR", "give the T1-weighted MRI")
    if absent := [name for name in TOLD if name not in found[0].texts]:
        notes.append(f"the headers do not say: {', '.join(absent)}")
    return found


# ---- checks of a series ----


def _of_one_series(found: list[Slice], wanted: str, secret: frozenset[str]) -> list[Slice]:
    """The slices of the series that is wanted, or of the only one; a file whose header is damaged may belong to any."""
    known = [one for one in found if one.series]
    people = {one.texts.get("PatientID", "") for one in known}
    if len(people) > 1:
        raise Unusable(f"files of {len(people)} patients in one folder", "give each patient a folder")
    first, count = {one.series: one.texts for one in reversed(known)}, Counter(one.series for one in known)
    number = {uid: texts.get("SeriesNumber", "?") for uid, texts in first.items()}
    called = {uid: privacy.screened(t.get("SeriesDescription", "no name"), secret) for uid, t in first.items()}
    ordered = sorted(first, key=lambda uid: natural(number[uid]))
    shown = ", ".join([f"{number[uid]} {called[uid]!r} ({count[uid]} files)" for uid in ordered][:8])
    if wanted:
        meant = [uid for uid in first if number[uid] == wanted]
        if len(meant) != 1:
            raise Unusable(
                f"{len(meant) or 'no'} series of the number {wanted} in the folder; it holds {shown}",
                "correct the column `series`",
            )
        return [one for one in found if one.series in (meant[0], "")]
    if len(first) > 1:
        raise Unusable(
            f"{len(first)} series in one folder: {shown}",
            "say which by its number in a column `series` of the table, or give the T1-weighted one a folder of its own",
        )
    return found


def _each_once(found: list[Slice], notes: list[str]) -> list[Slice]:
    """Drop copies of a slice: the same number at the same place, or the same instance."""
    kept: dict[Any, Slice] = {}
    for one in found:
        key = one.texts.get("SOPInstanceUID", one.path) if one.depth is None else (one.number, one.depth)
        kept.setdefault(key, one)
    if len(kept) < len(found):
        notes.append(f"{len(found) - len(kept)} slices are there twice; each is used once")
    return sorted(kept.values(), key=lambda one: (one.number or 0, one.path.name))


def _check_complete(found: list[Slice], notes: list[str]) -> None:
    """One slice at each place, places at one distance, numbers without gaps."""
    if len(found) == 1:
        if found[0].frames > 1:
            return  # an enhanced object: one file holds the volume, and what comes out is counted
        raise Unusable("one slice only", GAP)
    numbers = sorted(one.number for one in found if one.number is not None)
    depths = sorted(one.depth for one in found if one.depth is not None)
    if len(depths) == len(found):
        _check_places(np.array(depths), numbers)
        if gaps := _gaps(numbers):
            notes.append(f"the places of the slices are even, but their numbers are not{gaps}")
    elif gaps := _gaps(numbers):
        raise Unusable(f"slices are missing{gaps}", GAP)
    if found[0].declared > len(found):
        said = f"{len(found)} slices, and the headers speak of {found[0].declared}"
        if len(depths) < len(found) or numbers != list(range(1, len(found) + 1)):
            raise Unusable(said, GAP)
        notes.append(
            f"{said}: slices may be missing at the far end, or other series of the acquisition count; places and numbers are even"
        )
    if numbers and numbers[0] > 1:
        notes.append(f"the first slice has the number {numbers[0]}: slices may be missing at an end")


def _check_places(depths: np.ndarray, numbers: list[int]) -> None:
    steps = np.diff(depths)
    if (steps < SAME).any():
        many = len(depths) / (1 + (steps >= SAME).sum())
        raise Unusable(f"{many:.3g} slices at each place: several volumes in one series", "give one T1-weighted volume")
    usual = float(np.median(steps))
    odd = steps > (1 + UNEVEN) * usual
    if odd.any():
        lost = int(np.round(steps[odd] / usual).sum() - odd.sum())
        what = f"{lost} slices are missing" if lost else "slices are not at one distance"
        raise Unusable(f"{what}: a step of {steps.max():.2f} mm among steps of {usual:.2f} mm{_gaps(numbers)}", GAP)


def _gaps(numbers: list[int]) -> str:
    """Which Instance Numbers are not there, in words."""
    if not numbers or numbers[-1] - numbers[0] < len(numbers):
        return ""
    if numbers[-1] - numbers[0] > 10 * len(numbers):
        return f" (Instance Numbers run from {numbers[0]} to {numbers[-1]})"
    missing = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    return f" (Instance Number {', '.join(map(str, missing[:5]))}{' ...' * (len(missing) > 5)} is not there)"


# ---- conversion ----


def _dcm2niix(source: Path, out: Path, secret: frozenset[str]) -> tuple[Path, list[str]]:
    """The one NIfTI file that dcm2niix makes, and its warnings, which name nobody."""
    import dcm2niix

    command = [dcm2niix.bin, "-b", "y", "-ba", "y", "-z", "n", "-m", "n", "-f", "image", "-o", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    lines = [
        privacy.screened(line.replace(f"{source.parent}{os.sep}", ""), secret).strip()
        for line in f"{done.stdout}\n{done.stderr}".splitlines()
    ]
    said = list(dict.fromkeys(line for line in lines if re.match(r"(warning|error|unsupported|unable)", line, re.I)))
    if done.returncode:
        told = f" ({'; '.join(said[:3])})" if said else ""
        raise Unusable(f"dcm2niix ended with status {done.returncode}{told}", GAP)
    made = sorted(path for path in out.iterdir() if path.name.endswith(".nii"))
    if len(made) != 1:
        shown = ", ".join(path.name.removesuffix(".nii") for path in made) or "none"
        told = f"; it said: {'; '.join(said[:3])}" if said else ""
        raise Unusable(f"dcm2niix made {len(made)} volumes of the series, not one ({shown}){told}", GAP)
    return made[0], said[:5]
