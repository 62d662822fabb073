"""Complete the BIDS data set of one cohort, and run the BIDS validator on it."""

from pathlib import Path

from triptych import tables
from triptych.bids import dataset
from triptych.job import main


def run(
    *, cohort: str, source: dict, root: object, participants: Path, folder: Path, bids: Path, scans: Path, issues: Path
) -> None:
    """Write what is said of each scan, and what the validator found."""
    base = Path(root) if root else None
    listed, found = dataset.finish(cohort, source, base, tables.read(participants), folder, bids)
    print(listed["status"].value_counts().to_string(), found.to_string(), sep="\n\n")
    tables.write(found, issues)
    tables.write(listed, scans)


if __name__ == "__main__":
    main(run)
