"""Variance components of right and wrong predictions, and of scores by fold and by site."""

from pathlib import Path

from triptych import tables
from triptych.job import main
from triptych.varying import variance_components


def run(*, predictions: Path, values: list[Path], metrics: list, about: dict, table: Path) -> None:
    """Write the table ``components``."""
    shown = tables.without_controls(tables.read(predictions), about)
    known = {metric: tables.read(path) for metric, path in zip(metrics, values, strict=True)}
    tables.write(tables.for_readers(variance_components(shown, known), about), table)


if __name__ == "__main__":
    main(run)
