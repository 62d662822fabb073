"""Audit one task before any fit; a finding that must stop the run ends the job with the list of findings."""

from pathlib import Path

import pandas as pd

from triptych import auditing, tables
from triptych.audit._context import Context
from triptych.job import main


def run(
    *,
    splits: Path,
    people: Path,
    blocks: str = "",
    failures: list[Path],
    task: str,
    estimand: str,
    severities: dict,
    findings: Path,
) -> None:
    """Write the findings."""
    table = tables.read(people)
    examples = tables.Examples(table, tables.read_json(blocks)) if blocks else None
    notes = pd.concat([tables.read(path) for path in failures]) if failures else pd.DataFrame(columns=tables.FAILURES)
    found = auditing.run(Context(tables.read(splits), examples, table, notes, estimand), severities)
    auditing.refuse(found, task)
    tables.write(found, findings)


if __name__ == "__main__":
    main(run)
