"""Brain extraction once the template is registered: what it cut off is given back, what it left of the head is taken away.

A surface that grows from the middle stops at a wide sulcus filled with fluid, and leaves out the lobe behind it: where two fifths
of the grey matter at a temporal pole are lost, the rest of the pole goes, too. Such a piece is bright, and deep in the template's
brain. Where no dark line of fluid and bone parts brain from muscle and vessels, the surface runs out, far from the template's.
"""

import numpy as np
from scipy import ndimage

from triptych.mri.extract import back
from triptych.mri.template import Template
from triptych.mri.volume import Volume, coarse, resample

STEP = 2.0  # mm
DEPTH = 4.0  # mm from the border of the template's brain: what lies so deep is brain in spite of an affine
FAR = 5.0  # mm outside the template's brain: nothing there is brain; with 4 to 6 the overlap with labels of IXI is best
LEAST = 1.0  # ml that a lost piece has at least, and all that is taken away; on ten heads of IXI nothing is given back
EDGE = 0.5  # between what is dark and the typical brain: bright enough to be no fluid


def mend(mask: Volume, values: Volume, matrix: np.ndarray, template: Template) -> Volume:
    """The mask (0 or 1) with the pieces of brain that it lacks and without what is none; the same object when it is right.

    Parameters
    ----------
    values
        The scan, bias field removed, on the mask's grid.
    matrix
        Millimetres of the template to those of the scan (4, 4).
    """
    small = coarse(values, STEP)
    known = coarse(mask, STEP).values > 0.5
    brain = Volume(template.mask.astype(np.float32), template.affine)
    near = resample(brain, small.values.shape, small.affine, np.linalg.inv(matrix)).values > 0.5
    dark, typical = np.percentile(small.values, 2), np.median(small.values[known])
    bright = near & ~known & (small.values > dark + EDGE * (typical - dark))
    rest = known & (ndimage.distance_transform_edt(~near, sampling=small.voxel) > FAR)
    rounds = max(round(DEPTH / float(small.voxel.mean())), 1)
    seeds = _large(ndimage.binary_opening(bright & ndimage.binary_erosion(near, iterations=rounds)), small.voxel_ml)
    taken = rest.sum() * small.voxel_ml >= LEAST
    if not seeds.any() and not taken:
        return mask
    found = mask.values
    if taken:
        found = np.where(back(small.of(rest), mask).values > 0.5, 0, found)
    if seeds.any():
        grown = ndimage.binary_dilation(seeds, iterations=rounds + 1, mask=bright)
        whole = np.pad((known & ~rest) | ndimage.binary_opening(grown) | seeds, 3)
        whole = ndimage.binary_fill_holes(ndimage.binary_closing(whole, iterations=3))[3:-3, 3:-3, 3:-3]
        found = np.maximum(back(small.of(whole), mask).values, found)
    return mask.of(found)


def _large(pieces: np.ndarray, voxel_ml: float) -> np.ndarray:
    """Connected pieces of at least ``LEAST`` ml."""
    labels, number = ndimage.label(pieces)
    ml = np.bincount(labels.ravel(), minlength=number + 1) * voxel_ml
    ml[0] = 0
    return (ml >= LEAST)[labels]
