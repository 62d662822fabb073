"""Three tissues: a mixture of Gaussians whose weights at each place are the template's tissue maps.

As Ashburner and Friston (2005) do, without their warp: maps are smoothed by what an affine leaves misplaced, and neighbours
vote, so that a voxel is seldom unlike all around it.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from triptych.mri.template import Template

TISSUES = ("csf", "gm", "wm")
BLUR = 4.0  # mm, standard deviation: how far a fold of the cortex may lie from the template's after an affine
FLOOR = 0.05  # least prior weight of each tissue inside the mask
VOTE = 0.6  # weight of the neighbours' mean probability in the exponent
ROUNDS, ENOUGH = 60, 1e-4


@dataclass(frozen=True)
class Tissues:
    """Probabilities (3, x, y, z) of fluid, grey and white matter, 0 outside the mask; means and deviations (3,)."""

    probability: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    @property
    def volumes(self) -> np.ndarray:
        """Sum of the probabilities of each tissue, voxels (3,)."""
        return self.probability.sum(axis=(1, 2, 3), dtype=np.float64)

    @property
    def labels(self) -> np.ndarray:
        """1 fluid, 2 grey, 3 white, 0 outside: the likeliest, uint8."""
        inside = self.probability.sum(axis=0) > 0
        return np.where(inside, self.probability.argmax(axis=0) + 1, 0).astype(np.uint8)


def segment(values: np.ndarray, mask: np.ndarray, template: Template, step: float) -> Tissues:
    """Tissues of a scan on the template's grid.

    Parameters
    ----------
    values
        Intensities (x, y, z), registered to the template and free of bias.
    mask
        The brain, bool.
    step
        Voxel size, mm.
    """
    prior = priors(template, mask, step)
    x = values[mask].astype(np.float64)
    weight = prior[:, mask].astype(np.float64)
    mean, deviation = _start(x, weight)
    posterior = weight
    like = -np.inf
    for _ in range(ROUNDS):
        logs = -0.5 * ((x - mean[:, None]) / deviation[:, None]) ** 2 - np.log(deviation[:, None])
        joint = weight * np.exp(logs - logs.max(axis=0))
        total = joint.sum(axis=0)
        posterior = joint / total
        now = float((np.log(total) + logs.max(axis=0)).mean())
        share = posterior.sum(axis=1)
        mean = posterior @ x / share
        deviation = np.sqrt((posterior * (x - mean[:, None]) ** 2).sum(axis=1) / share)
        deviation = np.maximum(deviation, 1e-3 * np.ptp(x))
        if abs(now - like) < ENOUGH:
            break
        like = now
    logs = -0.5 * ((x - mean[:, None]) / deviation[:, None]) ** 2 - np.log(deviation[:, None])
    return Tissues(_voted(logs + np.log(weight), mask, posterior), mean, deviation)


def priors(template: Template, mask: np.ndarray, step: float) -> np.ndarray:
    """Weights (3, x, y, z) that sum to 1: the template's maps, blurred; fluid is what they leave."""
    maps = [ndimage.gaussian_filter(m, BLUR / step) for m in (template.grey, template.white)]
    fluid = np.clip(1 - maps[0] - maps[1], 0, 1)
    found = np.stack([fluid, *maps]) + FLOOR
    return np.where(mask, found / found.sum(axis=0), 0).astype(np.float32)


def _start(x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and deviations where the prior is sure."""
    sure = weight**4
    share = sure.sum(axis=1)
    mean = sure @ x / share
    deviation = np.sqrt((sure * (x - mean[:, None]) ** 2).sum(axis=1) / share)
    return mean, np.maximum(deviation, 1e-3 * np.ptp(x))


def _voted(logs: np.ndarray, mask: np.ndarray, posterior: np.ndarray) -> np.ndarray:
    """Probabilities after two rounds in which the six neighbours vote."""
    cross = ndimage.generate_binary_structure(3, 1).astype(np.float32)
    cross[1, 1, 1] = 0
    found = np.zeros((3, *mask.shape), np.float32)
    for _ in range(2):
        found[:, mask] = posterior
        votes = np.stack([ndimage.convolve(part, cross, mode="constant") for part in found])[:, mask]
        voted = logs + VOTE * votes
        voted = np.exp(voted - voted.max(axis=0))
        posterior = voted / voted.sum(axis=0)
    found[:, mask] = posterior
    return found
