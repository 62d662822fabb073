"""Gather the measured coverages into one table and draw it."""

from pathlib import Path

import pandas as pd

from triptych import plugins, tables
from triptych.figures._style import save
from triptych.job import main

SHARES = ("share", "width", "estimable", "if_not_refused", "refused")
PLACES = {**dict.fromkeys(SHARES, 4), "rows": 2, "seen_icc": 2}


def run(*, measured: list[Path], table: Path, svg: Path) -> None:
    """Write the table, and the figure as SVG, PDF and PNG."""
    found = pd.concat([tables.read(path) for path in measured], ignore_index=True).round(PLACES)
    tables.write(found, table)
    save(plugins.load("figures", "coverage").draw(found), svg.with_suffix(""))


if __name__ == "__main__":
    main(run)
