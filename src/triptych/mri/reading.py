"""A scan from its file, or a sentence that says why it cannot be used."""

from pathlib import Path

import nibabel as nib
import numpy as np

from triptych.errors import DataError
from triptych.mri.volume import Volume, canonical

MOST = 512 * 512 * 400  # voxels: some 5 GB while the bias field is divided out
APART = 1.0  # mm: how far sform and qform may put a corner apart
FINEST, COARSEST = 0.2, 12.0  # mm, of a voxel


def read(path: Path) -> Volume:
    """A T1-weighted scan with axes to the right, front and up.

    Raises
    ------
    DataError
        When the file cannot be read to its end, its place in space is unknown or contradictory, or it holds no volume.
    """
    try:
        image = nib.load(path)
        shape = [n for n in image.shape if n != 1]  # type: ignore[attr-defined]
        if len(shape) != 3 or min(shape) < 8:
            raise DataError(f"{path}: {' x '.join(map(str, image.shape))} voxels are no volume; name a 3-D scan")  # type: ignore[attr-defined]
        if np.prod(shape, dtype=float) > MOST:
            raise DataError(f"{path}: {' x '.join(map(str, shape))} voxels would need more than 5 GB; crop it first")
        values = np.asanyarray(image.dataobj).astype(np.float32).reshape(shape)  # type: ignore[attr-defined]
    except DataError:
        raise
    except Exception as error:  # noqa: BLE001 nibabel and zlib have a dozen ways to say that a file is broken
        raise DataError(f"{path}: cannot be read as a volume ({' '.join(str(error).split()) or type(error).__name__})") from None
    affine = _place(image, path)
    bad = ~np.isfinite(values)
    if bad.mean() > 0.001:
        raise DataError(f"{path}: {bad.sum()} voxels hold no number; convert the scan again")
    values[bad] = 0
    if values.min() == values.max():
        raise DataError(f"{path}: all voxels hold {values.flat[0]:g}; convert the scan again")
    return canonical(values, affine)


def _place(image: nib.Nifti1Image, path: Path) -> np.ndarray:
    """The affine, once it is known to be one, in mm, and not contradicted."""
    if not isinstance(image, nib.Nifti1Image):
        raise DataError(f"{path}: no NIfTI file; convert it, so that its place in space is known")
    header = image.header
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    if not sform and not qform:
        raise DataError(f"{path}: neither sform nor qform is set, so left and right are unknown; convert the scan again")
    affine = np.asarray(image.affine, np.float64)
    size = np.sqrt(np.square(affine[:3, :3]).sum(axis=0))
    if not np.all(np.isfinite(affine)) or size.min() < FINEST or size.max() > COARSEST:
        words = " x ".join(f"{s:.3g}" for s in size)
        raise DataError(f"{path}: voxels of {words} mm are no head's; correct the voxel size in the header (unit mm)")
    if sform and qform:
        corner = np.array([*image.shape[:3], 1.0])
        apart = max(float(np.abs((affine - header.get_qform()) @ c)[:3].max()) for c in (corner, np.array([0, 0, 0, 1.0])))
        if apart > APART:
            raise DataError(
                f"{path}: sform and qform disagree by {apart:.1f} mm (sform {affine[:3].round(2).tolist()}, qform "
                f"{header.get_qform()[:3].round(2).tolist()}); find out which is right and correct the header"
            )
    unit = affine[:3, :3] / size
    if np.abs(unit.T @ unit - np.eye(3)).max() > 0.01:
        raise DataError(f"{path}: the affine is sheared; resample the scan to a grid with right angles")
    return affine
