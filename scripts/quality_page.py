"""Show the quality of the scans of one cohort on a page."""

from pathlib import Path

from triptych import tables
from triptych.job import main
from triptych.mri import joining, page


def run(*, cohort: str, source: dict, runs: str, root: object, folder: Path, quality: Path, html: Path) -> None:
    """Write the page."""
    results = joining.results(cohort, source, runs, Path(root) if root else None, folder)
    tables.write(page.page(cohort, tables.read(quality), results, html.parent), html)


if __name__ == "__main__":
    main(run)
