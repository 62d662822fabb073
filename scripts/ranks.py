"""Ranks of the models over all tasks of a study."""

from pathlib import Path

from triptych import tables
from triptych.job import main
from triptych.ranking import ranks


def run(*, scores: list[Path], cohorts: dict, level: float, table: Path) -> None:
    """Write the table ``ranks``; the tasks are in the order of ``cohorts``, and the scores have labels already."""
    known = {task: tables.read(path) for task, path in zip(cohorts, scores, strict=True)}
    tables.write(ranks(known, cohorts, level), table)


if __name__ == "__main__":
    main(run)
