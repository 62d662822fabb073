"""Cells that miss the goal, or do by chance, measured again with other random numbers: ``python -m triptych.coverage.again``.

Of 1,700 cells of 200 to 400 replicates some lie beyond two Monte-Carlo errors by chance alone, and more replicates tell which.
With the table of an earlier state of the code (``--table``) it tells what became of the cells that missed then.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from triptych.coverage.cells import CLAIMS, Cell
from triptych.coverage.digest import missing
from triptych.coverage.lookup import table
from triptych.coverage.measure import measure


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a table of measured coverages, as `lookup.table` gives those that ship."""
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter="\t"))


def cell_of(row: dict[str, str]) -> Cell:
    """The simulated cell that a row of the table was measured in."""
    scenario = next(name for name, claims in CLAIMS.items() if row["scenario"] in claims)
    facts: dict[str, Any] = {field.name: field.type(row[field.name]) for field in fields(Cell)}  # type: ignore[operator]
    return Cell(**facts | {"scenario": scenario})


def again(rows: list[dict[str, str]], replicates: int, seed: int, errors: float = 2.0) -> Iterator[str]:
    """One line per row of a table that misses (see `digest.missing`): what the table says and what new replicates say."""
    yield "| cell | method | metric | in the table | again | intervals or tests |"
    yield "|---|---|---|---|---|---|"
    found: dict[Cell, list[dict[str, Any]]] = {}
    for row in missing(rows, errors):
        cell = cell_of(row)
        if cell not in found:
            found[cell] = measure(cell, replicates, seed)
        same = [one for one in found[cell] if all(one[name] == row[name] for name in ("scenario", "metric", "method"))]
        tried = round(same[0]["estimable"] * same[0]["replicates"])
        told = f"{float(row['share']):.3f} | {same[0]['share']:.3f} | {tried}"
        yield f"| {cell} | {row['method']} | {row['metric']} | {told} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table", type=Path, help="another table than the one that ships")
    parser.add_argument("--errors", type=float, default=2.0, help="Monte-Carlo errors by which a cell misses")
    asked = parser.parse_args()
    for line in again(read(asked.table) if asked.table else table(), asked.replicates, asked.seed, asked.errors):
        print(line, flush=True)
