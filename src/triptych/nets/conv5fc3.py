"""Five convolutions and three dense layers over a volume: Conv5-FC3 (Wen, Thibeau-Sutre et al. 2020, MedIA 63:101694)."""

import math

import torch
from torch import nn

from triptych.nets.norms import norm
from triptych.nets.stems import Stem


class Conv5FC3(nn.Module):
    """Blocks of convolution, normalisation, ReLU and pooling that halve the volume; then dense layers; one output per row.

    With the defaults and an image of 169 x 208 x 179 voxels it is the net of the paper: 42.3 million weights, pooling that
    pads odd sizes, dropout before the first dense layer.

    Parameters
    ----------
    shape
        Voxels along each axis.
    channels
        Of each block.
    hidden
        Width of each dense layer but the last.
    normalise
        ``batch``, as in the paper, or ``group``, which does not depend on the other rows of a batch.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        channels: tuple[int, ...] = (8, 16, 32, 64, 128),
        hidden: tuple[int, ...] = (1300, 50),
        *,
        dropout: float = 0.5,
        normalise: str = "group",
    ) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for inputs, outputs in zip((1, *channels), channels, strict=False):
            convolution = nn.Conv3d(inputs, outputs, 3, padding=1) if blocks else Stem(outputs, 3)
            blocks += [convolution, norm(normalise, outputs), nn.ReLU(), nn.MaxPool3d(2, ceil_mode=True)]
            shape = tuple(math.ceil(n / 2) for n in shape)  # type: ignore[assignment]
        self.features = nn.Sequential(*blocks)
        width, dense = channels[-1] * math.prod(shape), []
        for wider in hidden:
            dense += [nn.Linear(width, wider), nn.ReLU()]
            width = wider
        self.dense = nn.Sequential(nn.Dropout(dropout), *dense, nn.Linear(width, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Volumes (n, 1, x, y, z) -> (n,)."""
        return self.dense(self.features(x).flatten(1)).squeeze(-1)
