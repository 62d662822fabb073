"""The first convolution of a net over volumes, whose input has one channel."""

import torch
from torch import nn
from torch.nn import functional


class Stem(nn.Conv3d):
    """``nn.Conv3d`` with one input channel; on a GPU a convolution of pictures whose channels are neighbouring slices.

    The sums are the same.  For one channel in three dimensions cuDNN has no fast kernel: on an H100 this layer took a third
    of a step of Conv5-FC3 at 1 mm.
    """

    def __init__(self, channels: int, size: int, *, stride: int = 1, bias: bool = True) -> None:
        super().__init__(1, channels, size, stride=stride, padding=size // 2, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Volumes (n, 1, x, y, z) -> (n, channels, x', y', z')."""
        return self.by_slices(x) if x.is_cuda else super().forward(x)

    def by_slices(self, x: torch.Tensor) -> torch.Tensor:
        """The same by pictures (y, z), one for each x'."""
        if torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))  # before each value is copied ``size`` times
        size, step, margin = self.kernel_size[0], self.stride[0], int(self.padding[0])
        slices = functional.pad(x[:, 0], (0, 0, 0, 0, margin, margin)).unfold(1, size, step)  # (n, x', y, z, size)
        pictures = slices.permute(0, 1, 4, 2, 3).flatten(0, 1)
        found = functional.conv2d(pictures, self.weight[:, 0], self.bias, stride=step, padding=margin)
        return found.unflatten(0, (len(x), -1)).transpose(1, 2).contiguous()
