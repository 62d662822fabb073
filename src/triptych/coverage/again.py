"""Cells that miss the goal, or do by chance, measured again with other random numbers: ``python -m triptych.coverage.again``.

Of 1,700 cells of 200 to 400 replicates some lie beyond two Monte-Carlo errors by chance alone, and more replicates tell which.
"""

import argparse
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from triptych.coverage.cells import CLAIMS, Cell
from triptych.coverage.digest import missing
from triptych.coverage.lookup import table
from triptych.coverage.measure import measure


def cell_of(row: dict[str, str]) -> Cell:
    """The simulated cell that a row of the table was measured in."""
    scenario = next(name for name, claims in CLAIMS.items() if row["scenario"] in claims)
    facts: dict[str, Any] = {field.name: field.type(row[field.name]) for field in fields(Cell)}  # type: ignore[operator]
    return Cell(**facts | {"scenario": scenario})


def again(replicates: int, seed: int) -> Iterator[str]:
    """One line per row that misses: what the table says and what new replicates say."""
    yield "| cell | method | metric | in the table | again | intervals or tests |"
    yield "|---|---|---|---|---|---|"
    found: dict[Cell, list[dict[str, Any]]] = {}
    for row in missing(table()):
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
    asked = parser.parse_args()
    for line in again(asked.replicates, asked.seed):
        print(line, flush=True)
