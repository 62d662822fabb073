"""What makes scores vary: the share of each source, one bar for each thing that varies."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from triptych.figures._style import (
    BLUE,
    GRID,
    INK,
    MUTED,
    ORANGE,
    TINY,
    WIDTH,
    Sheet,
    bare,
    nothing,
    styled,
    wrapped,
)
from triptych.report import numbers

TITLE = "Where the variation comes from"
TABLE = "components"
CAPTION = (
    "Each bar is the whole variation of one quantity, split by where it comes from; models are held fixed. A large "
    "share of patient, site or seed means that other patients, sites or seeds would have given another result. The "
    "rest is how models differ in that, and chance. Sources with fewer than five levels have no share; their values "
    "stand in the table."
)

LEFT, RIGHT, ABOVE, BELOW, ROW = 2.25, 0.2, 0.06, 0.42, 0.42
COLOURS = {"patient": BLUE, "site": ORANGE, "seed": "#6a51a3", "fold": "#5aa469", "rest": "#d9dee2"}
LIGHT = {"rest"}
LETTER = 0.0105  # width of a letter inside a bar
PARTS = {"predictions": "", "folds": " by fold", "sites": " by site"}


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the shares of variance of one task."""
    bars = [part for _, part in table.groupby(["part", "label"], sort=False)] if len(table) else []
    if not bars:
        return nothing("no score varies over folds or sites")
    sheet = Sheet(ABOVE + ROW * len(bars) + BELOW)
    axes = sheet.axes(LEFT, ABOVE, WIDTH - LEFT - RIGHT, ROW * len(bars))
    axes.set(xlim=(0, 1), ylim=(len(bars) - 0.5, -0.5))
    bare(axes)
    axes.grid(axis="x", color=GRID, linewidth=0.7)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25%", "50%", "75%", "100%"])
    axes.set_xlabel("share of the variance")
    axes.set_yticks(range(len(bars)), [wrapped(_name(bar), 34) for bar in bars])
    axes.tick_params(axis="y", labelcolor=INK)
    for y, bar in enumerate(bars):
        _bar(axes, y, bar)
    return sheet.figure


def _name(bar: pd.DataFrame) -> str:
    return f"{bar['label'].iloc[0]}{PARTS.get(bar['part'].iloc[0], '')}"


def _bar(axes: Axes, y: int, bar: pd.DataFrame) -> None:
    shown = bar[bar["share"].notna()]
    if shown.empty:
        axes.text(0.01, y, wrapped(_why_no_bar(bar), 96), size=TINY, color=MUTED, style="italic", va="center")
        return
    left, small = 0.0, []
    for row in shown.to_dict("records"):
        factor, share = str(row["factor"]), float(row["share"])
        axes.barh(y, share, left=left, height=0.62, color=COLOURS.get(factor, MUTED), edgecolor="white", linewidth=0.8)
        written = f"{factor} {100 * share:.0f}%"
        if share > LETTER * len(written) + 0.01:
            color = INK if factor in LIGHT else "white"
            axes.text(left + share / 2, y, written, size=TINY, color=color, ha="center", va="center")
        else:
            small.append(written)
        left += share
    axes.text(0, y + 0.42, "; ".join(small), size=5.4, color=MUTED, va="center")


def _why_no_bar(bar: pd.DataFrame) -> str:
    few = bar[bar["values"].map(numbers.known).astype(bool)]
    if len(few):
        return "too few for a share: " + "; ".join(map(str, few["values"]))
    reasons = [r for r in bar["reason"] if numbers.known(r)]
    return "not estimable" + (f": {reasons[-1]}" if reasons else "")
