"""Plant every kind of leak in simulated studies, and count what the audit finds; count its alarms on clean studies."""

from pathlib import Path

import pandas as pd

from triptych import tables
from triptych.job import main
from triptych.planted.measure import CLEAN, COLUMNS, kinds, measure


def run(*, seeds: int, clean: int, table: Path) -> None:
    """Write one row per kind of leak."""
    found = [measure(kind, range(clean if kind.startswith(CLEAN) else seeds)) for kind in kinds()]
    tables.write(pd.DataFrame(found, columns=COLUMNS).round(4), table)


if __name__ == "__main__":
    main(run)
