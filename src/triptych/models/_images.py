"""Nets over volumes: how those of all architectures are trained, predict, and show where they look."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.special import expit
from torch import nn
from torch.nn import functional

from triptych.augmentation import Augmentation
from triptych.batches import Clock, keep_memory, load
from triptych.maps import HIGH, LOW, OCCLUSION
from triptych.models._inputs import class_table, held_out_rows, need_classes, number_table, row_weights, weighted
from triptych.models._tuning import candidates, tuned
from triptych.nets.saliency import gradient, occlusion
from triptych.parallel import forward
from triptych.processes import leads
from triptych.tables import Examples
from triptych.training import DivergedError, Schedule, batch_rows, pick_device, train
from triptych.volumes import Volumes, summarise

EDGE = 16.0  # of the cubes that are replaced one by one, mm
OCCLUDED = 16  # rows of a fit for which that is done: a row costs hundreds of predictions
Make = Callable[[tuple[int, int, int], float], nn.Module]


@dataclass(frozen=True)
class FittedNet:
    """A net, and what turns files into its inputs and its outputs into the unit of the outcome.

    Attributes
    ----------
    voxels
        Center and scale of the values that the net sees.
    outcome
        Center and scale of its outputs.
    mean, sd
        Mean and standard deviation (x, y, z) of each voxel over the training rows.
    spread
        Standard deviation of the outputs over the training rows; 0 where no map is in its unit.
    maps
        Number of noisy copies over which gradients are averaged, or ``occlusion``; 0: no maps.
    """

    net: nn.Module
    blocks: tuple[str, ...]
    shape: tuple[int, int, int]
    voxels: tuple[float, float]
    outcome: tuple[float, float]
    mean: np.ndarray
    sd: np.ndarray
    spread: float
    device: torch.device
    maps: int | str
    seen: str
    notes: dict

    def predict(self, examples: Examples, times: np.ndarray | None = None) -> pd.DataFrame:
        """Log odds as score, or the number; row by row, so that no row's result depends on its company."""
        with torch.no_grad():
            found = np.array([float(self.net(x)) for x in self._rows(examples)])
        center, scale = self.outcome
        if examples.kind == "regression":
            return number_table(examples, center + scale * found)
        return class_table(examples, found, expit(found))

    def map(self, examples: Examples) -> np.ndarray | None:
        """How much each voxel moves the output, whichever way, mean over rows; and the mean brain: (2, x, y, z)."""
        if not self.maps:
            return None
        found = self._occluded(examples) if self.maps == OCCLUSION else self._gradients(examples)
        return np.stack([found, self.mean]).astype(np.float32)

    def _gradients(self, examples: Examples) -> np.ndarray:
        """By a change of one standard deviation of the voxel; 1 on average over voxels."""
        total = np.zeros(self.shape)
        for row, x in enumerate(self._rows(examples)):
            total += gradient(self.net, x, int(self.maps), row).abs().cpu().numpy() * self.sd
        return total / (total.mean() or 1.0)

    def _occluded(self, examples: Examples) -> np.ndarray:
        """By the mean brain in place of the cube around the voxel; in units of the spread of the outputs."""
        some = examples.take(np.unique(np.linspace(0, len(examples) - 1, OCCLUDED).round().astype(int)))
        fill, able = (torch.from_numpy(values).to(self.device) for values in (self.mean, self.sd > 0))
        edge = max(1, round(EDGE * self.shape[0] / (HIGH - LOW)[0]))
        total = np.zeros(self.shape)
        for x in self._rows(some):
            total += occlusion(self.net, x, _scaled(fill, self.voxels), edge, able).abs().cpu().numpy()
        return total / (len(some) * (self.spread or np.inf))

    def _rows(self, examples: Examples) -> Iterator[torch.Tensor]:
        """Each volume as the net sees it (1, 1, x, y, z)."""
        volumes = Volumes.of(examples.images(self.blocks), self.shape)
        for row in range(len(volumes)):
            yield _scaled(torch.from_numpy(volumes.read([row])).to(self.device).float().unsqueeze(1), self.voxels)


def fit_net(
    examples: Examples,
    options: Any,
    make: Make,
    *,
    blocks: list[str],
    seed: int,
    device: str,
) -> FittedNet:
    """Train a net of an architecture on all rows but those that are kept for early stopping, by which candidates are compared.

    Parameters
    ----------
    options
        ``Options`` of a model: its schedule, candidates of some options, and how images are changed in training.
    make
        Shape of the volumes and dropout -> net.

    Raises
    ------
    DataError
        When the training rows are of one class, an image cannot be read, all images are the same, or no row is left to learn
        from.
    """
    if examples.kind == "classification":
        need_classes(examples)
    asked, kept = candidates(options, seed), held_out_rows(examples, options.held_out, seed)
    keep_memory()
    volumes = Volumes.of(examples.images(blocks))
    summary, where = summarise(volumes), pick_device(device)
    weight = row_weights(examples, options.people_alike)
    outcome = (0.0, 1.0) if examples.kind == "classification" else weighted(examples.y, weight)
    target = (examples.y - outcome[0]) / (outcome[1] or 1.0)
    work = _Work(volumes, target, weight, examples.kind, summary.scale, options, seed, where, Clock())
    best, tried = _best(work, asked, make, kept)
    spread = work.spread(best.net) if options.maps == OCCLUSION else 0.0
    weights = sum(p.numel() for p in best.net.parameters())
    notes: dict[str, Any] = {"epochs": best.epochs, "shape": list(volumes.shape), "weights": weights}
    notes |= {"precision": work.precision, "loss": best.loss}
    if len(asked) > 1:
        notes |= {"chosen": tuned(best.options), "tried": tried}
    if options.maps == OCCLUSION:
        notes["maps"] = OCCLUSION
    return FittedNet(
        best.net,
        tuple(blocks),
        volumes.shape,
        summary.scale,
        outcome,
        summary.mean,
        summary.sd,
        spread,
        where,
        options.maps,
        examples.fingerprint(),
        notes,
    )


@dataclass(frozen=True)
class _Trained:
    """A net, what it was told, and its loss: on the rows that were kept out, else on the others."""

    net: nn.Module
    options: Any
    epochs: int
    loss: float


def _best(work: "_Work", asked: list[Any], make: Make, kept: np.ndarray) -> tuple[_Trained, list[dict[str, Any]]]:
    """Train each candidate from the same random numbers; the one with the least loss, and the loss of each.

    A candidate that diverges is out (its loss is None), unless there is no other.
    """
    best, tried, why = None, [], None
    for options in asked:
        try:
            one = _train(work, options, make, kept)
        except DivergedError as error:
            tried.append({**tuned(options), "loss": None})
            why = error
            continue
        tried.append({**tuned(options), "loss": one.loss})
        if best is None or one.loss < best.loss:
            best = one
    if best is None:
        assert why
        raise why
    return best, tried


def _train(work: "_Work", options: Any, make: Make, kept: np.ndarray) -> _Trained:
    torch.manual_seed(work.seed)
    net, learned = make(work.volumes.shape, options.dropout).to(work.device), np.flatnonzero(~kept)
    schedule = Schedule(
        options.epochs, options.learning_rate, options.weight_decay, patience=options.patience, precision=work.precision
    )
    held_out = (lambda net: work.loss(net, np.flatnonzero(kept))) if kept.any() else None
    history = train(net, lambda epoch: work.steps(learned, epoch), schedule, held_out)
    if leads():
        print(
            f"trained {len(history)} epochs; of that time {work.clock.share:.1%} was spent waiting for data", flush=True
        )
    return _Trained(net, options, len(history), min(history) if kept.any() else history[-1])


@dataclass(frozen=True)
class _Work:
    """What the steps of an epoch are made of."""

    volumes: Volumes
    target: np.ndarray
    weight: np.ndarray
    kind: str
    voxels: tuple[float, float]
    options: Any
    seed: int
    device: torch.device
    clock: Clock

    @property
    def precision(self) -> Any:
        """``auto``: bfloat16 where it is fast, on GPUs."""
        if self.options.precision == "auto":
            return "bf16" if self.device.type == "cuda" else "float32"
        return self.options.precision

    def steps(self, rows: np.ndarray, epoch: int) -> Iterator[Callable[[nn.Module], torch.Tensor]]:
        """One step for each batch of changed volumes."""
        change = Augmentation(self.options.augment, self.options.flip, self.seed)
        order = (rows[part.numpy()] for part in batch_rows(len(rows), self.options.batch, self.seed, epoch))
        for all_, own, x in load(self.volumes, order, self.device, self.clock):
            yield self._objective(_scaled(change(x, own, epoch), self.voxels), all_)

    def loss(self, net: nn.Module, rows: np.ndarray) -> torch.Tensor:
        """Mean loss over rows as they are."""
        parts = np.split(rows, range(self.options.batch, len(rows), self.options.batch))
        total = torch.zeros((), device=self.device)
        for all_, _, x in load(self.volumes, parts, self.device, self.clock):
            total = total + self._objective(_scaled(x, self.voxels), all_)(net) * len(all_)
        return total / len(rows)

    def spread(self, net: nn.Module) -> float:
        """Standard deviation of the outputs of a trained net over all rows as they are."""
        parts = np.split(np.arange(len(self.volumes)), range(self.options.batch, len(self.volumes), self.options.batch))
        with torch.no_grad():
            found = [
                forward(net, _scaled(x, self.voxels), len(all_)).float()
                for all_, _, x in load(self.volumes, parts, self.device, self.clock)
            ]
        return float(torch.cat(found).std(correction=0))

    def _objective(self, x: torch.Tensor, rows: np.ndarray) -> Callable[[nn.Module], torch.Tensor]:
        """Net -> cross-entropy, or squared error in units of the outcome's variance, of a batch."""
        y, weight = (
            torch.as_tensor(values[rows], dtype=torch.float32, device=self.device)
            for values in (self.target, self.weight)
        )
        if self.kind == "regression":
            return lambda net: (weight * (forward(net, x, len(rows)).float() - y).square()).mean()
        odds = torch.tensor(
            (self.target == 0).sum() / (self.target == 1).sum(), dtype=torch.float32, device=self.device
        )
        positive = odds if self.options.balanced else None
        return lambda net: functional.binary_cross_entropy_with_logits(
            forward(net, x, len(rows)).float(), y, weight, pos_weight=positive
        )


def _scaled(x: torch.Tensor, voxels: tuple[float, float]) -> torch.Tensor:
    return (x - voxels[0]) / voxels[1]
