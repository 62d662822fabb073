"""Look at the image files of one cohort: what each shows, and which cannot be read."""

from pathlib import Path

from triptych import contents, tables
from triptych.job import main


def run(*, participants: Path, patterns: dict, table: object, root: object, content: Path, failures: Path) -> None:
    """Write one row per image and view, and the files that failed."""
    found, failed = contents.embed(tables.read(participants), patterns, table, root)
    tables.write(failed, failures)
    tables.write(found, content)


if __name__ == "__main__":
    main(run)
