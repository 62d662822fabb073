"""A scan as an array with its place in millimetres, and how arrays move between grids.

All affines lead from voxels to millimetres, right-anterior-superior. A ``matrix`` leads from millimetres of one space to
millimetres of another.
"""

from dataclasses import dataclass, replace

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from scipy import ndimage

sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)  # sums of several threads differ from run to run
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # ITK counts from right to left and from front to back


@dataclass(frozen=True)
class Volume:
    """Intensities (x, y, z), float32, and the affine (4, 4) from voxels to millimetres."""

    values: np.ndarray
    affine: np.ndarray

    @property
    def voxel(self) -> np.ndarray:
        """Voxel size along each axis, mm (3,)."""
        return np.sqrt(np.square(self.affine[:3, :3]).sum(axis=0))

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel, ml."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000

    def of(self, values: np.ndarray) -> "Volume":
        """Other values on the same grid, float32."""
        return replace(self, values=np.asarray(values, np.float32))


def canonical(values: np.ndarray, affine: np.ndarray) -> Volume:
    """The same voxels with axes that run to the right, to the front and up; nothing is interpolated."""
    image = nib.as_closest_canonical(nib.Nifti1Image(np.asarray(values, np.float32), affine))
    return Volume(np.ascontiguousarray(image.get_fdata(dtype=np.float32)), np.asarray(image.affine, np.float64))


def resample(
    volume: Volume,
    shape: tuple[int, ...],
    affine: np.ndarray,
    matrix: np.ndarray | None = None,
    *,
    order: int = 1,
    outside: float = 0.0,
) -> Volume:
    """A volume on another grid.

    Parameters
    ----------
    shape, affine
        The grid.
    matrix
        From millimetres of the grid to those of the volume; the same space when not given.
    order
        0 nearest voxel, 1 linear. Linear smooths first where the grid is coarser than the volume, so that no detail is folded.
    """
    values = smoothed(volume, float(np.linalg.norm(affine[:3, 0]))) if order else volume.values
    move = np.linalg.inv(volume.affine) @ (np.eye(4) if matrix is None else matrix) @ affine
    found = ndimage.affine_transform(
        values, move[:3, :3], move[:3, 3], tuple(shape), order=order, mode="constant", cval=outside, output=np.float32
    )
    return Volume(found, np.asarray(affine, np.float64))


def smoothed(volume: Volume, step: float) -> np.ndarray:
    """Values smoothed to what a grid of ``step`` mm can hold."""
    width = np.sqrt(np.maximum(step**2 - volume.voxel**2, 0)) / 2.355 / volume.voxel
    return ndimage.gaussian_filter(volume.values, width, truncate=3) if width.max() > 0.1 else volume.values


def coarse(volume: Volume, step: float) -> Volume:
    """The same field of view with voxels of ``step`` mm, where they are smaller; axes stay as they are."""
    factor = np.maximum(step / volume.voxel, 1)
    shape = tuple(np.maximum(np.ceil(np.array(volume.values.shape) / factor - 1e-6), 1).astype(int))
    inner = np.eye(4)
    inner[:3, :3] = np.diag(factor)
    inner[:3, 3] = (factor - 1) / 2
    return volume if factor.max() < 1.05 else resample(volume, shape, volume.affine @ inner)


def to_itk(volume: Volume, pixel: type = np.float32) -> sitk.Image:
    """The same for SimpleITK."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.values.astype(pixel).T))
    lps = FLIP @ volume.affine
    turned, _, rest = np.linalg.svd(lps[:3, :3] / volume.voxel)  # float32 headers are not quite orthonormal
    image.SetSpacing(volume.voxel.tolist())
    image.SetDirection((turned @ rest).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    return image


def from_itk(image: sitk.Image, like: Volume) -> Volume:
    """Back from SimpleITK, on the grid of ``like``."""
    return like.of(sitk.GetArrayFromImage(image).T)


def bounded(volume: Volume, most: int) -> Volume:
    """The same field of view in at most about ``most`` voxels; the finest axes become coarser first."""
    extent, step = volume.voxel * volume.values.shape, float(volume.voxel.min())
    while np.prod(np.ceil(extent / np.maximum(step, volume.voxel))) > most:
        step *= 1.02
    return coarse(volume, step)


def border(values: np.ndarray) -> float:
    """The value that most of an image's border holds."""
    faces = [values.take(k, axis=axis).ravel() for axis in range(3) for k in (0, -1)]
    return float(np.median(np.concatenate(faces)))


def largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask."""
    parts, n = ndimage.label(mask)
    if n < 2:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return parts == sizes.argmax()


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Overlap of two masks (Dice 1945): 1 when they are the same, 0 when they do not meet."""
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return float(2 * np.count_nonzero(a & b) / total) if total else 0.0
