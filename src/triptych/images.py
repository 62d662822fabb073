"""Read an image file, or say what is wrong with it: a bad file costs one scan, never the run, and is never mended in silence.

Each message is "what is wrong; what to do".
"""

import gzip
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from PIL import Image, UnidentifiedImageError

from triptych.errors import DataError

POINTER = b"version https://git-lfs"
FEWEST = 8  # voxels along each axis of a volume
LARGEST = 512**3  # voxels
VOXEL = (0.2, 10.0)  # mm
GAPS = 0.01  # share of voxels that may be no numbers
APART = 1.0  # mm between what two affines say of one voxel
BROKEN = (EOFError, OSError, zlib.error, gzip.BadGzipFile, ValueError)


def read_volume(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (x, y, z) float32 and affine (4, 4) to mm, RAS+, of a NIfTI file.

    Raises
    ------
    DataError
        For a file that is cut off, corrupt, no image, not three-dimensional, or of unknown voxel size or orientation.
    """
    _whole(path)
    try:
        image = nib.load(path)
    except (ImageFileError, HeaderDataError, *BROKEN) as error:
        raise DataError(f"cannot be read as NIfTI ({_first(error)}); convert it again") from None
    _check_header(image)
    try:
        voxels = np.asarray(image.dataobj, np.float32)
    except BROKEN as error:
        raise DataError(f"cut off or corrupt ({_first(error)}); fetch or convert it again") from None
    voxels = voxels.reshape(voxels.shape[:3])
    missing = 1 - np.isfinite(voxels).mean()
    if missing > GAPS:
        raise DataError(f"{missing:.1%} of the voxels are no numbers; look at how it was made")
    if np.nanmin(voxels) == np.nanmax(voxels):
        raise DataError(f"every voxel is {float(np.nanmin(voxels)):g}; look at how it was made")
    return voxels, image.affine


def read_tile(path: Path) -> np.ndarray:
    """Pixels (height, width, 3), uint8, of an image file.

    Raises
    ------
    DataError
        For a file that is cut off, corrupt or no image.
    """
    _whole(path)
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except UnidentifiedImageError:
        raise DataError("no image that can be read; convert it to TIFF, PNG or JPEG") from None
    except (Image.DecompressionBombError, SyntaxError, *BROKEN) as error:
        raise DataError(f"cut off, corrupt or too large ({_first(error)}); fetch it again, or cut it into tiles") from None


def _whole(path: Path) -> None:
    if not path.is_file():
        raise DataError("no such file; fetch it, or correct the table of files")
    with path.open("rb") as stream:
        start = stream.read(len(POINTER))
    if not start:
        raise DataError("the file is empty; fetch it again")
    if start == POINTER:
        raise DataError("a Git LFS pointer instead of the image; run `git lfs pull`, or fetch the file itself")


def _check_header(image) -> None:
    """Shape, voxel size and orientation, before anything is read."""
    shape, header = image.shape, image.header
    if len(shape) < 3 or any(n != 1 for n in shape[3:]):
        raise DataError(f"shape {shape} instead of three dimensions; choose one volume")
    if min(shape[:3]) < FEWEST:
        raise DataError(f"shape {shape}: a side of fewer than {FEWEST} voxels is no volume; look at the conversion")
    if np.prod([int(n) for n in shape[:3]]) > LARGEST:
        raise DataError(f"shape {shape} does not fit into memory; crop or resample it")
    size = np.array(header["pixdim"][1:4], float) if "pixdim" in header else np.array(header.get_zooms()[:3], float)
    if not np.all((size >= VOXEL[0]) & (size <= VOXEL[1])):
        shown = " x ".join(f"{s:g}" for s in size)
        raise DataError(f"voxels of {shown} mm; correct the voxel size in the header (is it in metres or micrometres?)")
    if not hasattr(header, "get_sform"):
        return
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    if not sform and not qform:
        raise DataError("orientation unknown (sform and qform codes are 0); set it from the original scan")
    if sform and qform:
        ends = np.array(np.meshgrid(*[(0, n - 1) for n in shape[:3]])).reshape(3, -1)
        one, other = (a[:3, :3] @ ends + a[:3, 3:] for a in (header.get_sform(), header.get_qform()))
        apart = np.linalg.norm(one - other, axis=0).max()
        if apart > APART:
            raise DataError(f"sform and qform put one voxel {apart:.1f} mm apart; correct the wrong one (left and right?)")


def _first(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:80] if str(error).strip() else 'no more is known'}"
