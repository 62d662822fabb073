"""A folder of DICOM files to one NIfTI volume.

dcm2niix converts; its exit status is not enough (a missing slice is filled in and reported as success), so the series is
looked at before, by its headers, and what came out is compared with it.
"""

import contextlib
import json
import os
import re
import subprocess
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from triptych.bids import privacy
from triptych.bids.names import natural
from triptych.bids.verdict import Unusable

PIXELS = (
    b"\xe0\x7f\x10\x00",
    b"\xe0\x7f\x08\x00",
    b"\xe0\x7f\x09\x00",
)  # (7FE0,0010), float and double float, little endian
BIG_PIXELS = b"\x7f\xe0\x00\x10"
LONG_LENGTH = (b"OB", b"OW", b"OF", b"OD", b"UN")
UNKNOWN_LENGTH = 0xFFFFFFFF  # packed pixels, which end with a delimiter
DELIMITER = b"\xfe\xff\xdd\xe0"
UNEVEN = 0.1  # of the distance between slices
NOT_IMAGES = ("DICOMDIR",)
GAP = "export the series again, with all its slices"


@dataclass(frozen=True)
class Slice:
    """One file of a series."""

    path: Path
    data: Any  # pydicom.Dataset without pixels
    whole: bool

    @property
    def number(self) -> int | None:
        """Instance Number."""
        return int(self.data.InstanceNumber) if self.data.get("InstanceNumber") not in (None, "") else None

    @property
    def depth(self) -> float | None:
        """Place along the normal of the slices, mm."""
        place, axes = self.data.get("ImagePositionPatient"), self.data.get("ImageOrientationPatient")
        if not place or not axes:
            return None
        row, column = np.array(axes[:3], float), np.array(axes[3:], float)
        return float(np.cross(row, column) @ np.array(place, float))


@dataclass(frozen=True)
class Converted:
    """What came of a series.

    Attributes
    ----------
    image
        The NIfTI file, unpacked.
    sidecar
        All that dcm2niix says of the series, and its names; to be stripped before anything is written.
    secret
        Pieces of text that say who was scanned, where and when.
    n_slices
        Slices that the volume must have; 0 when the files do not say.
    """

    image: Path
    sidecar: dict[str, Any]
    secret: frozenset[str]
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
    slices = look(folder, notes, series)
    first = slices[0].data
    secret = secrets(first)
    (work / "in").mkdir()
    for k, one in enumerate(slices):  # neutral names, each slice once
        (work / "in" / f"{k:05d}.dcm").symlink_to(one.path.resolve())
    (work / "out").mkdir()
    found, said = _dcm2niix(work / "in", work / "out")
    notes += [privacy.screened(line, secret) for line in said]
    described = (
        json.loads(found.with_suffix(".json").read_text(encoding="utf-8"))
        if found.with_suffix(".json").is_file()
        else {}
    )
    for key in ("SeriesDescription", "ProtocolName"):
        if first.get(key):
            described.setdefault(key, str(first.get(key)))
    return Converted(
        found, described, secret, len(slices) if len(slices) > 1 else int(first.get("NumberOfFrames", 0) or 0)
    )


def look(folder: Path, notes: list[str], series: str = "") -> list[Slice]:
    """The slices of the one series of a folder, each once, in order; checked for gaps, copies and damage.

    Raises
    ------
    Unusable
        See ``convert``.
    """
    slices, others, empty = [], [], []
    for path in _files(folder):
        if path.stat().st_size == 0:
            empty.append(path)
        elif (one := _slice(path)) is None:
            others.append(path)
        else:
            slices.append(one)
    if not slices:
        what = f"{len(empty)} empty and {len(others)} other files" if empty or others else "empty"
        raise Unusable(
            f"no DICOM file in the folder ({what})", "check the path; it is a folder with the files of one series"
        )
    secret = frozenset().union(*(secrets(one.data) for one in _one_each(slices)))
    slices = _of_one_series(slices, series, secret)
    if empty:
        shown = ", ".join(privacy.screened(p.name, secret) for p in empty[:3])
        raise Unusable(f"{len(empty)} empty files (0 bytes) among the slices: {shown}", GAP)
    if cut := [one.path.name for one in slices if not one.whole]:
        raise Unusable(
            f"{len(cut)} files are cut off: {', '.join(privacy.screened(name, secret) for name in cut[:3])}", GAP
        )
    if others:
        notes.append(f"{len(others)} files in the folder are no DICOM images and are not read")
    slices = _each_once(slices, notes)
    _check_complete(slices, notes)
    first = slices[0].data
    if str(first.get("Modality", "MR")) != "MR":
        raise Unusable(f"the modality is {first.Modality}, not MR", "give the T1-weighted MRI")
    absent = [name for name in ("Manufacturer", "MagneticFieldStrength", "PatientPosition") if not first.get(name)]
    if absent:
        notes.append(f"the headers do not say: {', '.join(absent)}")
    return slices


def when(folder: Path) -> datetime | None:
    """Date and time of the acquisition, by the first file that has one; never written anywhere."""
    for path in _files(folder):
        if path.stat().st_size and (one := _slice(path)):
            for day, hour in (
                ("AcquisitionDate", "AcquisitionTime"),
                ("SeriesDate", "SeriesTime"),
                ("StudyDate", "StudyTime"),
            ):
                if said := str(one.data.get(day, "") or ""):
                    with contextlib.suppress(ValueError):
                        time = str(one.data.get(hour, "") or "")[:6].ljust(6, "0")
                        return datetime.strptime(said + time, "%Y%m%d%H%M%S")
            return None
    return None


def secrets(data: Any) -> frozenset[str]:
    """What a DICOM header says of who was scanned, by whom, where and when."""
    return privacy.tokens(value for tag in privacy.TAGS if (value := data.get(tag)))


# ---- files ----


def _files(folder: Path) -> Iterator[Path]:
    for at, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(at) / name for name in sorted(files) if not name.startswith(".") and name not in NOT_IMAGES)


def _slice(path: Path) -> Slice | None:
    """Header of a DICOM image, and whether its pixels are all there; None for any other file."""
    with path.open("rb") as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's, about values that we do not use
        try:
            data = pydicom.dcmread(stream, stop_before_pixels=True)
        except InvalidDicomError:
            return None
        except (EOFError, OSError, ValueError, AttributeError, KeyError, NotImplementedError):
            return Slice(path, pydicom.Dataset(), False)
        if "Rows" not in data and "SeriesInstanceUID" in data and "PixelData" not in data and _ended(stream, path):
            return None  # a report or a raw-data object
        return Slice(path, data, _whole(stream, path, data))


def _ended(stream: Any, path: Path) -> bool:
    return stream.tell() >= path.stat().st_size


def _whole(stream: Any, path: Path, data: Any) -> bool:
    """Whether the pixels after the header are as long as it says."""
    start, size = stream.tell(), path.stat().st_size
    head = stream.read(12)
    if len(head) < 12 or not head.startswith((*PIXELS, BIG_PIXELS)):
        return False
    order = "big" if head.startswith(BIG_PIXELS) else "little"
    explicit = head[4:6] in LONG_LENGTH
    length = int.from_bytes(head[8:12] if explicit else head[4:8], order)  # type: ignore[arg-type]
    if length == UNKNOWN_LENGTH:
        stream.seek(max(start, size - 64))
        return DELIMITER in stream.read()
    wanted = int(data.get("Rows", 0)) * int(data.get("Columns", 0)) * int(data.get("BitsAllocated", 0)) // 8
    return start + (12 if explicit else 8) + length <= size and length >= wanted > 0


def _one_each(slices: list[Slice]) -> list[Slice]:
    """One slice of each series and person: what says who they are is the same in the others."""
    found = {
        (one.data.get("SeriesInstanceUID"), str(one.data.get("PatientName")), one.data.get("PatientID")): one
        for one in slices
    }
    return list(found.values())


# ---- checks of a series ----


def _of_one_series(slices: list[Slice], wanted: str, secret: frozenset[str]) -> list[Slice]:
    """The slices of the series that is wanted, or of the only one; a file whose header is cut off may belong to any."""
    known = [one for one in slices if one.data.get("SeriesInstanceUID")]
    people = {str(one.data.get("PatientID", "")) for one in known}
    if len(people) > 1:
        raise Unusable(f"files of {len(people)} patients in one folder", "give each patient a folder")
    first = {one.data.SeriesInstanceUID: one.data for one in reversed(known)}
    count = Counter(one.data.SeriesInstanceUID for one in known)
    number = {uid: str(one.get("SeriesNumber", "?")) for uid, one in first.items()}
    called = {
        uid: privacy.screened(str(one.get("SeriesDescription") or "no name"), secret) for uid, one in first.items()
    }
    shown = [
        f"{number[uid]} {called[uid]!r} ({count[uid]} files)"
        for uid in sorted(first, key=lambda uid: natural(number[uid]))
    ]
    if wanted:
        meant = [uid for uid in first if number[uid] == wanted]
        if len(meant) != 1:
            raise Unusable(
                f"{len(meant) or 'no'} series of the number {wanted} in the folder; it holds {', '.join(shown[:8])}",
                "correct the column `series`",
            )
        return [one for one in slices if one.data.get("SeriesInstanceUID") in (meant[0], None)]
    if len(first) > 1:
        raise Unusable(
            f"{len(first)} series in one folder: {', '.join(shown[:8])}",
            "say which by its number in a column `series` of the table, or give the T1-weighted one a folder of its own",
        )
    return slices


def _each_once(slices: list[Slice], notes: list[str]) -> list[Slice]:
    """Drop copies of a slice: the same instance, or the same number at the same place."""
    found: dict[Any, Slice] = {}
    for one in slices:
        key = (one.number, one.depth) if one.depth is not None else one.data.get("SOPInstanceUID")
        found.setdefault(key, one)
    if len(found) < len(slices):
        notes.append(f"{len(slices) - len(found)} slices are there twice; each is used once")
    return sorted(found.values(), key=lambda one: (one.number or 0, one.path.name))


def _check_complete(slices: list[Slice], notes: list[str]) -> None:
    """Numbers without gaps, one slice at each place, and places at one distance."""
    frames = int(slices[0].data.get("NumberOfFrames", 1) or 1)
    if frames > 1 and len(slices) == 1:
        return  # an enhanced object: one file holds the volume, and what comes out is counted
    if len(slices) == 1:
        raise Unusable("one slice only", GAP)
    numbers = sorted(one.number for one in slices if one.number is not None)
    depths = np.array(sorted(one.depth for one in slices if one.depth is not None))
    if len(depths) == len(slices):
        steps = np.diff(depths)
        if (steps < 1e-3).any():
            many = len(slices) / (1 + (steps >= 1e-3).sum())
            raise Unusable(
                f"{many:.3g} slices at each place: several volumes in one series", "give one T1-weighted volume"
            )
        odd = steps > (1 + UNEVEN) * np.median(steps)
        if odd.any():
            lost = int(np.round(steps[odd] / np.median(steps)).sum() - odd.sum())
            what = f"{lost} slices are missing" if lost else "slices are not at one distance"
            raise Unusable(
                f"{what}: a step of {steps.max():.2f} mm among steps of {np.median(steps):.2f} mm{_gaps(numbers)}", GAP
            )
    elif gaps := _gaps(numbers):
        raise Unusable(f"slices are missing{gaps}", GAP)
    declared = int(slices[0].data.get("ImagesInAcquisition", 0) or 0)
    if declared > len(slices):
        raise Unusable(f"{len(slices)} slices, and the headers speak of {declared}", GAP)
    if gaps := _gaps(numbers):
        notes.append(f"the places of the slices are even, but their numbers are not{gaps}")
    if numbers and numbers[0] > 1:
        notes.append(f"the first slice has the number {numbers[0]}: slices may be missing at an end")


def _gaps(numbers: list[int]) -> str:
    missing = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers)) if numbers else []
    return (
        f" (Instance Number {', '.join(map(str, missing[:5]))}{' ...' * (len(missing) > 5)} is not there)"
        if missing
        else ""
    )


# ---- conversion ----


def _dcm2niix(source: Path, out: Path) -> tuple[Path, list[str]]:
    """The one NIfTI file that dcm2niix makes, and its warnings."""
    import dcm2niix

    command = [dcm2niix.bin, "-b", "y", "-ba", "y", "-z", "n", "-m", "n", "-f", "image", "-o", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    lines = [_without_paths(line, source.parent) for line in f"{done.stdout}\n{done.stderr}".splitlines()]
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


def _without_paths(line: str, work: Path) -> str:
    return line.replace(f"{work}{os.sep}", "").strip()
