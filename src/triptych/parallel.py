"""Training shared by several processes, through Lightning Fabric, with the result of one process.

Each process computes its share of the rows of a step.  The outputs of all rows are gathered, so that every process has the
whole loss: a partial likelihood compares rows, and a mean of losses over shares would be another loss.  Gradients are summed
over processes.  Dropout masks are those of one process.  What is left are differences of rounding.  gloo on CPUs, NCCL on GPUs.
"""

import os
from functools import cache
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from triptych.errors import DataError
from triptych.processes import group

_DROPOUTS = (functional.dropout, functional.dropout1d, functional.dropout2d, functional.dropout3d)


def share(rows: int, size: int, rank: int) -> slice:
    """The rows of one of ``size`` processes: runs that differ by one row at most, and are empty where rows are too few.

    >>> [share(5, 2, rank) for rank in (0, 1)]
    [slice(0, 3, None), slice(3, 5, None)]
    """
    least, more = divmod(rows, size)
    start = rank * least + min(rank, more)
    return slice(start, start + least + (rank < more))


def join() -> None:
    """Connect to the group, if there is one; the GPU of this process is the current one from then on."""
    if group() is not None:
        _fabric()


def mine(rows: int) -> slice:
    """Which of so many rows this process computes: in one process all of them."""
    us = group()
    return slice(0, rows) if us is None else share(rows, us.size, us.rank)


def forward(net: nn.Module, x: torch.Tensor, rows: int | None = None) -> torch.Tensor:
    """The outputs of a net for rows x (n, ...), all of them, computed in shares; in one process ``net(x)``.

    Gradients flow.  In a group the net must be the one that ``train`` hands to steps.

    Parameters
    ----------
    rows
        How many rows there are, when x holds only those that are ``mine``.
    """
    if group() is None:
        return net(x)
    n = len(x) if rows is None else rows
    with _DropoutOfAll(n, mine(n)):
        own = net(x[mine(n)] if rows is None else x)
    return _Gather.apply(own, n)


def wrapped(net: nn.Module) -> nn.Module:
    """The net as steps must call it: itself, or in a group one whose gradients are summed over processes.

    Raises
    ------
    DataError
        For layers that look across rows.
    """
    if group() is None:
        return net
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in net.modules()):
        raise DataError(
            "batch normalisation over shares of a batch is another net; use layer or group normalisation, or `devices: 1`"
        )
    return _fabric().strategy.setup_module(net)


def largest(value: int) -> int:
    """The largest of the values that the processes have."""
    if group() is None:
        return value
    found = torch.tensor(value, device=_fabric().device)
    torch.distributed.all_reduce(found, torch.distributed.ReduceOp.MAX)
    return int(found)


def broadcast(value: Any) -> Any:
    """The first process' value, which can be pickled."""
    return _fabric().broadcast(value)


def end() -> None:
    """Wait for each other and take the group's connections down."""
    if group() is not None and torch.distributed.is_initialized():
        _fabric().barrier()
        torch.distributed.destroy_process_group()


@cache
def _fabric() -> Any:
    """This process' place in the group, connected to the others."""
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments import LightningEnvironment
    from lightning_fabric.strategies import DDPStrategy

    us = group()
    assert us is not None
    on_gpu = us.device != "cpu" and torch.cuda.is_available()
    if on_gpu and torch.cuda.device_count() < us.devices:
        raise DataError(
            f"`devices: {us.devices}` was asked for, but this machine shows {torch.cuda.device_count()} GPUs to torch; "
            "lower it, or ask SLURM for as many on each node (docs/slurm.md)"
        )
    os.environ.update(
        LOCAL_RANK=str(us.local_rank), NODE_RANK=str(us.node)
    )  # Fabric reads them; srun says them in its own words
    fabric = Fabric(
        accelerator="cuda" if on_gpu else "cpu",
        devices=us.devices,
        num_nodes=us.nodes,
        strategy=DDPStrategy(process_group_backend="cpu:gloo,cuda:nccl" if on_gpu else "gloo"),
        plugins=[LightningEnvironment()],
    )
    fabric.launch()
    return fabric


class _Gather(torch.autograd.Function):
    """The shares of all processes, one after the other."""

    @staticmethod
    def forward(ctx: Any, own: torch.Tensor, rows: int) -> torch.Tensor:
        us = group()
        assert us is not None
        ctx.size, ctx.mine = us.size, share(rows, us.size, us.rank)
        shares = [share(rows, us.size, rank) for rank in range(us.size)]
        longest = shares[0].stop - shares[0].start
        padded = own.new_zeros(longest, *own.shape[1:])
        padded[: len(own)] = own
        parts = [torch.empty_like(padded) for _ in shares]
        torch.distributed.all_gather(parts, padded)
        return torch.cat([part[: one.stop - one.start] for part, one in zip(parts, shares, strict=True)])

    @staticmethod
    def backward(ctx: Any, *upstream: torch.Tensor) -> tuple[torch.Tensor, None]:
        # each process has the whole loss, so the gradient of its rows is complete; of the mean that follows it makes a sum
        return upstream[0][ctx.mine] * ctx.size, None


class _DropoutOfAll(TorchFunctionMode):
    """Draws the dropout masks of all rows of a step on every process, as one process would, and takes those of its own rows."""

    def __init__(self, rows: int, mine: slice) -> None:
        super().__init__()
        self.rows, self.mine = rows, mine

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in _DROPOUTS:
            return func(*args, **(kwargs or {}))
        x, p, training, inplace = _dropout_words(*args, **(kwargs or {}))
        if not training or p == 0:
            return x
        if len(x) != self.mine.stop - self.mine.start:
            raise DataError(
                f"dropout over {len(x)} rows, where this process has {self.mine.stop - self.mine.start}: put it where the "
                "first axis is the row, or say `devices: 1`"
            )
        mask = func(x.new_ones(self.rows, *x.shape[1:]), p, True)[self.mine]
        return x.mul_(mask) if inplace else x * mask


def _dropout_words(
    input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> tuple[torch.Tensor, float, bool, bool]:
    return input, p, training, inplace
