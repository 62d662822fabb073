"""What a leak to plant is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from triptych.planted.clean import KINDS, Draft, clean


@dataclass(frozen=True)
class Leak:
    """A kind of leak.

    check : the check that must find it. tasks : kinds of outcome that it is planted in. action : what the run does. base : the
    clean study that it is planted in. every : all rows that were planted must be named, not one of them.
    """

    plant: Callable[[Draft, np.random.Generator], tuple[Draft, list[str]]]
    check: str
    action: str = "stop"
    tasks: tuple[str, ...] = KINDS
    base: Callable[[str, int], Draft] = clean
    every: bool = False
