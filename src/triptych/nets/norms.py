"""Normalisation of the channels of a volume."""

from typing import Any

import torch
from torch import nn

TOGETHER = 4  # channels of a group
LARGE = 500_000  # values of a group of one row; for more, the single block of the kernel of torch leaves a GPU idle
SPACE = (2, 3, 4)


def norm(name: str, channels: int) -> nn.Module:
    """``batch``: each channel over all rows of a batch; ``group``: four channels at a time, in each row on its own."""
    if name == "batch":
        return nn.BatchNorm3d(channels)
    return GroupNorm(channels // TOGETHER if channels % TOGETHER == 0 else 1, channels)


class GroupNorm(nn.GroupNorm):
    """That of torch; large volumes in bfloat16 are summed by the whole GPU, and stay in bfloat16."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Volumes (n, channels, x, y, z) -> the same shape."""
        if x.is_cuda and x.dtype == torch.bfloat16 and x[0].numel() // self.num_groups >= LARGE:
            return _Grouped.apply(x, self.weight, self.bias, self.num_groups, self.eps)
        return super().forward(x)


class _Grouped(torch.autograd.Function):
    """Group normalisation (Wu & He 2018, eq. 1-2) from sums over space in float32; y = shift + scale x for each channel."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, groups: int, eps: float) -> Any:
        """``x`` (n, channels, x, y, z)."""
        n, number = len(x), x[0].numel() // groups
        squares = torch.linalg.vector_norm(x, 2, SPACE, dtype=torch.float32).square_().view(n, groups, -1).sum(2)
        mean = x.sum(SPACE, dtype=torch.float32).view(n, groups, -1).sum(2) / number
        inverse = ((squares / number - mean.square()).clamp_min_(0) + eps).rsqrt()
        scale = weight.view(groups, -1) * inverse[..., None]
        ctx.save_for_backward(x, weight, mean, inverse)
        return torch.addcmul(_each(bias.view(groups, -1) - mean[..., None] * scale, x), x, _each(scale, x))

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> Any:
        """``slope`` of the output -> of input, weight and bias; like the input it is a sum of terms per channel."""
        x, weight, mean, inverse = ctx.saved_tensors
        (n, groups), number = mean.shape, x[0].numel() // mean.shape[1]
        plain = slope.sum(SPACE, dtype=torch.float32).view(n, groups, -1)
        along = (slope * x).sum(SPACE, dtype=torch.float32).view(n, groups, -1)
        along = (along - mean[..., None] * plain) * inverse[..., None]  # with the normalised x
        shares = weight.view(1, groups, -1)
        through_mean, through_scale = ((sums * shares).sum(2) * inverse / number for sums in (plain, along))
        of_x = (-through_scale * inverse)[..., None].expand_as(plain)
        constant = (through_scale * inverse * mean - through_mean)[..., None].expand_as(plain)
        found = torch.addcmul(_each(constant, x), x, _each(of_x, x))
        found = torch.addcmul(found, slope, _each(shares * inverse[..., None], x))
        return found, along.sum(0).flatten(), plain.sum(0).flatten(), None, None


def _each(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Numbers (n, groups, channels of a group) beside volumes (n, channels, x, y, z)."""
    return values.reshape(len(like), -1).to(like.dtype)[:, :, None, None, None]
