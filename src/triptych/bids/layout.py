"""Where the files of a scan lie in a BIDS data set, and how they are written: voxels bit by bit as they were, and no text."""

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np

from triptych import tables
from triptych.bids import privacy
from triptych.bids.nifti import Volume
from triptych.scans import Scan

MILLIMETRES, SPACE = 2, 7  # of xyzt_units
LEVEL = 6  # of gzip


def image_path(bids: Path, scan: Scan) -> Path:
    """Where the image of a scan lies in the data set ``bids``."""
    return bids / scan.anat / f"{scan.name}_T1w.nii.gz"


def sidecar_path(bids: Path, scan: Scan) -> Path:
    """Where the sidecar of a scan lies."""
    return bids / scan.anat / f"{scan.name}_T1w.json"


def write(volume: Volume, sidecar: dict[str, Any], bids: Path, scan: Scan) -> tuple[Path, Path]:
    """Write the image and its sidecar; the same input gives the same bytes.

    The stored values, ``scl_slope``, ``sform`` and ``qform`` stay; text, extensions and further dimensions of length 1 go.
    """
    header = privacy.header(volume.header)
    header["dim"] = [3, *volume.values.shape, 1, 1, 1, 1]
    header["vox_offset"] = start = (header.sizeof_hdr + 4 + 15) // 16 * 16
    header["xyzt_units"] = (int(header["xyzt_units"]) & ~SPACE) | MILLIMETRES
    if not np.isfinite(header["scl_slope"]) or header["scl_slope"] == 0:
        header["scl_slope"], header["scl_inter"] = 1, 0
    image, about = image_path(bids, scan), sidecar_path(bids, scan)
    image.parent.mkdir(parents=True, exist_ok=True)
    beside = image.with_name(f".{image.name}.{os.getpid()}")
    with beside.open("wb") as file, gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as stream:
        stream.write(header.binaryblock.ljust(start, b"\0"))
        stream.write(volume.stored)
    beside.replace(image)
    tables.write(sidecar, about)
    return image, about


def remove(bids: Path, scan: Scan) -> None:
    """Remove what an earlier run may have written of a scan that is set aside now."""
    for path in (image_path(bids, scan), sidecar_path(bids, scan)):
        path.unlink(missing_ok=True)
