"""Measure the coverage of intervals and the level of tests in simulated studies."""

from pathlib import Path

import pandas as pd

from triptych import tables
from triptych.coverage.cells import REPLICATES, grid, job_of
from triptych.coverage.measure import measure
from triptych.job import main


def run(*, job: str, seed: int, table: Path) -> None:
    """Write one row per cell, claim, metric and method for the cells of one job."""
    cells = [cell for cell in grid() if job_of(cell) == job]
    tables.write(pd.DataFrame([row for cell in cells for row in measure(cell, REPLICATES[cell.scenario], seed)]), table)


if __name__ == "__main__":
    main(run)
