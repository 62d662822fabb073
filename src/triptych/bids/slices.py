"""DICOM files, one at a time: what the header says that we ask for, and whether the pixels are all there.

A damaged header makes pydicom stumble in many ways, some only when a value is asked for.  So all values are taken at once, and
whatever happens on the way says that the file is damaged.  pydicom's warnings quote values, also names of people: they are
not shown.
"""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from triptych.bids import pseudonym
from triptych.bids.pseudonym import NOBODY, Person

TEXTS = (
    *("SeriesInstanceUID", "SOPInstanceUID", "PatientID", "SeriesNumber", "SeriesDescription", "ProtocolName"),
    *("Modality", "Manufacturer", "MagneticFieldStrength", "PatientPosition"),
)
DATES = (("AcquisitionDate", "AcquisitionTime"), ("SeriesDate", "SeriesTime"), ("StudyDate", "StudyTime"))
PIXELS = (b"\xe0\x7f\x10\x00", b"\xe0\x7f\x08\x00", b"\xe0\x7f\x09\x00")  # (7FE0,0010), float and double float
BIG_PIXELS = b"\x7f\xe0\x00\x10"  # the same in big endian
LONG_LENGTH = (b"OB", b"OW", b"OF", b"OD", b"UN")
UNKNOWN_LENGTH = 0xFFFFFFFF  # packed pixels, which end with a delimiter
DELIMITER = b"\xfe\xff\xdd\xe0"
NOT_IMAGES = ("DICOMDIR",)


@dataclass(frozen=True)
class Slice:
    """One DICOM image.

    Attributes
    ----------
    whole
        False when the file is cut off or its header is damaged; what could not be read is empty then.
    texts
        Values of ``TEXTS`` that are there.
    number
        Instance Number.
    depth
        Place along the normal of the slices, mm.
    frames, declared
        Number of Frames, and Images in Acquisition; 0 when the header does not say.
    day
        When it was acquired; never written anywhere.
    person
        What says who was scanned, where and when.
    """

    path: Path
    whole: bool
    texts: dict[str, str]
    number: int | None = None
    depth: float | None = None
    frames: int = 0
    declared: int = 0
    day: datetime | None = None
    person: Person = NOBODY

    @property
    def series(self) -> str:
        """Identifier of its series."""
        return self.texts.get("SeriesInstanceUID", "")


def files(folder: Path) -> Iterator[Path]:
    """Files below a folder that may be slices, in order."""
    for at, folders, found in os.walk(folder):
        folders.sort()
        yield from (Path(at) / name for name in sorted(found) if not name.startswith(".") and name not in NOT_IMAGES)


def read(path: Path) -> Slice | None:
    """One DICOM image; None for a file that is none, such as a text or a DICOM report. One that cannot be opened is damaged."""
    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = pydicom.dcmread(stream, stop_before_pixels=True)
            if "Rows" not in data and "SeriesInstanceUID" in data and stream.tell() >= path.stat().st_size:
                return None
            return _slice(path, data, _whole(stream, path.stat().st_size, data))
    except InvalidDicomError:
        return None
    except Exception:  # see above: there is no list of what pydicom raises
        return Slice(path, False, {})


def when(folder: Path) -> datetime | None:
    """Date and time of the acquisition, by the first image of a folder."""
    found = (one for path in files(folder) if path.is_file() and path.stat().st_size and (one := read(path)))
    return next((one.day for one in found), None)


def _slice(path: Path, data: Any, whole: bool) -> Slice:
    number = data.get("InstanceNumber")
    return Slice(
        path,
        whole,
        {name: str(data.get(name)) for name in TEXTS if data.get(name)},
        None if number in (None, "") else int(number),
        _depth(data),
        int(data.get("NumberOfFrames") or 0),
        int(data.get("ImagesInAcquisition") or 0),
        _day(data),
        pseudonym.person(data.get),
    )


def _depth(data: Any) -> float | None:
    place, axes = data.get("ImagePositionPatient"), data.get("ImageOrientationPatient")
    if not place or not axes:
        return None
    row, column = np.array(axes[:3], float), np.array(axes[3:], float)
    depth = float(np.cross(row, column) @ np.array(place, float))
    if not np.isfinite(depth):
        raise ValueError("a position that is no number")
    return depth


def _day(data: Any) -> datetime | None:
    for day, hour in DATES:
        if said := str(data.get(day) or ""):
            time = str(data.get(hour) or "")[:6].ljust(6, "0")
            try:
                return datetime.strptime(said + time, "%Y%m%d%H%M%S")
            except ValueError:
                continue
    return None


def _whole(stream: Any, size: int, data: Any) -> bool:
    """Whether the pixels after the header are as long as it says."""
    start = stream.tell()
    head = stream.read(12)
    if len(head) < 12 or not head.startswith((*PIXELS, BIG_PIXELS)):
        return False
    explicit = head[4:6] in LONG_LENGTH
    length = int.from_bytes(head[8:12] if explicit else head[4:8], "big" if head.startswith(BIG_PIXELS) else "little")
    if length == UNKNOWN_LENGTH:
        stream.seek(max(start, size - 64))
        return DELIMITER in stream.read()
    wanted = int(data.Rows) * int(data.Columns) * int(data.BitsAllocated) // 8
    return start + (12 if explicit else 8) + length <= size and length >= wanted > 0
