"""From the people read to the people analysed: who was left out, and why."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from triptych.figures._style import (
    BAND,
    BLUE,
    FAINT,
    INK,
    MUTED,
    SMALL,
    WIDTH,
    Look,
    Sheet,
    nothing,
    styled,
    unique,
    wrapped,
)
from triptych.report import numbers

TITLE = "Flow of patients"
TABLE = "flow"
CAPTION = (
    "Read from the top: patients who were read, those who were left out and why (to the right), and those who "
    "remain. The last box is who was analysed."
)

KEPT, OUT, TITLE_ROOM = 0.62, 0.58, 0.24


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the flow of one task's patients, a column per cohort."""
    if table.empty:
        return nothing("no patient was read")
    table = table.assign(cohort=table["cohort"].fillna("all cohorts"))
    parts = [part.sort_values("step", kind="stable") for _, part in table.groupby("cohort", sort=False)]
    columns = min(2, len(parts))
    bands = [parts[i : i + columns] for i in range(0, len(parts), columns)]
    heights = [max(_height(part) for part in band) for band in bands]
    total = _total(parts)
    sheet = Sheet(sum(heights) + (0.3 if total else 0))
    axes = sheet.axes(0, 0, sheet.width, sheet.height)
    axes.set(xlim=(0, sheet.width), ylim=(sheet.height, 0))
    axes.set_axis_off()
    width, top = WIDTH / columns, 0.0
    for band, height in zip(bands, heights, strict=True):
        for i, part in enumerate(band):
            _cohort(axes, i * width, top, width, part)
        top += height
    if total:
        axes.text(0.08, top + 0.08, total, size=8, weight="bold", va="top")
    return sheet.figure


def _height(part: pd.DataFrame) -> float:
    return TITLE_ROOM + sum(OUT if what == "excluded" else KEPT for what in part["what"]) + 0.1


def _cohort(axes: Axes, left: float, top: float, width: float, part: pd.DataFrame) -> None:
    axes.text(left + 0.08, top + 0.08, wrapped(part["cohort"].iloc[0], 46, 1), weight="bold", size=8.4, va="top")
    # the main line takes the left, what leaves takes the right; one cohort alone does not fill the page
    room = min(width, 6.2) - 0.16
    main, aside = room * 0.46, room * 0.48
    y, spine = top + TITLE_ROOM, left + 0.08 + main / 2
    last = None
    for row in part.itertuples():
        out = row.what == "excluded"
        height = OUT if out else KEPT
        if out:
            axes.plot([spine, spine], [y, y + height], color=FAINT, linewidth=0.9)
            _arrow(axes, (spine, y + height / 2), (left + 0.08 + room - aside, y + height / 2))
            _box(axes, left + 0.08 + room - aside, y + 0.06, aside, height - 0.12, row)
        else:
            if last is not None:
                _arrow(axes, (spine, y), (spine, y + 0.1))
            _box(axes, left + 0.08, y + 0.1, main, height - 0.1, row)
        y, last = y + height, row.what


def _box(axes: Axes, left: float, top: float, width: float, height: float, row) -> None:
    out = row.what == "excluded"
    edge, face = (FAINT, "white") if out else (BLUE, BAND)
    shape = "round,pad=0,rounding_size=0.04"
    axes.add_patch(
        FancyBboxPatch((left, top), width, height, boxstyle=shape, facecolor=face, edgecolor=edge, linewidth=0.8)
    )
    counted = f"n = {row.n_patients:,.0f}" if numbers.finite(row.n_patients) else "n not given"
    if numbers.finite(row.n_events):
        counted += f", {numbers.count(row.n_events, 'event')}"
    opening = {"read": "Read", "kept": "Kept"}.get(row.what, "Left out")
    reason = numbers.text(row.reason)
    words = wrapped(reason, int(width * 18)) if reason else ""
    # the block of one, two or three lines sits in the middle of its box
    lines = 1 + len(words.splitlines())
    y = top + height / 2 - (lines - 1) * 0.062
    how: Look = {"size": SMALL, "weight": "bold", "color": INK, "va": "center"}
    axes.text(left + 0.09, y, counted if out else f"{opening}: {counted}", **how)
    for i, line in enumerate(words.splitlines(), start=1):
        axes.text(left + 0.09, y + i * 0.124, line, size=6.2, color=MUTED, va="center")


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": FAINT, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 7}
    axes.annotate("", end, start, arrowprops=style)


def _total(parts: list[pd.DataFrame]) -> str:
    """What all cohorts bring to the analysis, when there are several."""
    if len(parts) < 2:
        return ""
    ends = [part[part["what"] != "excluded"].iloc[-1] for part in parts if (part["what"] != "excluded").any()]
    patients, events = sum(e["n_patients"] for e in ends), sum(e["n_events"] for e in ends)
    written = f"Analysed: {numbers.count(patients, 'patient')}"
    written += f", {numbers.count(events, 'event')}" if numbers.finite(events) else ""
    return written + f", from {numbers.count(len(unique(p['cohort'].iloc[0] for p in parts)), 'cohort')}"
