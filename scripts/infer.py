"""Intervals and paired comparisons of one task, from the contributions of each metric."""

from pathlib import Path

from triptych import tables
from triptych.inferring import Asked, Scored, comparisons, controls, estimates, spread
from triptych.job import main
from triptych.resampling import drawn
from triptych.waist import read_curves


def run(
    *,
    values: list[Path],
    influence: list[Path],
    predictions: list[Path],
    curves: list[Path],
    metrics: list,
    horizon: object,
    estimand: str,
    statistics: dict,
    about: dict,
    scores: Path,
    pairs: Path,
    checks: Path,
    parts: Path,
) -> None:
    """Write the tables ``scores``, ``comparisons``, ``controls`` and ``spread``; predictions only for a bootstrap."""
    asked = Asked(estimand, roles={name: role for name, (_, role) in about["models"].items()}, **statistics)
    known = (tables.read(predictions[0]), read_curves(curves[0])) if predictions else None
    found = [
        Scored.of(metric, horizon, tables.read(v), tables.read(i), drawn(*known, metric, horizon) if known else {})
        for metric, v, i in zip(metrics, values, influence, strict=True)
    ]
    estimated = estimates(found, asked)
    made = {scores: estimated, pairs: comparisons(found, asked), checks: controls(found, asked, estimated)}
    for path, table in {**made, parts: spread(found)}.items():
        tables.write(tables.for_readers(table, about), path)


if __name__ == "__main__":
    main(run)
