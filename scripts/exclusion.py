"""Count who was left out of one task, by class and by site."""

from pathlib import Path

from triptych import exclusion, outcomes, tables
from triptych.job import main


def run(*, examples: Path, blocks: Path, excluded: Path, outcome: dict, level: float, task: str, table: Path) -> None:
    """Write the table ``exclusion``."""
    kept = tables.read_examples(examples, blocks)
    gone = outcomes.of_left_out(tables.read(excluded), outcome)
    found = exclusion.table(kept.table, gone, kept.kind, level)
    found.insert(0, "task", task)
    tables.write(found, table)


if __name__ == "__main__":
    main(run)
