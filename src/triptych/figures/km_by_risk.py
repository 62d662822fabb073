"""Kaplan-Meier curves of the people whom a model called low and high risk, with numbers at risk."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from triptych.figures._style import (
    BLUE,
    GRID,
    MUTED,
    ORANGE,
    SMALL,
    TINY,
    WIDTH,
    Look,
    Sheet,
    bare,
    nothing,
    styled,
    unique,
    why_not,
    wrapped,
)
from triptych.report import numbers

TITLE = "Survival by predicted risk"
TABLE = "km_by_risk"
CAPTION = (
    "Observed survival of the people whom each model predicted to be at low and at high risk, with bands of "
    "confidence; the further apart the curves, the better the model separates people. Below each panel: how many "
    "were still being followed. Every prediction comes from a model that never saw the person."
)

COLORS = {"low": BLUE, "high": ORANGE}
LEFT, ABOVE, PLOT, BELOW = 0.66, 0.42, 1.35, 0.84
GAP = 0.42


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the curves of one task, one panel per model."""
    models = unique(table["model"]) if len(table) else []
    if not models:
        return nothing("no one was grouped by predicted risk")
    columns = {1: 1, 2: 2, 4: 2}.get(len(models), 3)
    rows = -(-len(models) // columns)
    height = ABOVE + PLOT + BELOW
    sheet = Sheet(rows * height + 0.32)
    # one model gets a wide panel, not a stretched page
    width = min(4.6, (WIDTH - LEFT - 0.1) / columns - GAP)
    drawn = table.loc[table["record"] != "test", "time"]
    last = float(drawn.max()) if drawn.notna().any() else 1.0
    for i, model in enumerate(models):
        left, top = LEFT + (i % columns) * (width + GAP), (i // columns) * height
        axes = sheet.axes(left, top + ABOVE, width, PLOT)
        _panel(axes, model, table[table["model"] == model], last, first=i % columns == 0)
    rules = unique(table["rule"])
    if rules:
        sheet.words(0.06, rows * height + 0.08, "Groups: " + "; ".join(map(str, rules)), size=SMALL, color=MUTED)
    return sheet.figure


def _panel(axes: Axes, model: str, part: pd.DataFrame, last: float, *, first: bool) -> None:
    bare(axes)
    axes.set_xlim(0, last)
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "", "0.5", "", "1"] if first else [""] * 5)
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.text(0, 1.06, wrapped(model, 30), transform=axes.transAxes, weight="bold", size=7.6, va="bottom")
    curves = part[part["record"] == "curve"]
    curves = curves[curves["survival"].notna()]
    if curves.empty:
        how: Look = {"transform": axes.transAxes, "ha": "center", "style": "italic", "color": MUTED, "size": TINY}
        axes.text(0.5, 0.5, why_not(part), **how)
    ends = {str(group): _curve(axes, str(group), curve.sort_values("time")) for group, curve in curves.groupby("group")}
    _name_curves(axes, ends)
    tests = part[part["record"] == "test"]
    p = float(tests["p"].iloc[0]) if len(tests) else float("nan")
    if p == p or not curves.empty:
        written = numbers.p_value(p) if p == p else "test not estimable"
        axes.text(0.04, 0.05, f"log-rank {written}", transform=axes.transAxes, size=TINY, color=MUTED)
    if first:
        axes.set_ylabel("surviving")
    _at_risk(axes, part[part["record"] == "at_risk"], first=first)
    units = unique(part["time_unit"])
    where: Look = {"transform": axes.transAxes, "ha": "center", "va": "top"}
    axes.text(0.5, -0.16, units[0] if units else "time", size=TINY, color=MUTED, **where)


def _curve(axes: Axes, group: str, curve: pd.DataFrame) -> float:
    color = COLORS.get(group, MUTED)
    axes.fill_between(curve["time"], curve["low"], curve["high"], step="post", color=color, alpha=0.16, linewidth=0)
    axes.step(curve["time"], curve["survival"], where="post", color=color)
    return float(curve["survival"].iloc[-1])


def _name_curves(axes: Axes, ends: dict[str, float]) -> None:
    """Name each curve at its end; names that would touch are moved apart."""
    placed = sorted(ends, key=lambda g: ends[g])
    heights = [ends[g] for g in placed]
    for i in range(1, len(heights)):
        if heights[i] - heights[i - 1] < 0.11:
            middle = (heights[i] + heights[i - 1]) / 2
            heights[i - 1], heights[i] = middle - 0.055, middle + 0.055
    for group, y in zip(placed, heights, strict=True):
        how: Look = {"transform": axes.get_yaxis_transform(), "size": TINY, "va": "center"}
        axes.text(1.015, max(y, 0.02), group, color=COLORS.get(group, MUTED), weight="bold", **how)


def _at_risk(axes: Axes, table: pd.DataFrame, *, first: bool) -> None:
    below = axes.get_xaxis_transform()
    groups = [g for g in ("low", "high") if g in set(table["group"])]
    groups += [g for g in unique(table["group"]) if g not in groups]
    times = sorted(unique(table["time"]))
    times = times[:: -(-len(times) // 6) or 1]
    if first:
        how: Look = {"xycoords": axes.transAxes, "textcoords": "offset points", "size": TINY, "color": MUTED}
        axes.annotate("at risk", (0, -0.37), (-14, 0), ha="right", va="center", **how)
    if not groups or not times:
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        return
    # the numbers stand under their ticks
    axes.set_xticks(times)
    for i, group in enumerate(groups):
        y = -0.37 - 0.12 * i
        part = table[(table["group"] == group) & table["time"].isin(times)]
        color = COLORS.get(group, MUTED)
        for time, n in zip(part["time"], part["n"], strict=True):
            shown = f"{n:.0f}" if n == n else "–"
            axes.text(time, y, shown, transform=below, size=TINY, color=color, ha="center", va="center")
