"""Put what the scans of one cohort gave beside its participants."""

from importlib.metadata import version
from pathlib import Path

from triptych import tables
from triptych.job import main
from triptych.mri import derivatives, joining
from triptych.scans import COLUMN


def run(
    *,
    cohort: str,
    source: dict,
    runs: str,
    root: object,
    participants: Path,
    listing: Path,
    folder: Path,
    outliers: object,
    description: Path,
    imaged: Path,
    failures: Path,
    quality: Path,
) -> None:
    """Write the participants with their columns mri_*, the scans that cannot be used, and the quality of each."""
    results = joining.results(cohort, source, runs, Path(root) if root else None, folder)
    column = source.get("scans") or COLUMN
    people, failed, table = joining.join(tables.read(participants), results, outliers, tables.read(listing), column)
    derivatives.describe(description.parent, version("triptych"))
    tables.write(table, quality)
    tables.write(failed, failures)
    tables.write(people, imaged)


if __name__ == "__main__":
    main(run)
