"""A published value and ours, side by side, with the difference in numbers."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from triptych.figures._style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    SMALL,
    TINY,
    WIDTH,
    Sheet,
    bare,
    nothing,
    span,
    styled,
    wrapped,
)
from triptych.report import numbers

TITLE = "Published values beside ours"
TABLE = "published"
CAPTION = (
    "For each value that a paper printed: the open diamond is the published value, the dot is ours from the same "
    "data, with intervals where there are any. The number at the right is ours minus the published one."
)

LEFT, RIGHT, ABOVE, BELOW, ROW = 1.85, 0.95, 0.5, 0.36, 0.28
# beyond this many rows a reader wants to know where the two disagree, not every value
MANY = 48


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw one task's published values beside ours."""
    if table.empty:
        return nothing("no published value to compare with")
    parts = [part for _, part in table.groupby(["statistic", "label"], sort=False, dropna=False)]
    if len(table) > MANY:
        return _differences(parts)
    sheet = Sheet(sum(ABOVE + ROW * len(part) + BELOW for part in parts))
    top = 0.0
    for part in parts:
        _panel(sheet, top, part)
        top += ABOVE + ROW * len(part) + BELOW
    return sheet.figure


def _panel(sheet: Sheet, top: float, part: pd.DataFrame) -> None:
    sheet.words(0.06, top + 0.08, str(part["label"].iloc[0]), weight="bold", size=9)
    axes = sheet.axes(LEFT, top + ABOVE - 0.1, WIDTH - LEFT - RIGHT, ROW * len(part))
    columns = ["published", "published_low", "published_high", "ours", "ours_low", "ours_high"]
    axes.set_xlim(*span(part[columns].to_numpy(dtype=float).ravel()))
    axes.set_ylim(len(part) - 0.5, -0.5)
    bare(axes)
    axes.grid(axis="x", color="#eef0f2", linewidth=0.7)
    axes.set_yticks(range(len(part)), [wrapped(m, 27) for m in part["model"]])
    axes.tick_params(axis="y", labelcolor=INK)
    beside = axes.get_yaxis_transform()
    axes.text(1.03, -0.62, "ours − published", transform=beside, size=TINY, color=MUTED, va="bottom")
    for y, row in enumerate(part.to_dict("records")):
        _interval(axes, y - 0.14, row["published_low"], row["published_high"], MUTED)
        _interval(axes, y + 0.14, row["ours_low"], row["ours_high"], BLUE)
        axes.plot(row["published"], y - 0.14, "D", color=MUTED, markerfacecolor="white", markersize=4)
        axes.plot(row["ours"], y + 0.14, "o", color=BLUE, markersize=4)
        axes.text(1.03, y, _difference(row), transform=beside, size=SMALL, va="center")
    # the two marks are named where they first stand
    first = part.iloc[0]
    if numbers.finite(first["published"]) and numbers.finite(first["ours"]):
        axes.text(0.0, -0.62, "◇ published", transform=beside, size=TINY, color=MUTED, va="bottom")
        axes.text(0.2, -0.62, "● ours", transform=beside, size=TINY, color=BLUE, va="bottom")


def _interval(axes: Axes, y: float, low: float, high: float, color: str) -> None:
    if numbers.finite(low) and numbers.finite(high):
        axes.plot([low, high], [y, y], color=color, linewidth=1.2, solid_capstyle="butt")


def _difference(row: dict) -> str:
    if not numbers.finite(row["ours"]):
        return "ours: none"
    if not numbers.finite(row["published"]):
        return "not published"
    return small(row["difference"])


def small(difference: float) -> str:
    """A signed difference; a tiny one keeps its power of ten rather than vanish."""
    if not numbers.finite(difference):
        return "not given"
    if difference == 0 or abs(difference) >= 0.0005:
        return numbers.fixed(difference, 3, signed=True)
    if abs(difference) >= 0.00005:
        return numbers.fixed(difference, 4, signed=True)
    return f"{difference:+.0e}".replace("-", numbers.MINUS)


def _differences(parts: list[pd.DataFrame]) -> Figure:
    """Many cells: one row per statistic, a dot per cell, at ours minus published."""
    sheet = Sheet(0.75 + 0.34 * len(parts) + 0.55)
    everything = pd.concat(parts)
    gaps = everything["difference"].dropna()
    largest = f"{gaps.abs().max():.2g}" if len(gaps) else "not given"
    sheet.words(0.06, 0.08, "Ours minus published", weight="bold", size=9)
    sheet.words(
        0.06, 0.27, f"{numbers.count(len(everything), 'cell')}; largest difference {largest}", size=SMALL, color=MUTED
    )
    axes = sheet.axes(LEFT, 0.6, WIDTH - LEFT - RIGHT, 0.34 * len(parts))
    reach = max((abs(v) for v in span(gaps)), default=1.0) if len(gaps) else 1.0
    axes.set_xlim(-reach, reach)
    axes.set_ylim(len(parts) - 0.5, -0.5)
    bare(axes)
    axes.axvline(0, color=FAINT, linewidth=0.9)
    axes.grid(axis="x", color="#eef0f2", linewidth=0.7)
    axes.set_yticks(range(len(parts)), [wrapped(p["label"].iloc[0], 27) for p in parts])
    axes.tick_params(axis="y", labelcolor=INK)
    for y, part in enumerate(parts):
        values = part["difference"].dropna()
        shifts = [((i * 7) % 5 - 2) * 0.1 for i in range(len(values))]
        axes.plot(values, [y + s for s in shifts], "o", color=BLUE, alpha=0.55, markersize=4, markeredgewidth=0)
        written = f"{len(values)} of {len(part)}"
        axes.text(1.03, y, written, transform=axes.get_yaxis_transform(), size=SMALL, va="center", color=MUTED)
    axes.text(1.03, -0.6, "cells compared", transform=axes.get_yaxis_transform(), size=TINY, color=MUTED, va="bottom")
    return sheet.figure
