"""Put a published table beside ours."""

from pathlib import Path

import pandas as pd

from triptych import tables
from triptych.job import main
from triptych.published import beside


def run(
    *, file: Path, predictions: Path, scores: Path, task: str, names: dict, how: dict, about: dict, table: Path
) -> None:
    """Write the table ``published``."""
    found = beside(pd.read_csv(file), tables.read(predictions), tables.read(scores), task, names, how)
    tables.write(tables.for_readers(found, about), table)


if __name__ == "__main__":
    main(run)
