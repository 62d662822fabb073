"""Where in a volume a net looks: gradients of its output, smoothed over noisy copies (Smilkov et al. 2017, arXiv:1706.03825)."""

import torch
from torch import nn

NOISE = 0.15  # standard deviation, of the range of the volume's values


def gradient(net: nn.Module, x: torch.Tensor, copies: int, seed: int) -> torch.Tensor:
    """Mean gradient (x, y, z) of the output for one volume x (1, 1, x, y, z), over some noisy copies of it."""
    random = torch.Generator(x.device).manual_seed(seed)
    spread, total = NOISE * (x.max() - x.min()), torch.zeros_like(x)
    for _ in range(copies):
        one = (x + spread * torch.randn(x.shape, generator=random, device=x.device)).requires_grad_()
        (found,) = torch.autograd.grad(net(one).sum(), one)
        total += found
    return total[0, 0] / copies
