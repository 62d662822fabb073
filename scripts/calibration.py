"""Predicted against observed risk of each model, with measures of calibration."""

from pathlib import Path

from triptych import tables
from triptych.calibrating import calibration
from triptych.job import main
from triptych.waist import read_curves


def run(*, predictions: Path, curves: Path, horizon: object, level: float, about: dict, table: Path) -> None:
    """Write the table ``calibration``."""
    shown = tables.without_controls(tables.read(predictions), about)
    found = calibration(shown, read_curves(curves), horizon, level)
    tables.write(tables.for_readers(found, about), table)


if __name__ == "__main__":
    main(run)
