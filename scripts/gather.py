"""Gather the predictions of all fits of one task into the waist."""

from pathlib import Path

from triptych import tables
from triptych.job import main
from triptych.waist import gather


def run(
    *,
    fits: list[Path],
    notes: list[Path],
    splits: Path,
    kind: str,
    tolerance: float,
    controls: list,
    predictions: Path,
    curves: Path,
    failures: Path,
    fitted: Path,
) -> None:
    """Write predictions, their survival curves, failed fits, and what each fit chose."""
    said = [tables.read_json(path) for path in notes]
    waist = gather([tables.read(path) for path in fits], said, tables.read(splits), kind, tolerance, controls)
    tables.write(waist.failures, failures)
    tables.write([fit for one in said for fit in one["fits"]], fitted)
    tables.write(waist.curves, curves)
    tables.write(waist.predictions, predictions)


if __name__ == "__main__":
    main(run)
