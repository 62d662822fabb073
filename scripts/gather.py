"""Gather the predictions of all fits of one task into the waist."""

import shutil
from pathlib import Path

from triptych import openings, tables
from triptych.auditing import check_seen
from triptych.job import main
from triptych.resuming import NAME
from triptych.waist import gather


def run(
    *,
    fits: list[Path],
    notes: list[Path],
    splits: Path,
    kind: str,
    tolerance: float,
    controls: list,
    study: str,
    task: str,
    predictions: Path,
    curves: Path,
    failures: Path,
    fitted: Path,
) -> None:
    """Write predictions, their survival curves, failed fits, and what each fit chose."""
    said = [tables.read_json(path) for path in notes]
    folds, noted = tables.read(splits), [fit for one in said for fit in one["fits"]]
    check_seen(noted, folds)
    waist = gather([tables.read(path) for path in fits], said, folds, kind, tolerance, controls)
    tables.write(waist.failures, failures)
    openings.note(waist.predictions, study, task)
    tables.write(noted, fitted)
    tables.write(waist.curves, curves)
    tables.write(waist.predictions, predictions)
    for folder in {path.parent / NAME for path in fits}:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(run)
