"""What was measured of an interval in the simulated cell that is nearest to the data at hand."""

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

MEASURED_LEVEL = 0.95


@dataclass(frozen=True)
class Measured:
    """Share of intervals that held the truth in one simulated cell."""

    share: float
    n: int
    events: float
    sites: int
    replicates: int

    def words(self, level: float) -> str:
        """A sentence part for a reader: nominal, measured, and where."""
        where = f"{self.sites} sites of {self.n} patients" if self.sites else f"{self.n} patients"
        cell = f"{where}, {self.events:.0%} with event"
        return f"nominal {level:.0%}, measured {self.share:.1%} at worst in the nearest simulated cells ({cell})"


@cache
def table() -> list[dict[str, str]]:
    """The measurements that ship with the project (``snakemake coverage`` makes them anew)."""
    text = (files("triptych.coverage") / "measured.tsv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


def nearest(scenario: str, metric: str, *, n: int, events: float, sites: int = 0) -> Measured | None:
    """The worst share among the nearest cells of one scenario and metric; None when none was measured.

    Nearest by the ratios of patients, of events and of sites; cells that differ only in the strength of the signal or in the
    coarseness of times count as one, and the worst of them is quoted.
    """
    rows = [
        row
        for row in table()
        if row["scenario"] == scenario and row["metric"] == metric and float(row["estimable"]) > 0.5
    ]
    if not rows:
        return None

    def distance(row: dict[str, str]) -> float:
        far = 2 * abs(math.log(int(row["n"]) / max(n, 1))) + abs(math.log(float(row["events"]) / max(events, 0.01)))
        return far + (abs(math.log(int(row["sites"]) / sites)) if sites and int(row["sites"]) else 0.0)

    best = min(map(distance, rows))
    worst = min((row for row in rows if distance(row) <= best + 1e-9), key=lambda row: float(row["share"]))
    return Measured(
        float(worst["share"]), int(worst["n"]), float(worst["events"]), int(worst["sites"]), int(worst["replicates"])
    )
