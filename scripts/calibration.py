"""Predicted against observed risk at the horizon."""

from pathlib import Path

from triptych import tables
from triptych.curves import calibration
from triptych.job import main
from triptych.waist import read_curves


def run(*, predictions: Path, curves: Path, horizon: object, about: dict, table: Path) -> None:
    """Write the table ``calibration``."""
    found = calibration(tables.read(predictions), read_curves(curves), horizon)
    tables.write(tables.for_readers(found, about), table)


if __name__ == "__main__":
    main(run)
