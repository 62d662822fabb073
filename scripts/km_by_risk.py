"""Kaplan-Meier curves of the low and the high half by predicted risk."""

from pathlib import Path

from triptych import tables
from triptych.curves import km_by_risk
from triptych.job import main


def run(*, predictions: Path, rule: str, about: dict, table: Path) -> None:
    """Write the table ``km_by_risk``."""
    shown = tables.without_controls(tables.read(predictions), about)
    tables.write(tables.for_readers(km_by_risk(shown, rule), about), table)


if __name__ == "__main__":
    main(run)
