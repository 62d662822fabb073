"""Image files to arrays: volumes (NIfTI) and tiles (PNG, TIFF, JPEG)."""

import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image, UnidentifiedImageError

from triptych.errors import DataError
from triptych.likeness import tiles, volumes

KINDS = {"volume": (".nii", ".nii.gz"), "tile": (".png", ".tif", ".tiff", ".jpg", ".jpeg")}
FAULTS = (
    nib.filebasedimages.ImageFileError,
    nib.spatialimages.HeaderDataError,
    UnidentifiedImageError,
    Image.DecompressionBombError,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
)


def kind(path: Path) -> str:
    """``volume`` or ``tile``, by the ending of the file.

    Raises
    ------
    DataError
        For another ending.
    """
    for name, endings in KINDS.items():
        if path.name.lower().endswith(endings):
            return name
    known = ", ".join(ending for endings in KINDS.values() for ending in endings)
    raise DataError(f"{path}: no image that is known by its ending ({known})")


def embed(path: Path) -> np.ndarray:
    """What the image of a file looks like: vectors (views, d), float32.

    Raises
    ------
    DataError
        Naming the file and what is wrong with it.
    """
    try:
        if kind(path) == "tile":
            return tiles.embed(read_tile(path))
        return volumes.embed(*read_volume(path))
    except DataError as error:
        raise DataError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None


def read_volume(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Intensities (x, y, z), float32, and the affine from voxels to millimetres (4, 4)."""
    try:
        image = nib.load(path)
        values = np.asanyarray(image.dataobj).astype(np.float32)  # type: ignore[attr-defined]
    except FAULTS as error:
        raise DataError(f"{path}: cannot be read as a volume ({_words(error)})") from None
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    return values, image.affine  # type: ignore[attr-defined]


def read_tile(path: Path) -> np.ndarray:
    """Red, green and blue (height, width, 3), uint8."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except FAULTS as error:
        raise DataError(f"{path}: cannot be read as an image ({_words(error)})") from None


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
