"""What models read: the brain in MNI space as float16 without compression, and what lies outside it as a control.

Decompressing every scan in every epoch costs more than a small network's arithmetic; a mapped array costs nothing.
"""

import numpy as np
from scipy import ndimage

from triptych.mri import template
from triptych.mri.volume import Volume, resample

COARSE = 8.0  # mm: voxel of the background
MARGIN = 10.0  # mm around the template's brain that count as brain there
MOST = 4.0  # times the brain's 99th percentile: brighter background counts as this


def brain(values: np.ndarray) -> np.ndarray:
    """The normalised brain (x, y, z), float16; the template's box is its frame."""
    return np.ascontiguousarray(values.astype(np.float16))


def background(scan: Volume, matrix: np.ndarray, bright: float) -> np.ndarray:
    """What the scan holds outside the brain (x, y, z), float16, on coarse voxels; the brain is 0.

    A model that learns from this has learned the field of view, the scanner or how a face was removed, not the brain.

    Parameters
    ----------
    scan
        The scan before anything was removed.
    matrix
        Millimetres of the template to those of the scan.
    bright
        Intensity that counts as 1: the 99th percentile of the brain.
    """
    shape, affine = template.grid(COARSE, template.WIDE_LOW, template.WIDE_HIGH)
    values = resample(scan, shape, affine, matrix).values / max(bright, np.finfo(np.float32).tiny)
    fine = template.load(2.0)
    kept = ndimage.distance_transform_edt(~np.pad(fine.mask, 8), sampling=2.0) <= MARGIN
    moved = fine.affine.copy()
    moved[:3, 3] -= 16.0
    inner = resample(Volume(kept.astype(np.float32), moved), shape, affine).values > 0.01
    return np.where(inner, 0, np.clip(values, 0, MOST)).astype(np.float16)
