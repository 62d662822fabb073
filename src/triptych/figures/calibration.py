"""Predicted against observed risk at the horizon, one panel per model."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from triptych.figures._style import (
    BLUE,
    FAINT,
    GRID,
    MUTED,
    SMALL,
    TINY,
    WIDTH,
    Sheet,
    bare,
    nothing,
    styled,
    unique,
    why_not,
    wrapped,
)
from triptych.report import numbers

TITLE = "Calibration: predicted against observed risk"
TABLE = "calibration"
CAPTION = (
    "People are grouped by the risk a model predicted for them. A dot on the diagonal means that the group fared as "
    "predicted; above it the model promised too little risk, below it too much. Lines are confidence intervals of "
    "the observed risk."
)

LEFT, ABOVE, BELOW, GAP = 0.6, 0.42, 0.5, 0.3


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the calibration of one task's models at its horizon."""
    models = unique(table["model"]) if len(table) else []
    if not models:
        return nothing("no prediction of risk at a horizon")
    columns = {5: 3, 6: 3, 9: 3}.get(len(models), min(4, len(models)))
    rows = -(-len(models) // columns)
    side = min(2.6, (WIDTH - LEFT - 0.1) / columns - GAP)
    height = ABOVE + side + BELOW
    sheet = Sheet(rows * height + 0.35)
    values = table[["predicted", "observed", "high"]].to_numpy(dtype=float)
    top = float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
    limit = next((nice for nice in (0.04, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8) if nice >= top), 1.0)
    for i, model in enumerate(models):
        axes = sheet.axes(LEFT + (i % columns) * (side + GAP), (i // columns) * height + ABOVE, side, side)
        _panel(axes, model, table[table["model"] == model], limit)
        if i % columns == 0:
            axes.set_ylabel("observed risk")
        if i >= len(models) - columns:
            axes.set_xlabel("predicted risk")
    sheet.words(0.06, rows * height + 0.1, _how(table), size=SMALL, color=MUTED)
    return sheet.figure


def _panel(axes: Axes, model: str, part: pd.DataFrame, limit: float) -> None:
    bare(axes)
    axes.set(xlim=(0, limit), ylim=(0, limit))
    ticks = [0, limit / 2, limit]
    axes.set_xticks(ticks, [numbers.plain(round(t, 3)) for t in ticks])
    axes.set_yticks(ticks, [numbers.plain(round(t, 3)) for t in ticks])
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.plot([0, limit], [0, limit], color=FAINT, linewidth=0.9, dashes=(4, 3))
    axes.text(0, 1.05, wrapped(model, 22), transform=axes.transAxes, weight="bold", size=7.2, va="bottom")
    good = part[part["predicted"].notna() & part["observed"].notna()].sort_values("predicted")
    if good.empty:
        where = axes.transAxes
        axes.text(0.5, 0.4, why_not(part), transform=where, ha="center", color=MUTED, style="italic", size=TINY)
        return
    axes.vlines(good["predicted"], good["low"], good["high"], color=BLUE, linewidth=1.2, alpha=0.75)
    axes.plot(good["predicted"], good["observed"], "o", color=BLUE, markersize=4, clip_on=False)


def _how(table: pd.DataFrame) -> str:
    """The horizon and the sizes of the groups."""
    first = table.iloc[0]
    horizon = numbers.moment(first["horizon"], first["time_unit"])
    low, high = table["n"].min(), table["n"].max()
    if high != high:
        sizes = "sizes of the groups not given"
    else:
        sizes = numbers.count(high, "person").replace("persons", "people") + " in each group"
        sizes = sizes if low == high else f"{low:.0f} to {sizes}"
    return f"Risk {horizon or 'at the horizon'}; {sizes}; dashed: perfect calibration"
