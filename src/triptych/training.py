"""The one training loop: any net, any loss on batches, early stopping on rows held out from training."""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from triptych.errors import DataError


@dataclass(frozen=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    learning_rate: float
    weight_decay: float = 0.0
    decay: float = 0.0  # the rate at epoch k is learning_rate / (1 + k * decay)
    patience: int = 0  # epochs without a better held-out loss before stopping; 0: never stop early


def pick_device(wanted: str) -> torch.device:
    """``cpu``, ``cuda`` (an error when there is none) or ``auto``."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise DataError(
            "device: cuda was asked for, but this machine shows no GPU to torch; use `device: auto` or `cpu`"
        )
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def train(
    net: nn.Module,
    batches: Callable[[], Iterable[Callable[[nn.Module], torch.Tensor]]],
    schedule: Schedule,
    held_out: Callable[[nn.Module], torch.Tensor] | None = None,
) -> list[float]:
    """Train a net in place.

    Parameters
    ----------
    batches
        Called once per epoch; yields one function per step, each net -> loss.
    held_out
        net -> loss on rows kept out; the weights with the smallest one are restored at the end.

    Returns
    -------
    list of float
        The held-out loss (else the training loss) after each epoch.

    Raises
    ------
    DataError
        When the loss is not finite.
    """
    optimizer = torch.optim.Adam(net.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch * schedule.decay))
    history: list[float] = []
    best, best_epoch, best_weights = float("inf"), 0, copy.deepcopy(net.state_dict())
    for epoch in range(schedule.epochs):
        net.train()
        losses = []
        for step in batches():
            optimizer.zero_grad()
            loss = step(net)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        rate.step()
        history.append(_judge(net, losses, held_out))
        if history[-1] != history[-1] or history[-1] == float("inf"):
            raise DataError(f"training diverged at epoch {epoch + 1} (loss {history[-1]}); lower `learning_rate:`")
        if history[-1] < best:
            best, best_epoch, best_weights = history[-1], epoch, copy.deepcopy(net.state_dict())
        elif held_out and schedule.patience and epoch - best_epoch >= schedule.patience:
            break
    if held_out:
        net.load_state_dict(best_weights)
    net.eval()
    return history


def _judge(net: nn.Module, losses: list[torch.Tensor], held_out: Callable[[nn.Module], torch.Tensor] | None) -> float:
    if held_out is None:
        return float(torch.stack(losses).mean())
    net.eval()
    with torch.no_grad():
        return float(held_out(net))
