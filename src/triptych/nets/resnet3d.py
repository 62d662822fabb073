"""A residual net over volumes, ResNet-18 when nothing else is said (He et al. 2016, CVPR; in three dimensions)."""

import torch
from torch import nn

from triptych.nets.norms import norm
from triptych.nets.stems import Stem


class ResNet3D(nn.Module):
    """A wide first convolution and pooling, stages of residual blocks, the mean over the volume; one output per row.

    Parameters
    ----------
    blocks
        Residual blocks of each stage; every stage but the first halves the volume and doubles the channels.
    width
        Channels of the first stage.
    stride
        Of the first convolution: 2, as for pictures, or 1, which costs eight times as much.
    """

    def __init__(
        self,
        blocks: tuple[int, ...] = (2, 2, 2, 2),
        width: int = 64,
        *,
        stride: int = 2,
        dropout: float = 0.0,
        normalise: str = "group",
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [Stem(width, 7, stride=stride, bias=False)]
        layers += [norm(normalise, width), nn.ReLU(), nn.MaxPool3d(3, stride=2, padding=1)]
        inputs = width
        for stage, number in enumerate(blocks):
            outputs = width * 2**stage
            for place in range(number):
                layers.append(_Block(inputs, outputs, 2 if stage and not place else 1, normalise))
                inputs = outputs
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Volumes (n, 1, x, y, z) -> (n,)."""
        return self.head(self.features(x).mean(dim=(2, 3, 4))).squeeze(-1)


class _Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int, normalise: str) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv3d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            norm(normalise, outputs),
            nn.ReLU(),
            nn.Conv3d(outputs, outputs, 3, padding=1, bias=False),
            norm(normalise, outputs),
        )
        same = stride == 1 and inputs == outputs
        self.shortcut: nn.Module = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv3d(inputs, outputs, 1, stride=stride, bias=False), norm(normalise, outputs))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.path(x) + self.shortcut(x))
