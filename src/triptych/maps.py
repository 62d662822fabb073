"""Where models of images look: the maps of single fits, their mean over the fits of a model, and its peaks.

A job keeps the mean map of its folds in a file beside its notes, which say what the file holds; it is no declared output, since
most models have none.
"""

import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triptych.errors import DataError
from triptych.tables import read_json

ENDING = ".map.npy"
OCCLUSION = "occlusion"  # what a fit notes as ``maps`` when its map is one of changes in units of the output's spread
PEAKS, APART = 5, 16.0  # how many are told, and the least distance between two of them, mm
LOW, HIGH = np.array([-80.0, -112.0, -76.0]), np.array([80.0, 80.0, 84.0])  # mm: the box of triptych.mri.template


def set_aside(noted: list[dict[str, Any]], notes: Path) -> dict[str, Any]:
    """Move the maps of some fits out of what they noted into one file, the mean over their held-out rows.

    Parameters
    ----------
    noted
        What each fit noted; its ``map``, when it has one, holds the map and the mean brain (2, x, y, z), and the number of rows.
    notes
        The file that what is returned is written to.

    Returns
    -------
    dict
        ``map``: file, sha256 and rows; empty when no fit has a map.
    """
    found = [fit.pop("map") for fit in noted if "map" in fit]
    if not found:
        return {}
    rows = sum(n for _, n in found)
    mean = sum(np.float64(n / rows) * values for values, n in found)
    stream = io.BytesIO()
    np.save(stream, np.asarray(mean, np.float16))
    path = notes.with_name(notes.stem + ENDING)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(stream.getvalue())
    beside.replace(path)
    return {"map": {"file": path.name, "sha256": hashlib.sha256(stream.getvalue()).hexdigest(), "rows": rows}}


def mean_map(notes: Sequence[Path]) -> np.ndarray:
    """Map and brain, mean over the held-out rows of all jobs of a model, (2, x, y, z), float32.

    Raises
    ------
    DataError
        When no job has a map, or a file is not the one that its job wrote.
    """
    total, rows = 0.0, 0
    for path in notes:
        said = read_json(path).get("map")
        if said is None:
            continue  # all of its fits failed, which `gather` judges
        file = path.with_name(said["file"])
        content = file.read_bytes() if file.exists() else b""
        if hashlib.sha256(content).hexdigest() != said["sha256"]:
            raise DataError(f"{file}: not the map that its job wrote; remove {path}, and it is made anew")
        total = total + said["rows"] * np.load(io.BytesIO(content)).astype(np.float64)
        rows += said["rows"]
    if not rows:
        raise DataError("no fit has a map: all of them failed, or `maps:` is 0")
    return np.asarray(total / rows, np.float32)


def unit(notes: Sequence[Path]) -> str:
    """In which unit the maps of a model are, in words."""
    kinds = {fit.get("maps") for path in notes for fit in read_json(path)["fits"]}
    if OCCLUSION in kinds:
        return "change without the 16 mm around, in standard deviations of the output"
    return "times the mean over all voxels"


def affine_of(shape: tuple[int, ...]) -> np.ndarray:
    """Voxels to millimetres of MNI space, for images (x, y, z) that fill the box of preprocessing.

    Raises
    ------
    DataError
        For a shape that preprocessing does not make.
    """
    step = (HIGH - LOW)[0] / shape[0]
    if tuple(np.round((HIGH - LOW) / step)) != tuple(shape):
        raise DataError(
            f"images of shape {shape} fill no grid of preprocessing; say `maps: 0` for models that read them"
        )
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = LOW + step / 2
    return affine


def write_image(mean: np.ndarray, affine: np.ndarray, path: Path) -> None:
    """Write a map as NIfTI, in MNI space."""
    import nibabel as nib

    image = nib.Nifti1Image(mean, affine)
    image.set_qform(affine, code="mni")
    image.set_sform(affine, code="mni")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    nib.save(image, beside)
    beside.replace(path)


def peaks(mean: np.ndarray, affine: np.ndarray) -> pd.DataFrame:
    """The largest values of a map: x, y, z in millimetres, value, and the share of voxels that have a smaller one."""
    left, found = mean.astype(np.float64).copy(), []
    places = (
        np.stack(np.meshgrid(*map(np.arange, mean.shape), indexing="ij"), axis=-1) @ affine[:3, :3].T + affine[:3, 3]
    )
    for rank in range(1, PEAKS + 1):
        at = _middle(left)
        if not np.isfinite(left[at]):
            break
        x, y, z = places[at]
        found.append(
            {"peak": rank, "x": x, "y": y, "z": z, "value": left[at], "share": float((mean < mean[at]).mean())}
        )
        left[np.linalg.norm(places - places[at], axis=-1) < APART] = -np.inf
    return pd.DataFrame(found)


def _middle(values: np.ndarray) -> tuple[int, ...]:
    """Place of the largest value; of neighbouring ones that are equal, as in a cube of an occlusion map, the middle one."""
    from scipy import ndimage  # here, since every fit imports this module

    first = np.unravel_index(int(np.argmax(values)), values.shape)
    parts, _ = ndimage.label(values == values[first])
    equal = np.argwhere(parts == parts[first])
    return tuple(equal[np.argmin(np.square(equal - equal.mean(axis=0)).sum(axis=1))])
