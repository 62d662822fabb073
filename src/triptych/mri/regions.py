"""Regions of the grey matter: made from the template, the same each time, or those of an atlas that the user names."""

from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage
from scipy.cluster.vq import vq

from triptych.errors import DataError
from triptych.mri import template
from triptych.mri.volume import canonical, resample

GREY = 0.5  # probability from which a voxel of the template forms regions
REACH = 12.0  # mm: grey matter further than this from a region's own voxels is nobody's
ROUNDS = 30


@cache
def parcels(number: int, step: float) -> np.ndarray:
    """Regions 1..number on the template's grid (x, y, z), int32, 0 elsewhere: k-means of the places of grey matter.

    Half of them lie in the left hemisphere, from back to front; region k + number / 2 is the mirror image of region k, which
    the template's symmetry allows.
    """
    seen = template.load(2.0)
    every = np.zeros(seen.grey.shape, bool)
    every[::2, ::2, ::2] = every[1::2, ::2, ::2] = True  # a quarter of the voxels, alike on both sides
    places = _places((seen.grey > GREY) & every, seen.affine)
    left = places[places[:, 0] < 0]
    centres = left[np.linspace(0, len(left) - 1, number // 2).round().astype(int)]  # in the order of the array
    for _ in range(ROUNDS):
        code, _ = vq(left, centres)
        centres = np.array(
            [left[code == k].mean(axis=0) if (code == k).any() else centres[k] for k in range(len(centres))]
        )
    centres = centres[np.argsort(centres[:, 1], kind="stable")]
    both = np.vstack([centres, centres * [-1, 1, 1]])
    here = template.load(step)
    found = np.zeros(here.mask.shape, np.int32)
    inside = here.mask & (here.grey > 0.1)
    found[inside] = vq(_places(inside, here.affine), both)[0] + 1
    return _spread(found, step)


def atlas(path: Path, step: float) -> np.ndarray:
    """Labels of an atlas file in MNI space on the template's grid, int32.

    Raises
    ------
    DataError
        When it cannot be read, holds no whole numbers, or does not lie on the template's brain.
    """
    try:
        image = nib.load(path)
        values = np.asanyarray(image.dataobj)  # type: ignore[attr-defined]
    except (nib.filebasedimages.ImageFileError, OSError, ValueError, EOFError) as error:
        raise DataError(
            f"{path}: the atlas cannot be read ({error}); name a NIfTI file of labels in MNI space"
        ) from None
    if values.ndim != 3 or not np.array_equal(values, np.round(values)) or values.min() < 0:
        raise DataError(f"{path}: an atlas holds whole numbers, 0 or more, in three dimensions; this one does not")
    here = template.load(step)
    moved = resample(canonical(values, image.affine), here.mask.shape, here.affine, order=0)  # type: ignore[attr-defined]
    labels = np.round(moved.values).astype(np.int32)
    if np.count_nonzero(labels[here.mask]) < 0.05 * np.count_nonzero(here.mask):
        raise DataError(f"{path}: the atlas covers less than 5 % of the template's brain; is it in MNI space?")
    return labels


def volumes(labels: np.ndarray, grey: np.ndarray) -> dict[int, float]:
    """Sum of the share of grey matter in each region, voxels."""
    sums = np.bincount(labels.ravel(), weights=grey.ravel())
    return {int(k): float(sums[k]) for k in np.unique(labels) if k}


def _places(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    return np.argwhere(mask) @ affine[:3, :3].T + affine[:3, 3]


def _spread(labels: np.ndarray, step: float) -> np.ndarray:
    """Each voxel near a region belongs to the nearest: people's grey matter is not where the template's is."""
    distance, nearest = ndimage.distance_transform_edt(labels == 0, sampling=step, return_indices=True)
    return np.where(distance <= REACH, labels[tuple(nearest)], 0)
