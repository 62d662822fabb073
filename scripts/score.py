"""Score all models of one task with one metric."""

from pathlib import Path

from triptych import tables
from triptych.job import main
from triptych.scoring import contributions
from triptych.waist import read_curves, train_ratio


def run(
    *, predictions: Path, curves: Path, splits: Path, metric: str, horizon: object, values: Path, influence: Path
) -> None:
    """Write the values (pooled, by fold, by site) and the influence of each person."""
    ratio = train_ratio(tables.read(splits))
    found, by_person = contributions(tables.read(predictions), read_curves(curves), metric, horizon, ratio)
    tables.write(by_person, influence)
    tables.write(found, values)


if __name__ == "__main__":
    main(run)
