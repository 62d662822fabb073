"""Predicted against observed risk, one panel per model: of an event by the horizon, or of the class that is looked for."""

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

TITLE = "Calibration: predicted against observed risk"
TABLE = "calibration"
CAPTION = (
    "People are grouped by the risk a model predicted for them. A dot on the diagonal means that the group fared as "
    "predicted; above it the model promised too little risk, below it too much. Lines are confidence intervals of "
    "the observed risk. A slope below 1 means that predictions are too extreme."
)

LEFT, ABOVE, BELOW, GAP = 0.6, 0.42, 0.5, 0.3


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the calibration of one task's models."""
    models = unique(table["model"]) if len(table) else []
    if not models:
        return nothing("no prediction of risk")
    if table["predicted"].isna().all():
        return nothing("; ".join(map(str, unique(table["reason"]))) or "no prediction of risk")
    columns = {5: 3, 6: 3, 9: 3}.get(len(models), min(4, len(models)))
    rows = -(-len(models) // columns)
    side = min(2.6, (WIDTH - LEFT - 0.1) / columns - GAP)
    height = ABOVE + side + BELOW
    sheet = Sheet(rows * height + 0.35)
    groups = table[table["record"] == "group"]
    values = groups[["predicted", "observed", "high"]].to_numpy(dtype=float)
    top = float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
    limit = next((nice for nice in (0.04, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8) if nice >= top), 1.0)
    for i, model in enumerate(models):
        axes = sheet.axes(LEFT + (i % columns) * (side + GAP), (i // columns) * height + ABOVE, side, side)
        _panel(axes, model, table[table["model"] == model], limit)
        if i % columns == 0:
            axes.set_ylabel("observed risk")
        if i >= len(models) - columns:
            axes.set_xlabel("predicted risk")
    sheet.words(0.06, rows * height + 0.1, _how(groups), size=SMALL, color=MUTED)
    return sheet.figure


def _panel(axes: Axes, model: str, part: pd.DataFrame, limit: float) -> None:
    bare(axes)
    axes.set(xlim=(0, limit), ylim=(0, limit))
    ticks = [0, limit / 2, limit]
    axes.set_xticks(ticks, [numbers.plain(round(t, 3)) for t in ticks])
    axes.set_yticks(ticks, [numbers.plain(round(t, 3)) for t in ticks])
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.text(0, 1.05, wrapped(model, 22), transform=axes.transAxes, weight="bold", size=7.2, va="bottom")
    good = part[(part["record"] == "group") & part["predicted"].notna() & part["observed"].notna()]
    where = axes.transAxes
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
    if good.empty:
        how: Look = {"transform": where, "ha": "center", "color": MUTED, "style": "italic", "size": TINY, "bbox": box}
        axes.text(0.5, 0.4, why_not(part), **how)
        return
    good = good.sort_values("predicted")
    axes.plot([0, limit], [0, limit], color=FAINT, linewidth=0.9, dashes=(4, 3))
    axes.vlines(good["predicted"], good["low"], good["high"], color=BLUE, linewidth=1.2, alpha=0.75, clip_on=False)
    axes.plot(good["predicted"], good["observed"], "o", color=BLUE, markersize=4, clip_on=False)
    axes.text(0.98, 0.03, _slope(part), transform=where, ha="right", va="bottom", color=MUTED, size=TINY, bbox=box)


def _slope(part: pd.DataFrame) -> str:
    """The slope with its interval, on two lines."""
    rows = part[(part["record"] == "measure") & (part["measure"] == "slope")].to_dict("records")
    if not rows or not numbers.finite(rows[0]["value"]):
        return "no slope"
    row = rows[0]
    return f"slope {numbers.fixed(row['value'], 2)}\n{numbers.limits(row['low'], row['high'], 2)}"


def _how(groups: pd.DataFrame) -> str:
    """The horizon and the sizes of the groups."""
    first = groups.iloc[0]
    low, high = groups["n"].min(), groups["n"].max()
    if high != high:
        sizes = "sizes of the groups not given"
    else:
        sizes = numbers.count(high, "row") + " in each group"
        sizes = sizes if low == high else f"{low:.0f} to {sizes}"
    when = numbers.moment(first["horizon"], first["time_unit"])
    return f"Risk {when}; {sizes}; dashed: perfect calibration" if when else f"{sizes}; dashed: perfect calibration"
