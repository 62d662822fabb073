"""Let predictions made elsewhere enter at the waist."""

from pathlib import Path

from triptych import openings, tables
from triptych.elsewhere import bring
from triptych.job import main


def run(
    *,
    file: Path,
    spec: dict,
    study: str,
    task: str,
    external: dict,
    columns: dict,
    participants: list[Path],
    predictions: Path,
    curves: Path,
    splits: Path,
    flow: Path,
    failures: Path,
) -> None:
    """Write the waist of one task, the tested people as splits, the flow, and which baselines lacked values."""
    brought = bring(file, spec, task, external, columns, [tables.read(path) for path in participants])
    openings.note(brought.predictions, study, task)
    tables.write(brought.flow, flow)
    tables.write(brought.failures, failures)
    tables.write(brought.splits, splits)
    tables.write(brought.predictions[tables.FIT], curves)
    tables.write(brought.predictions, predictions)


if __name__ == "__main__":
    main(run)
