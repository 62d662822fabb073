"""Measure the coverage of intervals and the level of tests in simulated cohorts."""

from pathlib import Path

import pandas as pd

from triptych import tables
from triptych.coverage.measure import REPLICATES, grid, measure
from triptych.job import main


def run(*, scenario: str, events: float, seed: int, table: Path) -> None:
    """Write one row per cell and metric for one scenario and share of events."""
    cells = [cell for cell in grid() if cell.scenario == scenario and cell.events == events]
    tables.write(pd.DataFrame([row for cell in cells for row in measure(cell, REPLICATES[scenario], seed)]), table)


if __name__ == "__main__":
    main(run)
