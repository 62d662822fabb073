"""Intervals and paired comparisons of one task, from the contributions of each metric."""

from pathlib import Path

from triptych import tables
from triptych.inferring import Scored, comparisons, estimates, spread
from triptych.job import main


def run(
    *,
    values: list[Path],
    influence: list[Path],
    metrics: list,
    horizon: object,
    estimand: str,
    level: float,
    about: dict,
    scores: Path,
    pairs: Path,
    parts: Path,
) -> None:
    """Write the tables ``scores``, ``comparisons`` and ``spread``."""
    found = [
        Scored.of(metric, horizon, tables.read(v), tables.read(i))
        for metric, v, i in zip(metrics, values, influence, strict=True)
    ]
    tables.write(tables.for_readers(spread(found), about), parts)
    tables.write(tables.for_readers(comparisons(found, estimand, level), about), pairs)
    tables.write(tables.for_readers(estimates(found, estimand, level), about), scores)


if __name__ == "__main__":
    main(run)
