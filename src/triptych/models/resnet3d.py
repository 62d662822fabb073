"""A residual net over the whole brain, ResNet-18 in three dimensions (He et al. 2016)."""

from dataclasses import dataclass
from typing import Literal

from triptych.models._images import FittedNet, fit_net
from triptych.nets.resnet3d import ResNet3D
from triptych.tables import Examples

TASKS = ("classification", "regression")
NEEDS = ("image",)


@dataclass(frozen=True)
class Options:
    """Architecture, schedule, and how images are changed in training; of lists one candidate is chosen inside training."""

    blocks: tuple[int, ...] = (2, 2, 2, 2)
    width: int = 64
    stride: Literal[1, 2] = 2
    normalise: Literal["group", "batch"] = "group"
    dropout: float | tuple[float, ...] = 0.0
    epochs: int = 50
    learning_rate: float | tuple[float, ...] = 0.0001
    weight_decay: float | tuple[float, ...] = 0.0001
    trials: int = 0  # so many of the combinations of candidates, at random; 0: all
    patience: int = 10
    held_out: int = 5  # one fold of so many is kept for early stopping; 0: none
    batch: int = 8  # rows of a step, of all devices together
    augment: float = 1.0  # strength of random changes in training; 0: none
    flip: bool = False  # left and right are exchanged at random: only where the label knows no side
    balanced: bool = False  # classes weigh alike
    people_alike: bool = False  # people weigh alike, however many rows they have
    precision: Literal["auto", "float32", "bf16"] = "auto"  # auto: bf16 on GPUs
    maps: int | Literal["occlusion"] = 4  # noisy copies over which gradients are averaged; 0: no maps


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> FittedNet:
    """Train on the images of the block."""

    def make(shape: tuple[int, int, int], dropout: float) -> ResNet3D:
        width, stride = options.width, options.stride
        return ResNet3D(options.blocks, width, stride=stride, dropout=dropout, normalise=options.normalise)

    return fit_net(train, options, make, blocks=blocks, seed=seed, device=device)
