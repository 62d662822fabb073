"""DeepSurv: a perceptron trained on the Cox partial likelihood with Efron ties (Katzman et al. 2018)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import torch

from triptych.models._inputs import TableEncoder, fit_encoder, held_out_rows, survival_table
from triptych.nets.mlp import MLP
from triptych.parallel import forward
from triptych.survival.cox import baseline_cumulative_hazard, cox_survival
from triptych.survival.losses import CoxLoss
from triptych.survival.nonparametric import StepCurve
from triptych.tables import Examples
from triptych.training import Schedule, batch_rows, pick_device, train

TASKS = ("survival",)
NEEDS = ("table",)


@dataclass(frozen=True)
class Options:
    """Architecture and schedule; ``members`` nets of different seeds are averaged."""

    hidden: tuple[int, ...] = (32,)
    activation: Literal["selu", "relu", "gelu", "tanh"] = "selu"
    dropout: float = 0.3
    ties: Literal["efron", "breslow"] = "efron"
    epochs: int = 200
    learning_rate: float = 0.005
    decay: float = 0.0
    weight_decay: float = 0.01
    patience: int = 30
    held_out: int = 5  # one fold of so many is kept for early stopping; 0: none
    members: int = 1
    batch: int = 0  # rows of a step, of all devices together; 0: all rows, so that every risk set is whole


@dataclass(frozen=True)
class Fitted:
    """Coding, nets and baseline hazard."""

    encoder: TableEncoder
    nets: tuple[MLP, ...]
    baseline: StepCurve
    device: torch.device
    seen: str
    notes: dict

    def predict(self, examples: Examples, times: np.ndarray | None = None) -> pd.DataFrame:
        """Risk is the log partial hazard."""
        risk = _log_risk(self.nets, self.encoder(examples), self.device)
        return survival_table(
            examples, risk, times, None if times is None else cox_survival(self.baseline, risk, times)
        )


def fit(examples: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> Fitted:
    """Train on all rows at once, or on ``batch`` rows at a time, whose risk sets are those of the batch."""
    encoder = fit_encoder(examples, blocks)
    x, where = encoder(examples), pick_device(device)
    nets, epochs = [], []
    for member in range(options.members):
        torch.manual_seed(seed + member)
        net = MLP(x.shape[1], options.hidden, activation=options.activation, dropout=options.dropout).to(where)
        epochs.append(_train_one(net, x, examples, options, seed + member, where))
        nets.append(net.double())  # equal rows then get risks that are equal to ten digits
    risk = _log_risk(tuple(nets), x, where)
    baseline = baseline_cumulative_hazard(risk, examples.time, examples.event, ties=options.ties)
    notes = {"epochs": epochs, "columns": x.shape[1], "dropped": encoder.dropped}
    return Fitted(encoder, tuple(nets), baseline, where, encoder.seen, notes)


def _train_one(net: MLP, x: np.ndarray, examples: Examples, options: Options, seed: int, where: torch.device) -> int:
    """Train one net; returns the number of epochs."""
    kept = held_out_rows(examples, options.held_out, seed)
    batches = _batches(x[~kept], examples.take(~kept), options, seed, where)
    held_out = _objective(x[kept], examples.take(kept), options, where) if kept.any() else None
    schedule = Schedule(options.epochs, options.learning_rate, options.weight_decay, options.decay, options.patience)
    return len(train(net, batches, schedule, held_out))


def _batches(x: np.ndarray, examples: Examples, options: Options, seed: int, where: torch.device):
    """The steps of an epoch: one on all rows, or one for each batch."""
    if not 0 < options.batch < len(x):
        on_all = _objective(x, examples, options, where)
        return lambda epoch: [on_all]
    return lambda epoch: (
        _objective(x[rows], examples.take(rows), options, where)
        for rows in map(np.asarray, batch_rows(len(x), options.batch, seed, epoch))
    )


def _objective(x: np.ndarray, examples: Examples, options: Options, where: torch.device):
    loss = CoxLoss(examples.time, examples.event, ties=options.ties)
    rows = torch.as_tensor(x, dtype=torch.float32, device=where)
    return lambda net: loss(forward(net, rows), reduction="mean")


def _log_risk(nets: tuple[MLP, ...], x: np.ndarray, where: torch.device) -> np.ndarray:
    rows = torch.as_tensor(x, dtype=torch.float64, device=where)
    with torch.no_grad():
        return np.mean([net(rows).cpu().numpy() for net in nets], axis=0)
