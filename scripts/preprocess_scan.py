"""Preprocess one T1-weighted scan."""

from pathlib import Path

from triptych import tables
from triptych.job import main
from triptych.mri import processing


def run(*, bids: Path, root: object, scan: str, options: dict, derivatives: Path, status: Path) -> None:
    """Write what came of the scan; one that cannot be used costs itself, not this job."""
    base = Path(root) if root else None
    said = processing.process(tables.read_json(bids), base, scan, derivatives, status.parent, options)
    print(f"{scan}: {said['status']}", *filter(None, [said["reason"], said["advice"]]), sep="\n  ")
    print(said["notes"].get("steps", ""))
    tables.write(said, status)


if __name__ == "__main__":
    main(run)
