"""Where in a volume a net looks: how its output changes with the values, or when a part of the volume is replaced."""

from itertools import product

import torch
from torch import nn

AT_ONCE = 8  # volumes that the net is given together
NOISE = 0.15  # standard deviation, of the range of the volume's values


def gradient(net: nn.Module, x: torch.Tensor, copies: int, seed: int) -> torch.Tensor:
    """Mean gradient (x, y, z) of the output for one volume x (1, 1, x, y, z), over some noisy copies of it.

    SmoothGrad (Smilkov et al. 2017, arXiv:1706.03825).
    """
    random = torch.Generator(x.device).manual_seed(seed)
    spread, total = NOISE * (x.max() - x.min()), torch.zeros_like(x)
    for _ in range(copies):
        one = (x + spread * torch.randn(x.shape, generator=random, device=x.device)).requires_grad_()
        (found,) = torch.autograd.grad(net(one).sum(), one)
        total += found
    return total[0, 0] / copies


def occlusion(net: nn.Module, x: torch.Tensor, fill: torch.Tensor, edge: int, able: torch.Tensor) -> torch.Tensor:
    """Change (x, y, z) of the output for one volume x (1, 1, x, y, z) when the cube around a voxel is replaced, one by one.

    Zeiler & Fergus 2014 (arXiv:1311.2901).

    Parameters
    ----------
    fill
        What takes the place of a cube's values (x, y, z).
    edge
        Of a cube, voxels; cubes fill the volume from its first voxel on, and do not overlap.
    able
        Voxels (x, y, z) to look at, bool: a cube without one is left as it is, and voxels that are none have no change.
    """
    starts = product(*(range(0, n, edge) for n in able.shape))
    cubes = [tuple(slice(a, a + edge) for a in at) for at in starts]
    cubes = [cube for cube in cubes if able[cube].any()]
    found = torch.zeros(able.shape, dtype=x.dtype, device=x.device)
    with torch.no_grad():
        before = net(x)
        for first in range(0, len(cubes), AT_ONCE):
            together = cubes[first : first + AT_ONCE]
            copies = x.repeat(len(together), 1, 1, 1, 1)
            for copy, cube in zip(copies, together, strict=True):
                copy[0][cube] = fill[cube]
            for cube, change in zip(together, net(copies) - before, strict=True):
                found[cube] = change
    return found * able
