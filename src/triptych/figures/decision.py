"""Decision curves: the net benefit of treating by each model, against treating everyone and treating no one."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from triptych.figures._style import (
    BLUE,
    GRID,
    INK,
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

TITLE = "Decision curves: would acting on the model help?"
TABLE = "decision"
CAPTION = (
    "The threshold is the risk from which one would act; acting on someone who did not need it costs the odds of the "
    "threshold. Net benefit counts those helped, less that cost, per person. A model is of use at thresholds where its line "
    "lies above both acting on everyone (orange) and acting on no one (the line at 0). The band holds at each "
    "threshold by itself."
)

LEFT, ABOVE, PLOT, BELOW, GAP = 0.66, 0.42, 1.3, 0.42, 0.26


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the decision curves of one task, one panel per model."""
    models = unique(table["model"]) if len(table) else []
    if not models:
        return nothing("no prediction of risk")
    if table["benefit"].isna().all():
        return nothing("; ".join(map(str, unique(table["reason"]))) or "no net benefit")
    columns = {1: 1, 2: 2, 4: 2}.get(len(models), 3)
    rows = -(-len(models) // columns)
    height = ABOVE + PLOT + BELOW
    sheet = Sheet(rows * height + 0.36)
    width = min(4.6, (WIDTH - LEFT - 0.1) / columns - GAP)
    limits = _limits(table)
    for i, model in enumerate(models):
        left, top = LEFT + (i % columns) * (width + GAP), (i // columns) * height
        axes = sheet.axes(left, top + ABOVE, width, PLOT)
        _panel(axes, model, table[table["model"] == model], limits, first=i % columns == 0)
        if i >= len(models) - columns:
            axes.set_xlabel("threshold")
    sheet.words(0.06, rows * height + 0.14, _how(table), size=SMALL, color=MUTED)
    return sheet.figure


def _limits(table: pd.DataFrame) -> tuple[float, float, float]:
    """Rightmost threshold, and the lowest and highest net benefit shown; deep losses of acting on all are cut off."""
    values = table[["benefit", "high", "treat_all"]].to_numpy(dtype=float)
    highest = float(values[np.isfinite(values)].max(initial=0)) or 0.1
    last = table["threshold"].max()
    return float(last) if last == last else 1.0, -0.35 * highest, 1.08 * highest


def _panel(axes: Axes, model: str, part: pd.DataFrame, limits: tuple[float, float, float], *, first: bool) -> None:
    bare(axes)
    last, low, high = limits
    axes.set(xlim=(0, last), ylim=(low, high))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter(lambda value, _: numbers.plain(round(value, 3)))
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.axhline(0, color=INK, linewidth=0.9)
    if first:
        axes.set_ylabel("net benefit")
    else:
        axes.tick_params(axis="y", labelleft=False)
    axes.text(0, 1.04, wrapped(model, 30), transform=axes.transAxes, weight="bold", size=7.2, va="bottom")
    good = part[part["benefit"].notna()].sort_values("threshold")
    if good.empty:
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        how: Look = {
            "transform": axes.transAxes,
            "ha": "center",
            "color": MUTED,
            "style": "italic",
            "size": TINY,
            "bbox": box,
        }
        axes.text(0.5, 0.5, why_not(part), **how)
        return
    axes.plot(good["threshold"], good["treat_all"], color=ORANGE, linewidth=1.1)
    axes.fill_between(good["threshold"], good["low"], good["high"], color=BLUE, alpha=0.16, linewidth=0)
    axes.plot(good["threshold"], good["benefit"], color=BLUE)


def _how(table: pd.DataFrame) -> str:
    row = table.iloc[0]
    when = numbers.moment(row["horizon"], row["time_unit"])
    level = table["level"].dropna()
    band = f"band: {numbers.per_cent(level.iloc[0])} interval by patient" if len(level) else "no band"
    counted = table["n_units"].max()
    parts = [f"Event {when}" if when else "", numbers.count(counted, "patient") if counted == counted else "", band]
    return "; ".join([*filter(None, parts), "blue: the model, orange: act on everyone"])
