"""Split the examples of one task."""

from pathlib import Path

import pandas as pd

from triptych import plugins, tables
from triptych.check import with_cohort_columns
from triptych.job import main


def run(
    *, examples: Path, blocks: Path, participants: list[Path], scheme: str, options: dict, seed: int, splits: Path
) -> None:
    """Write who trains and who is tested in each repeat and fold."""
    made = tables.read_examples(examples, blocks)
    people = pd.concat([tables.read(path) for path in participants])
    module = plugins.load("splits", scheme)
    found = module.split(with_cohort_columns(made, people), plugins.build_options(module, options), seed=seed)
    tables.write(found[tables.SPLITS], splits)


if __name__ == "__main__":
    main(run)
