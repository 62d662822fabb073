"""Make the examples of one task from the participants of its cohorts."""

from pathlib import Path

import pandas as pd

from triptych import tables
from triptych.examples import make_examples
from triptych.job import main
from triptych.ledger import Ledger, check_tolerance


def run(
    *,
    participants: list[Path],
    task: str,
    kind: str,
    outcome: dict,
    inputs: dict,
    exclude: dict,
    sessions: str,
    tolerance: float,
    examples: Path,
    blocks: Path,
    flow: Path,
    failures: Path,
    excluded: Path,
) -> None:
    """Write the rows with an outcome, the blocks of inputs, the patient flow, the quarantine, and who was left out."""
    ledger = Ledger(task)
    people = pd.concat([tables.read(path) for path in participants])
    made = make_examples(
        people, task=task, kind=kind, outcome=outcome, inputs=inputs, ledger=ledger, exclude=exclude, sessions=sessions
    )
    check_tolerance(ledger, len(people[tables.PERSON].drop_duplicates()), tolerance, task)
    tables.write({"kind": made.kind, "blocks": made.blocks}, blocks)
    tables.write(ledger.flow_table(), flow)
    tables.write(ledger.failures_table(), failures)
    tables.write(ledger.left_out_table(), excluded)
    tables.write(made.table, examples)


if __name__ == "__main__":
    main(run)
