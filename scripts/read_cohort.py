"""Read one cohort: participants with checked ids."""

from pathlib import Path

from triptych import tables
from triptych.examples import read_cohort
from triptych.job import main


def run(*, cohort: str, source: dict, root: object, participants: Path, failures: Path) -> None:
    """Write the participants, and what was odd about them."""
    found, ledger = read_cohort(cohort, **source, root=root)
    tables.write(ledger.failures_table(), failures)
    tables.write(found, participants)


if __name__ == "__main__":
    main(run)
