"""The one training loop: any net, any loss on batches, early stopping on rows held out from training.

One process or several (``triptych.parallel``) give the same; a training that was stopped goes on after its last epoch
(``triptych.checkpoints``).
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn

from triptych import checkpoints, parallel
from triptych.errors import DataError
from triptych.launching import agreed
from triptych.processes import leads


class DivergedError(DataError):
    """The loss of a training is no finite number."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    learning_rate: float
    weight_decay: float = 0.0
    decay: float = 0.0  # the rate at epoch k is learning_rate / (1 + k * decay)
    patience: int = 0  # epochs without a better held-out loss before stopping; 0: never stop early
    precision: Literal["float32", "bf16"] = "float32"  # bf16: what gains from it is computed in bfloat16; weights stay


def pick_device(wanted: str) -> torch.device:
    """``cpu``, ``cuda`` (an error when there is none) or ``auto``; of a group of processes each gets its own GPU."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise DataError(
            "device: cuda was asked for, but this machine shows no GPU to torch; use `device: auto` or `cpu`"
        )
    parallel.join()
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def batch_rows(rows: int, size: int, seed: int, epoch: int) -> Iterator[torch.Tensor]:
    """Row numbers of each step of an epoch: all rows once, in an order of the seed and the epoch, ``size`` at a time.

    The same on every process of a group, which then shares each step.  The last step has what is left.
    """
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))
    yield from order.split(size)


def train(
    net: nn.Module,
    batches: Callable[[int], Iterable[Callable[[nn.Module], torch.Tensor]]],
    schedule: Schedule,
    held_out: Callable[[nn.Module], torch.Tensor] | None = None,
) -> list[float]:
    """Train a net in place.

    Parameters
    ----------
    batches
        Called once per epoch with its number, on which alone its steps may depend; yields one function per step, each
        net -> loss.  A step that says ``parallel.forward(net, rows)`` and not ``net(rows)`` shares its rows among processes.
    held_out
        net -> loss on rows kept out; the weights with the smallest one are restored at the end.

    Returns
    -------
    list of float
        The held-out loss (else the training loss) after each epoch.

    Raises
    ------
    DivergedError
        When the loss is not finite.
    SystemExit
        After SIGTERM or SIGUSR1, when the epoch has ended and is kept.
    """
    shared = parallel.wrapped(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch * schedule.decay))
    run = _Run(net, optimizer, rate, best_weights=copy.deepcopy(net.state_dict()))
    checkpoint = checkpoints.next_one()
    if checkpoint and (found := checkpoint.read()):
        run.load_state_dict(found)
        if leads():
            print(f"training goes on after epoch {len(run.history)}", flush=True)
    with checkpoints.noticing(checkpoint) as signals:
        while len(run.history) < schedule.epochs and not run.stopped:
            epoch = len(run.history)
            net.train()
            losses = []
            for step in batches(epoch):
                optimizer.zero_grad()
                with _precision(net, schedule):
                    loss = step(shared)
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            rate.step()
            run.judge(agreed(_judge(shared, losses, schedule, held_out)), schedule, held_out is not None)
            signal = parallel.largest(signals[0] if signals else 0)
            if checkpoint and (signal or checkpoint.due):
                checkpoint.write(run.state_dict())
            if signal:
                checkpoints.leave(signal, epoch + 1)
    if held_out:
        net.load_state_dict(run.best_weights)
    net.eval()
    return run.history


@dataclass
class _Run:
    """All that changes while a net is trained."""

    net: nn.Module
    optimizer: torch.optim.Optimizer
    rate: torch.optim.lr_scheduler.LRScheduler
    best_weights: dict[str, Any]
    history: list[float] = field(default_factory=list)
    best: float = float("inf")
    best_epoch: int = 0
    stopped: bool = False

    def judge(self, loss: float, schedule: Schedule, stop_early: bool) -> None:
        """Take the loss of an epoch: keep the best weights, and see whether it is time to stop."""
        epoch = len(self.history)
        self.history.append(loss)
        if loss != loss or loss == float("inf"):
            raise DivergedError(f"training diverged at epoch {epoch + 1} (loss {loss}); lower `learning_rate:`")
        if loss < self.best:
            self.best, self.best_epoch, self.best_weights = loss, epoch, copy.deepcopy(self.net.state_dict())
        elif stop_early and schedule.patience and epoch - self.best_epoch >= schedule.patience:
            self.stopped = True

    def state_dict(self) -> dict[str, Any]:
        """What a training needs to go on as if it had not been stopped; random numbers are those of torch."""
        on_gpus = torch.cuda.get_rng_state() if next(self.net.parameters()).is_cuda else None
        parts = {name: getattr(self, name).state_dict() for name in _PARTS}
        return parts | {name: getattr(self, name) for name in _VALUES} | {"random": (torch.get_rng_state(), on_gpus)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for name in _PARTS:
            getattr(self, name).load_state_dict(state[name])
        for name in _VALUES:
            setattr(self, name, state[name])
        torch.set_rng_state(state["random"][0])
        if state["random"][1] is not None:
            torch.cuda.set_rng_state(state["random"][1])


_PARTS = ("net", "optimizer", "rate")
_VALUES = ("best_weights", "history", "best", "best_epoch", "stopped")


def _judge(
    net: nn.Module,
    losses: list[torch.Tensor],
    schedule: Schedule,
    held_out: Callable[[nn.Module], torch.Tensor] | None,
) -> float:
    if held_out is None:
        return float(torch.stack(losses).mean())
    net.eval()
    with torch.no_grad(), _precision(net, schedule):
        return float(held_out(net))


def _precision(net: nn.Module, schedule: Schedule) -> AbstractContextManager:
    """Mixed precision where it was asked for, on the net's own kind of device."""
    if schedule.precision == "float32":
        return nullcontext()
    return torch.autocast(next(net.parameters()).device.type, torch.bfloat16)
