"""A vision transformer over cubes of a volume (Dosovitskiy et al. 2021, ICLR; in three dimensions, small)."""

import math

import torch
from torch import nn
from torch.nn import functional


class ViT3D(nn.Module):
    """Cubes of voxels as tokens with learned places, blocks of attention, the mean over tokens; one output per row.

    Parameters
    ----------
    shape
        Voxels along each axis; what is left over at the far ends is filled with zeros.
    patch
        Edge of a cube, voxels.
    """

    def __init__(
        self, shape: tuple[int, int, int], *, patch: int, width: int, depth: int, heads: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        cells = [math.ceil(n / patch) for n in shape]
        self.missing = [
            pad for n, k in zip(reversed(shape), reversed(cells), strict=True) for pad in (0, k * patch - n)
        ]
        self.embed = nn.Conv3d(1, width, patch, stride=patch)
        self.place = nn.Parameter(torch.randn(1, math.prod(cells), width) * 0.02)
        self.blocks = nn.Sequential(*(_Block(width, heads, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Volumes (n, 1, x, y, z) -> (n,)."""
        tokens = self.embed(functional.pad(x, self.missing)).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(tokens + self.place)).mean(dim=1)).squeeze(-1)


class _Block(nn.Module):
    """Attention and a perceptron, each normalised before and added."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.asked = nn.Linear(width, 3 * width)
        self.given = nn.Sequential(nn.Linear(width, width), nn.Dropout(dropout))
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = self.asked(self.before(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value)
        x = x + self.given(seen.transpose(1, 2).flatten(2))
        return x + self.perceptron(x)
