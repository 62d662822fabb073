"""Draw one figure, and write its data beside it."""

from pathlib import Path

from triptych import plugins, tables
from triptych.figures._style import save
from triptych.job import main


def run(*, figure: str, table: Path, svg: Path, data: Path) -> None:
    """Write the figure as SVG, PDF and PNG."""
    content = tables.read(table)
    tables.write(content, data)
    save(plugins.load("figures", figure).draw(content), svg.with_suffix(""))


if __name__ == "__main__":
    main(run)
