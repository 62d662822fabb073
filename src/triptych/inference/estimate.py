"""An estimate with the influence of each unit on it: what intervals and paired tests are made of."""

from dataclasses import dataclass

from triptych.inference.checks import Floats
from triptych.inference.intervals import Interval, from_influence


@dataclass(frozen=True)
class Estimate:
    """A value and the influence of each independent unit on it, (I,), in the sorted order of the units' labels."""

    value: float
    influence: Floats

    def interval(self, *, level: float = 0.95, scale: str = "identity", unit: str = "patient") -> Interval:
        """Interval by `intervals.from_influence`; NotEstimableError with fewer than 20 units."""
        return from_influence(self.value, self.influence, level=level, scale=scale, unit=unit)
