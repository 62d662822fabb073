"""Put one scan into the BIDS data set of its cohort, or look at one that is read in place."""

from pathlib import Path

from triptych import raw, tables
from triptych.bids import making
from triptych.job import main
from triptych.scans import named


def run(*, cohort: str, source: dict, root: object, scan: str, bids: Path, status: Path) -> None:
    """Write what is said of the scan; a broken one costs itself, not this job."""
    base = Path(root) if root else None
    one = named(cohort, source, base, scan)
    in_place = source.get("bids")
    said = making.look(one, raw.bids_folder(cohort, in_place, base)) if in_place else making.make(one, bids)
    print(f"{scan}: {said['status']}", *filter(None, [said["reason"], said["advice"], *said["notes"]]), sep="\n  ")
    tables.write(said, status)


if __name__ == "__main__":
    main(run)
