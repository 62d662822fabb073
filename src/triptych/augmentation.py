"""Random changes of volumes while a net is trained: what another head position, scanner or day could have done.

Each row of an epoch has random numbers of its own, made from (seed, epoch, row): the same whatever batch it is in, on whatever
process, and after a training that was stopped.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

# The largest changes at strength 1; each is drawn evenly between none and that, in both directions.
ROTATION = math.radians(6)  # about each axis
SHIFT = 0.03  # of the image's width
ZOOM = 0.05
GAMMA = 0.2  # of the logarithm of the exponent of intensities
FIELD = 0.15  # of the logarithm of intensities, per term of a polynomial of the second degree
GAIN = 0.1
OFFSET = 0.03  # of the range of intensities, as is the next
NOISE = 0.03  # standard deviation


@dataclass(frozen=True)
class Augmentation:
    """How strong (0: not at all), and whether left and right may be exchanged, which not every label allows."""

    strength: float
    flip: bool
    seed: int

    def __call__(self, x: torch.Tensor, rows: np.ndarray, epoch: int) -> torch.Tensor:
        """Changed copies of volumes x (n, 1, x, y, z), float32; x runs from left to right.  What is 0 stays 0."""
        if not self.strength and not self.flip:
            return x
        drawn = [np.random.default_rng((self.seed, epoch, int(row))) for row in rows]
        together = (
            len(x) if x.is_cuda else 1
        )  # a GPU is kept waiting by small pieces; the cache of a CPU holds one volume
        parts = [self._changed(x[k : k + together], drawn[k : k + together]) for k in range(0, len(x), together)]
        return torch.cat(parts)

    def _changed(self, x: torch.Tensor, drawn: list[np.random.Generator]) -> torch.Tensor:
        x = _moved(x, np.stack([_affine(random, self.strength, self.flip, x.shape[2:]) for random in drawn]))
        return _relit(x, drawn, self.strength) if self.strength else x


def _affine(random: np.random.Generator, strength: float, flip: bool, shape: torch.Size) -> np.ndarray:
    """Where each output voxel comes from (3, 4), in coordinates from -1 to 1 along x, y, z."""
    angles, zooms = random.uniform(-1, 1, (2, 3)) * strength
    shifts = random.uniform(-1, 1, 3) * strength * 2 * SHIFT
    matrix = np.diag(np.exp(zooms * math.log1p(ZOOM)))
    for axis, angle in enumerate(angles * ROTATION):
        turn, (a, b) = np.eye(3), [k for k in range(3) if k != axis]
        turn[a, a] = turn[b, b] = math.cos(angle)
        turn[a, b], turn[b, a] = -math.sin(angle), math.sin(angle)
        matrix = matrix @ turn
    if random.random() < 0.5 and flip:  # drawn in any case, so that the option changes nothing else
        matrix = np.diag([-1.0, 1.0, 1.0]) @ matrix
    half = np.array(shape, float) / 2
    return np.column_stack([matrix * half / half[:, None], shifts])  # a turn of the head is one of millimetres


def _moved(x: torch.Tensor, affine: np.ndarray) -> torch.Tensor:
    """Volumes x (n, 1, x, y, z) interpolated where each affine says; beyond the edge is what lies at the edge."""
    grid = _places(x.shape[2:], torch.as_tensor(affine, dtype=x.dtype, device=x.device))
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _places(shape: torch.Size, affine: torch.Tensor) -> torch.Tensor:
    """Where each voxel comes from (n, x, y, z, 3), last axis first, as torch wants it; five times as fast as its affine_grid."""
    a, b, c = ((2 * torch.arange(k, dtype=affine.dtype, device=affine.device) + 1) / k - 1 for k in shape)
    along_x, along_y, along_z, shift = affine.flip(1)[:, None, None].unbind(4)
    plane = b[:, None, None] * along_y + c[:, None] * along_z + shift
    both = torch.stack([plane.flatten(1), along_x.expand_as(plane).flatten(1)], dim=1)
    return (torch.stack([torch.ones_like(a), a], dim=1) @ both).view(len(affine), *shape, 3)


def _relit(x: torch.Tensor, drawn: list[np.random.Generator], strength: float) -> torch.Tensor:
    """Another contrast, bias field, gain and noise for each volume (n, 1, x, y, z)."""
    each = (len(x), 1, 1, 1, 1)
    numbers = np.empty((len(x), 13))
    grain = torch.empty_like(x)
    for row, random in enumerate(drawn):
        numbers[row, :3], numbers[row, 3:12] = random.uniform(-1, 1, 3), random.uniform(-1, 1, 9)
        grain[row].normal_(generator=torch.Generator(x.device).manual_seed(int(random.integers(2**62))))
        numbers[row, 12] = random.random()
    gamma, gain, offset, *terms, noise = torch.as_tensor(strength * numbers, dtype=x.dtype, device=x.device).unbind(1)
    low, high = x.amin((1, 2, 3, 4), keepdim=True), x.amax((1, 2, 3, 4), keepdim=True)
    span = (high - low).clamp_min(1e-6)
    inside = x != 0
    x = ((x - low) / span).log_().mul_((gamma * GAMMA).exp().view(each)).exp_().mul_(span).add_(low)
    field = _field(x.shape[2:], [(term * FIELD / 3).view(each) for term in terms], x)
    x.mul_(field.add_((gain * GAIN).view(each)).exp_())
    return x.add_(grain.mul_((noise * NOISE).view(each)).add_((offset * OFFSET).view(each)).mul_(span)).mul_(inside)


def _field(shape: torch.Size, terms: list[torch.Tensor], like: torch.Tensor) -> torch.Tensor:
    """Smooth fields (n, 1, x, y, z): polynomials of the second degree, between about -1 and 1 times the size of their terms."""
    a, b, c = (torch.linspace(-1, 1, n, dtype=like.dtype, device=like.device) for n in shape)
    k, a, b = terms, a[:, None, None], b[:, None]
    plane = k[1] * b + k[2] * c + k[4] * b * b + k[5] * c * c + k[8] * b * c
    return (k[0] * a + k[3] * a * a) + a * (k[6] * b + k[7] * c) + plane
