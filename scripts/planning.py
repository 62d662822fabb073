"""How many patients or sites a study of a wished precision would need."""

from pathlib import Path

from triptych import tables
from triptych.job import main
from triptych.sizing import planning


def run(*, scores: Path, metric: str, about: dict, table: Path) -> None:
    """Write the table ``planning``; the scores have labels already."""
    found = planning(tables.read(scores), metric)
    tables.write(found.assign(task=about["task"], time_unit=about["time_unit"]), table)


if __name__ == "__main__":
    main(run)
