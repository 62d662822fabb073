"""Write the page and its provenance."""

from pathlib import Path

from triptych import openings, provenance, tables
from triptych.job import main
from triptych.report.collect import collect
from triptych.report.page import render


def run(
    *,
    folder: Path,
    study: dict,
    contents: dict,
    overall: dict,
    root: object,
    command: str,
    page: Path,
    facts: Path,
) -> None:
    """Read the results in a folder and write ``report.html`` and ``provenance.json``."""
    clone = Path(__file__).resolve().parents[1]
    found = provenance.collect(clone, command=command, seed=study["seed"], data_root=root)
    found["looks"] = openings.counted(study["name"], list(study["tasks"]))
    tables.write(found, facts)
    tables.write(render(collect(folder, {**study, "root": root}, contents, overall, found)), page)


if __name__ == "__main__":
    main(run)
