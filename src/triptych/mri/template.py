"""The MNI152 template that nilearn's package holds (ICBM152 2009a nonlinear symmetric), on the grids that are used here.

It is read from the installed package and never copied: its own description gives no licence. It is skull-stripped, so brains
are registered to it, not heads.
"""

from dataclasses import dataclass
from functools import cache

import nibabel as nib
import numpy as np
from scipy import ndimage

from triptych import raw
from triptych.mri.volume import Volume, largest, resample

SPACE = "MNI152NLin2009aSym"  # its name in BIDS
REFERENCE = (
    "https://www.bic.mni.mcgill.ca/~vfonov/icbm/2009/mni_icbm152_nlin_sym_09a_nifti.zip"  # where nilearn has it from
)
FILE = "package:nilearn/datasets/data/mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
LOW, HIGH = np.array([-80.0, -112.0, -76.0]), np.array([80.0, 80.0, 84.0])  # mm: the box around the template's brain
WIDE_LOW, WIDE_HIGH = np.array([-112.0, -144.0, -128.0]), np.array([112.0, 112.0, 112.0])  # mm: a head
INSIDE = 0.2  # of the brightest: where the brain begins, as in nilearn's brain mask


@dataclass(frozen=True)
class Template:
    """Maps (x, y, z), float32, 0 to 1, on one grid, symmetric in x.

    Attributes
    ----------
    t1
        Intensity.
    grey, white
        Probability of grey and of white matter.
    mask
        The brain, bool.
    affine
        Voxel to millimetres.
    """

    t1: np.ndarray
    grey: np.ndarray
    white: np.ndarray
    mask: np.ndarray
    affine: np.ndarray

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel, ml."""
        return Volume(self.t1, self.affine).voxel_ml


def grid(step: float, low: np.ndarray = LOW, high: np.ndarray = HIGH) -> tuple[tuple[int, ...], np.ndarray]:
    """Shape and affine of the box around the brain with voxels of ``step`` mm; 0 lies between two voxels."""
    shape = tuple(int(n) for n in np.round((high - low) / step))
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = low + step / 2
    return shape, affine


@cache
def load(step: float) -> Template:
    """The template on the grid of ``step`` mm around the brain."""
    shape, affine = grid(step)
    t1, grey, white = (resample(_cut(whole(name)), shape, affine).values for name in ("t1", "gm", "wm"))
    return Template(t1, grey, white, brain(t1), affine)


@cache
def whole(name: str) -> Volume:
    """One map of the package at 1 mm: ``t1``, ``gm`` or ``wm``."""
    image = nib.load(raw.locate(FILE.format(name), None, None))
    values = np.asanyarray(image.dataobj).astype(np.float32) / 255  # type: ignore[attr-defined]
    return Volume(values, np.asarray(image.affine, np.float64))  # type: ignore[attr-defined]


def _cut(volume: Volume, margin: float = 12.0) -> Volume:
    """The voxels of 1 mm in the box and some around it: less to smooth."""
    first = np.maximum(LOW - margin - volume.affine[:3, 3], 0).astype(int)
    last = (HIGH + margin - volume.affine[:3, 3]).astype(int)
    affine = volume.affine.copy()
    affine[:3, 3] += first
    return Volume(volume.values[tuple(slice(a, b) for a, b in zip(first, last, strict=True))], affine)


def brain(t1: np.ndarray) -> np.ndarray:
    """The brain of the template: one part without holes."""
    return ndimage.binary_fill_holes(largest(t1 > INSIDE))
