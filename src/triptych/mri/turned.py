"""Whether a registered brain lies the way its header says: the template must fit it clearly better than the template turned.

Outlines overlap almost as well upside down, and any brain is brighter inside than at its rim, so that neither overlap nor
correlation tells a wrong registration from a right one. The template is symmetric: left and right cannot be told.
"""

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage

from triptych.mri import template
from triptych.mri.volume import Volume, resample

STEP = 4.0  # mm: folds of the cortex do not count
ORDERS = list(itertools.permutations(range(3)))  # which axis of the template lies along x, y and z
SIGNS = [(1, y, z) for y in (1, -1) for z in (1, -1)]
WORDS = {(1, 1, -1): "upside down", (1, -1, 1): "back to front", (1, -1, -1): "upside down and back to front"}


@dataclass(frozen=True)
class Fit:
    """How well the template fits as it is, and turned in the best of 23 other ways: correlations; and which way that is."""

    upright: float
    turned: float
    way: str

    @property
    def margin(self) -> float:
        """How much better it fits as it is."""
        return self.upright - self.turned


def fit(brain: Volume) -> Fit:
    """Compare a registered brain with the template in all 24 ways, mirror images included.

    Correlations are those of what depth below the brain's surface does not explain.

    Parameters
    ----------
    brain
        In the template's box, 0 outside the brain.
    """
    here, every = template.load(STEP), _ways()
    values = resample(brain, here.mask.shape, here.affine).values[here.mask]
    found = every @ _normal(values[None])[0]
    best = 1 + int(found[1:].argmax())
    order, sign = divmod(best, len(SIGNS))
    way = "with its axes exchanged" if order else WORDS[SIGNS[sign]]
    return Fit(float(found[0]), float(found[best]), way)


@cache
def _ways() -> np.ndarray:
    """The template in all ways (24, n), the right one first, inside its mask; each as wide, long and high as the template."""
    here, fine = template.load(STEP), template.load(2.0)
    t1 = Volume(fine.t1 * fine.mask, fine.affine)
    places = np.argwhere(here.mask) @ here.affine[:3, :3].T + here.affine[:3, 3]
    middle, spread = places.mean(axis=0), places.std(axis=0)
    rows = []
    for order in ORDERS:
        for sign in SIGNS:
            move = np.eye(4)
            move[:3, :3] = np.diag(spread * sign) @ np.eye(3)[list(order)] @ np.diag(1 / spread)
            move[:3, 3] = middle - move[:3, :3] @ middle
            rows.append(resample(t1, here.mask.shape, here.affine, move).values[here.mask])
    return _normal(np.array(rows))


def _normal(rows: np.ndarray) -> np.ndarray:
    """Rows (k, n) without what a cubic of the depth explains, of length 1; a row of nothing else is 0."""
    here = template.load(STEP)
    depth = ndimage.distance_transform_edt(here.mask, sampling=STEP)[here.mask]
    basis, _ = np.linalg.qr(np.vander(depth / depth.max(), 4))
    rest = rows - (rows @ basis) @ basis.T
    length = np.linalg.norm(rest, axis=1, keepdims=True)
    return np.where(length > 1e-6 * np.linalg.norm(rows, axis=1, keepdims=True), rest / np.maximum(length, 1e-30), 0)
