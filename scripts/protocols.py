"""Put the scores of the tasks that are one question under several protocols side by side."""

from pathlib import Path

from triptych import tables
from triptych.job import main
from triptych.protocols import apart, protocols


def run(*, asked: list, scores: list[Path], splits: list[Path], examples: list[Path], table: Path) -> None:
    """Write the table ``protocols``; the files are one of each task, in the order of ``asked``."""
    kept = [apart(tables.read(s), tables.read(e)) for s, e in zip(splits, examples, strict=True)]
    tables.write(protocols(asked, [tables.read(path) for path in scores], kept), table)


if __name__ == "__main__":
    main(run)
