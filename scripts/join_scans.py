"""Put what the scans of one cohort gave beside its participants."""

import os
from importlib.metadata import version
from pathlib import Path

from triptych import raw, tables
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
    """Write the participants with their columns mri_*, the scans that cannot be used, and the quality of each; drop old files."""
    base, derived, column = Path(root) if root else None, description.parent, source.get("scans") or COLUMN
    results = joining.results(cohort, source, runs, base, folder)
    people, failed, table = joining.join(tables.read(participants), results, outliers, tables.read(listing), column)
    derivatives.remove_others([result.name for result in results], derived, folder)
    made_here = Path(os.path.relpath(folder.parent / "bids", derived)).as_posix()
    in_place = raw.bids_folder(cohort, source["bids"], base).resolve().as_uri() if source.get("bids") else None
    derivatives.describe(derived, version("triptych"), in_place or made_here)
    tables.write(table, quality)
    tables.write(failed, failures)
    tables.write(people, imaged)


if __name__ == "__main__":
    main(run)
