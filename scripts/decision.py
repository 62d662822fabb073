"""Net benefit of acting by each model, on everyone and on no one."""

from pathlib import Path

from triptych import tables
from triptych.deciding import decision
from triptych.job import main
from triptych.waist import read_curves


def run(*, predictions: Path, curves: Path, horizon: object, level: float, about: dict, table: Path) -> None:
    """Write the table ``decision``."""
    shown = tables.without_controls(tables.read(predictions), about)
    found = decision(shown, read_curves(curves), horizon, level)
    tables.write(tables.for_readers(found, about), table)


if __name__ == "__main__":
    main(run)
