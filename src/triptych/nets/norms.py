"""Normalisation of the channels of a volume."""

from torch import nn

TOGETHER = 4  # channels of a group


def norm(name: str, channels: int) -> nn.Module:
    """``batch``: each channel over all rows of a batch; ``group``: four channels at a time, in each row on its own."""
    if name == "batch":
        return nn.BatchNorm3d(channels)
    return nn.GroupNorm(channels // TOGETHER if channels % TOGETHER == 0 else 1, channels)
