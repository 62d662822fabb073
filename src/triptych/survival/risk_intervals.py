"""Sums over risk sets under delayed entry, in torch, without a subtraction.

A row is at risk over an interval of event times. Each interval is the union of a few nodes of a binary tree over the
event times, so a risk-set sum adds the nodes above an event time, and a row's rate adds the nodes of its interval. A
difference of two cumulative sums would lose small risk sets beside large risks; sums of positive terms do not.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad


def segment_logsumexp(values: Tensor, group: Tensor, n: int) -> Tensor:
    """Log of the sum of exp(values) per group, (n,); -inf for a group that is empty or holds -inf only."""
    top = torch.full((n,), -torch.inf, dtype=values.dtype, device=values.device)
    top = top.scatter_reduce(0, group, values, "amax")
    shift = torch.where(torch.isfinite(top), top, 0.0)
    return shift + torch.log(segment_sum(torch.exp(values - shift[group]), group, n))


def segment_sum(values: Tensor, group: Tensor, n: int) -> Tensor:
    """Sum of values per group, (n,)."""
    return torch.zeros(n, dtype=values.dtype, device=values.device).index_add_(0, group, values)


class RiskIntervals:
    """Rows j at risk at the event times begin[j] <= k < end[j], of K in all.

    begin, end : (n,) integer arrays.
    """

    def __init__(self, begin: np.ndarray, end: np.ndarray, n_times: int, device: torch.device) -> None:
        self.n, self.n_times = begin.size, n_times
        self.leaves = 1 << max(n_times - 1, 0).bit_length()
        rows, nodes = _canonical(begin + self.leaves, end + self.leaves)
        self.rows, self.nodes = torch.from_numpy(rows).to(device), torch.from_numpy(nodes).to(device)

    def sums(self, values: Tensor) -> Tensor:
        """Sum of values, (n,), over the risk set of each event time, (K,)."""
        tree = segment_sum(values[self.rows], self.nodes, 2 * self.leaves)
        level = tree[1:2]
        while level.numel() < self.leaves:
            level = level.repeat_interleave(2) + tree[2 * level.numel() : 4 * level.numel()]
        return level[: self.n_times]

    def log_sums(self, values: Tensor) -> Tensor:
        """As `sums`, of exp(values) and in log space."""
        tree = segment_logsumexp(values[self.rows], self.nodes, 2 * self.leaves)
        level = tree[1:2]
        while level.numel() < self.leaves:
            level = torch.logaddexp(level.repeat_interleave(2), tree[2 * level.numel() : 4 * level.numel()])
        return level[: self.n_times]

    def rates(self, steps: Tensor) -> Tensor:
        """Sum of steps, (K,), over the event times at which each row is at risk, (n,)."""
        levels = [pad(steps, (0, self.leaves - self.n_times))]
        while levels[-1].numel() > 1:
            levels.append(levels[-1].view(-1, 2).sum(1))
        tree = torch.cat([levels[-1].new_zeros(1), *reversed(levels)])
        return segment_sum(tree[self.nodes], self.rows, self.n)

    def log_rates(self, steps: Tensor) -> Tensor:
        """As `rates`, of exp(steps) and in log space; -inf for a row at risk at no event time."""
        levels = [pad(steps, (0, self.leaves - self.n_times), value=-torch.inf)]
        while levels[-1].numel() > 1:
            levels.append(torch.logsumexp(levels[-1].view(-1, 2), 1))
        tree = torch.cat([levels[-1].new_full((1,), -torch.inf), *reversed(levels)])
        return segment_logsumexp(tree[self.nodes], self.rows, self.n)


def _canonical(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and tree nodes whose leaves make up each interval [left, right) of leaf numbers."""
    rows, nodes = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    left, right = left.astype(np.int64), right.astype(np.int64)
    while (left < right).any():
        for odd, node in ((left & 1, left), (right & 1, right - 1)):
            chosen = np.flatnonzero((left < right) & (odd == 1))
            rows.append(chosen)
            nodes.append(node[chosen])
        left, right = (left + 1) >> 1, right >> 1
    return np.concatenate(rows), np.concatenate(nodes)
