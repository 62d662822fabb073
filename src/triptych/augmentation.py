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
        x = _moved(x, np.stack([_affine(random, self.strength, self.flip, x.shape[2:]) for random in drawn]))
        if self.strength:
            x = torch.stack([_relit(one, random, self.strength) for one, random in zip(x, drawn, strict=True)])
        return x


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
    grid = torch.stack([_places(x.shape[2:], torch.as_tensor(one, dtype=x.dtype, device=x.device)) for one in affine])
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _places(shape: torch.Size, affine: torch.Tensor) -> torch.Tensor:
    """Where each voxel comes from (x, y, z, 3), last axis first, as torch wants it; five times as fast as its affine_grid."""
    a, b, c = ((2 * torch.arange(n, dtype=affine.dtype, device=affine.device) + 1) / n - 1 for n in shape)
    along_x, along_y, along_z, shift = affine.flip(0).unbind(1)
    plane = b[:, None, None] * along_y + c[:, None] * along_z + shift
    both = torch.stack([plane.flatten(), along_x.repeat(len(b) * len(c))])
    return (torch.stack([torch.ones_like(a), a], dim=1) @ both).view(*shape, 3)


def _relit(x: torch.Tensor, random: np.random.Generator, strength: float) -> torch.Tensor:
    """Another contrast, bias field, gain and noise for one volume (1, x, y, z)."""
    gamma, gain, offset = random.uniform(-1, 1, 3) * strength
    terms = random.uniform(-1, 1, 9) * strength * FIELD / 3
    noise = torch.Generator(x.device).manual_seed(int(random.integers(2**62)))
    low, high = x.min(), x.max()
    span = (high - low).clamp_min(1e-6)
    inside = x != 0
    x = ((x - low) / span).log_().mul_(math.exp(gamma * GAMMA)).exp_().mul_(span).add_(low)
    x.mul_(_field(x.shape[1:], terms, x).add_(gain * GAIN).exp_())
    grain = torch.randn(x.shape, generator=noise, device=x.device).mul_(strength * NOISE * random.random())
    return x.add_(grain.add_(offset * OFFSET).mul_(span)).mul_(inside)


def _field(shape: torch.Size, terms: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    """A smooth field (x, y, z): a polynomial of the second degree, between about -1 and 1 times the size of its terms."""
    a, b, c = (torch.linspace(-1, 1, n, dtype=like.dtype, device=like.device) for n in shape)
    k = [float(term) for term in terms]
    a, b, c = a[:, None, None], b[:, None], c
    plane = k[1] * b + k[2] * c + k[4] * b * b + k[5] * c * c + k[8] * b * c
    return (k[0] * a + k[3] * a * a) + a * (k[6] * b + k[7] * c) + plane
