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
    backwards = affine[:, ::-1, [2, 1, 0, 3]].copy()  # torch names the axes from the last to the first
    theta = torch.as_tensor(backwards, dtype=x.dtype, device=x.device)
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _relit(x: torch.Tensor, random: np.random.Generator, strength: float) -> torch.Tensor:
    """Another contrast, bias field, gain and noise for one volume (1, x, y, z)."""
    gamma, gain, offset = random.uniform(-1, 1, 3) * strength
    terms = random.uniform(-1, 1, 9) * strength * FIELD / 3
    noise = torch.Generator(x.device).manual_seed(int(random.integers(2**62)))
    low, high = x.min(), x.max()
    span = (high - low).clamp_min(1e-6)
    inside = x != 0
    x = low + span * ((x - low) / span) ** math.exp(gamma * GAMMA)
    x = x * torch.exp(_field(x.shape[1:], terms, x) + gain * GAIN)
    grain = torch.randn(x.shape, generator=noise, device=x.device) * (strength * NOISE * random.random())
    return torch.where(inside, x + span * (offset * OFFSET + grain), 0.0)


def _field(shape: torch.Size, terms: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    """A smooth field (x, y, z): a polynomial of the second degree, between about -1 and 1 times the size of its terms."""
    a, b, c = torch.meshgrid(
        *(torch.linspace(-1, 1, n, dtype=like.dtype, device=like.device) for n in shape),
        indexing="ij",
    )
    powers = (a, b, c, a * a, b * b, c * c, a * b, a * c, b * c)
    return sum((float(t) * power for t, power in zip(terms, powers, strict=True)), torch.zeros_like(a))
