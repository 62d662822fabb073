"""How much of three tissues each voxel holds: a mixture of Gaussians for pure voxels and for those that two tissues share.

Partial volumes as Santago and Gage (1993) and Van Leemput et al. (2003): between fluid and grey, and grey and white matter, every
share is as likely, and its brightness lies between theirs in proportion. Weights at each place are the template's tissue maps, as
Ashburner and Friston (2005) have them, without their warp: maps are smoothed by what an affine leaves misplaced, and neighbours
vote. What N4 left of the bias field is found between rounds, as in Ashburner and Friston: the smooth part of how a voxel's
brightness differs from that of the tissue it holds.

Fluid and white matter get their brightness, and all the noise, from voxels deep inside, which hold nothing else, and grey matter
from the median where the template is sure of it. Fitted freely, wide Gaussians would swallow the mixed voxels, or mixtures of
fluid and white matter the grey ones.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from triptych.mri.template import Template

TISSUES = ("csf", "gm", "wm")
BLUR = 4.0  # mm, standard deviation: how far a fold of the cortex may lie from the template's after an affine
FLOOR = 0.05  # least prior weight of each tissue inside the mask
VOTE = 0.6  # weight of what the neighbours hold in the exponent
ROUNDS, ENOUGH = 60, 1e-4
PARTS = 4  # shares of mixed voxels are multiples of one over this
SAMPLE = 20_000  # voxels from which means and weights are learned
DEEP, FEWEST = 4.0, 30  # mm from the border of a tissue, voxels that must be left there
DARKEST = 5.0  # percentile of what lies deep in fluid, noise averaged out: ventricles and not sulci
BRIDGE = 10.0  # mm: half the width of the sulci that belong to the brain
RIM = 1.5  # mm of the fluid around it that do
# fluid, grey and white in each kind of voxel
KINDS = [[4, 0, 0], [0, 4, 0], [0, 0, 4], [3, 1, 0], [2, 2, 0], [1, 3, 0], [0, 3, 1], [0, 2, 2], [0, 1, 3]]
SHARES = np.array(KINDS, float) / PARTS
GROUP = np.array([0, 1, 2, 3, 3, 3, 4, 4, 4])  # pure ones, and two sorts of mixed ones
WIDE = 15.0  # mm, standard deviation: how smooth the rest of the bias field is
COARSE = 4.0  # mm: between the voxels that it is found from
PURE = 0.75  # share of one tissue from which a voxel tells the field
LEVELLED, STILL = 6, 0.003  # rounds at most, and root mean square of a change of the logarithm that is none
LEAST = 1e-12  # density of a brightness that no tissue has


@dataclass(frozen=True)
class Tissues:
    """Shares (3, x, y, z) of fluid, grey and white matter in each voxel, 0 outside the brain; means and deviations (3,)."""

    share: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    @property
    def volumes(self) -> np.ndarray:
        """Sum of the shares of each tissue, voxels (3,)."""
        return self.share.sum(axis=(1, 2, 3), dtype=np.float64)

    @property
    def labels(self) -> np.ndarray:
        """1 fluid, 2 grey, 3 white, 0 outside: what fills most of the voxel, uint8."""
        inside = self.share.sum(axis=0) > 0
        return np.where(inside, self.share.argmax(axis=0) + 1, 0).astype(np.uint8)


def segment(values: np.ndarray, mask: np.ndarray, template: Template, step: float) -> Tissues:
    """Tissues of a scan on the template's grid.

    Fluid counts within the brain's hull: what lies around it depends on how much the extraction of the brain has left there.

    Parameters
    ----------
    values
        Intensities (x, y, z), registered to the template and free of bias.
    mask
        The brain, bool, perhaps with fluid around.
    step
        Voxel size, mm.
    """
    prior = priors(template, mask, step)
    mean, deviation = _start(values[mask].astype(np.float64), prior[:, mask].astype(np.float64))
    if np.any(np.diff(mean) <= 0):  # no T1-weighted scan: quality says so
        return Tissues(prior, mean, deviation)
    values = values * np.exp(-_rest(values, mask, prior, step))
    logs, mean, noise = _weighed(values, mask, prior, step)
    share = _voted(logs, mask)
    return Tissues(np.where(_hull(share, mask, step), share, 0), mean, np.full(3, noise))


def _rest(values: np.ndarray, mask: np.ndarray, prior: np.ndarray, step: float) -> np.ndarray:
    """Logarithm of what is left of the bias field (x, y, z), from every voxel that lies about ``COARSE`` from the next."""
    stride = max(round(COARSE / step), 1)
    some = (slice(None, None, stride),) * 3
    seen, inside, place = values[some], mask[some], prior[(slice(None), *some)]
    field = np.zeros(seen.shape)
    for _ in range(LEVELLED):
        level = np.where(inside, seen * np.exp(-field), 0)
        logs, mean, _ = _weighed(level, inside, place, step * stride)
        share = np.zeros((3, *seen.shape))
        share[:, inside] = _expected(logs)
        pure = (share[1:].max(axis=0) > PURE) & (level > 0)
        ratio = np.log(np.where(pure, level, 1)) - np.log(np.where(pure, np.tensordot(mean, share, 1), 1))
        near = [ndimage.gaussian_filter(part, WIDE / (step * stride)) for part in (ratio, pure.astype(float))]
        change = near[0] / np.maximum(near[1], 1e-3)
        field += change
        if np.sqrt(np.mean(change[inside] ** 2)) < STILL:
            break
    return ndimage.affine_transform(field, [1 / stride] * 3, output_shape=values.shape, order=1, mode="nearest")


def _weighed(
    values: np.ndarray, mask: np.ndarray, prior: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Logarithms of the weights of each kind of voxel (9, n) inside the mask, the means of the tissues, and the noise."""
    x, place = values[mask].astype(np.float64), prior[:, mask].astype(np.float64)
    mean, noise, known = _pure(values, mask, place[1], _start(x, place)[0], step)
    logs = SHARES @ np.log(place)
    some = slice(None, None, max(1, len(x) // SAMPLE))
    mean, weight = _fit(x[some], logs[:, some], mean, noise, known)
    logs += np.log(_density(x, mean, noise)) + np.log(weight)[:, None]
    return logs, mean, noise


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


def _pure(
    values: np.ndarray, mask: np.ndarray, grey: np.ndarray, mean: np.ndarray, step: float
) -> tuple[np.ndarray, float, list[int]]:
    """Means, with those of fluid and white matter from deep inside where that is possible; the noise; which means are known.

    ``grey``: weight of grey matter at each voxel of the mask, before its brightness is seen.
    """
    mean, known = mean.copy(), [1, 2]
    mean[1] = _median(values[mask], grey**4)
    white = values[_deep(mask & (values > mean[1:].mean()), step)]
    mean[2] = np.median(white)
    noise = max(1.4826 * float(np.median(np.abs(white - mean[2]))), 1e-3 * float(np.ptp(values[mask])))
    away = ndimage.binary_erosion(mask, iterations=max(round(DEEP / step), 1))  # bone may be left at the border
    fluid = away & ndimage.binary_erosion(mask & (values < mean[:2].mean()))
    if fluid.sum() >= FEWEST:
        mean[0] = np.percentile(ndimage.uniform_filter(values, 3)[fluid], DARKEST)
        known = [0, 1, 2]
    return mean, noise, known


def _median(x: np.ndarray, weight: np.ndarray) -> float:
    """The value below which half of the weight lies."""
    order = np.argsort(x)
    below = np.cumsum(weight[order])
    return float(x[order][np.searchsorted(below, below[-1] / 2)])


def _deep(part: np.ndarray, step: float) -> np.ndarray:
    """What lies deepest in a part of the brain, as far as enough voxels are left."""
    for rounds in range(max(round(DEEP / step), 1), 0, -1):
        deep = ndimage.binary_erosion(part, iterations=rounds)
        if deep.sum() >= FEWEST:
            return deep
    return part


def _density(x: np.ndarray, mean: np.ndarray, noise: float) -> np.ndarray:
    """Of each brightness in each kind of voxel (9, n), up to a factor."""
    return np.exp(-0.5 * ((x - (SHARES @ mean)[:, None]) / noise) ** 2) + LEAST


def _fit(
    x: np.ndarray, logs: np.ndarray, mean: np.ndarray, noise: float, known: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Means (3,) and the weight of each kind of voxel (9,) by expectation and maximisation; means that are known stay.

    Parameters
    ----------
    logs
        Logarithms of the prior weights (9, n).
    """
    size = np.bincount(GROUP)
    weight, like = np.full(len(size), 1 / len(size)), -np.inf
    mean, free = mean.copy(), [k for k in range(3) if k not in known]
    prior = np.exp(logs - logs.max(axis=0))
    for _ in range(ROUNDS):
        here = prior * (weight / size)[GROUP][:, None]
        here /= here.sum(axis=0)
        joint = here * _density(x, mean, noise)
        total = joint.sum(axis=0)
        joint /= total
        weight *= np.bincount(GROUP, joint.sum(axis=1)) / np.bincount(GROUP, here.sum(axis=1))
        weight = np.maximum(weight / weight.sum(), 1e-6)
        square, cross = SHARES.T @ (joint.sum(axis=1)[:, None] * SHARES), SHARES.T @ (joint @ x)
        mean[free] = np.linalg.solve(
            square[np.ix_(free, free)], cross[free] - square[np.ix_(free, known)] @ mean[known]
        )
        now = float(np.log(total).mean())
        if abs(now - like) < ENOUGH:
            break
        like = now
    return mean, (weight / size)[GROUP]


def _expected(logs: np.ndarray) -> np.ndarray:
    """Shares (3, n) that logarithms of weights (9, n) lead to expect."""
    weight = np.exp(logs - logs.max(axis=0))
    return SHARES.T @ weight / weight.sum(axis=0)


def _voted(logs: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Shares (3, x, y, z) after two rounds in which the six neighbours vote."""
    cross = ndimage.generate_binary_structure(3, 1).astype(np.float32)
    cross[1, 1, 1] = 0
    found = np.zeros((3, *mask.shape), np.float32)
    found[:, mask] = _expected(logs)
    for _ in range(2):
        votes = np.stack([ndimage.convolve(part, cross, mode="constant") for part in found])[:, mask]
        found[:, mask] = _expected(logs + VOTE * (SHARES @ votes))
    return found


def _hull(share: np.ndarray, mask: np.ndarray, step: float) -> np.ndarray:
    """Where grey or white matter fills half of a voxel, and the fluid of sulci and ventricles between, and a rim; bool."""
    tissue = mask & (share[0] < 0.5)
    margin = int(np.ceil(BRIDGE / step)) + 1
    near = ndimage.distance_transform_edt(~np.pad(tissue, margin), sampling=step) <= BRIDGE
    closed = ndimage.distance_transform_edt(near, sampling=step) > BRIDGE - RIM
    closed = ndimage.binary_fill_holes(closed)[(slice(margin, -margin),) * 3]
    return mask & (closed | tissue)
