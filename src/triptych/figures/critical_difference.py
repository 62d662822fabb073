"""Average ranks of the models over the tasks of a study, with Nemenyi's critical difference."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from triptych.figures._style import (
    BAND,
    BLUE,
    FAINT,
    INK,
    MUTED,
    NULL,
    SMALL,
    TINY,
    WIDTH,
    Sheet,
    bare,
    nothing,
    styled,
    unique,
    wrapped,
)
from triptych.report import numbers

TITLE = "Ranks over all tasks"
TABLE = "ranks"
CAPTION = (
    "Each row is a model: the dot is its average rank over the tasks (1 is best), small rings are its ranks in single "
    "tasks. Two models differ by more than chance only where their bars do not overlap: each bar is one critical "
    "difference long. The shaded part is as good as the first. Grey rows are the nulls."
)

ROW, LEFT, RIGHT, ABOVE, BELOW = 0.27, 1.85, 0.75, 0.66, 0.46


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the average ranks of one study, one panel per metric."""
    panels = [part for _, part in table.groupby("metric", sort=False)] if len(table) else []
    panels = [part for part in panels if (part["record"] == "mean").any() and part["rank"].notna().any()]
    if not panels:
        reasons = unique(table["reason"]) if len(table) else []
        return nothing("; ".join(map(str, reasons)) or "the models were not ranked")
    heights = [ABOVE + ROW * int((part["record"] == "mean").sum()) + BELOW for part in panels]
    sheet = Sheet(sum(heights))
    top = 0.0
    for part, height in zip(panels, heights, strict=True):
        _panel(sheet, top, part)
        top += height
    return sheet.figure


def _panel(sheet: Sheet, top: float, part: pd.DataFrame) -> None:
    mean = part[(part["record"] == "mean") & part["rank"].notna()].sort_values("rank", kind="stable")
    critical = part["critical_difference"].max()
    sheet.words(0.06, top + 0.08, f"{part['label'].iloc[0]}: average rank", weight="bold", size=9)
    sheet.words(0.06, top + 0.27, _how(part, critical), size=SMALL, color=MUTED)
    axes = sheet.axes(LEFT, top + ABOVE - 0.1, WIDTH - LEFT - RIGHT, ROW * len(mean))
    models = list(mean["model"])
    # no rank lies beyond these limits, so bars that are cut there overlap as they would uncut
    axes.set_xlim(0.5, len(models) + 0.5)
    axes.set_ylim(len(models) - 0.5, -0.5)
    bare(axes)
    axes.set_xticks(range(1, len(models) + 1, -(-len(models) // 14)))
    axes.grid(axis="x", color="#eef0f2", linewidth=0.7)
    axes.set_xlabel("rank (1 is best)")
    if critical == critical:
        axes.axvspan(0.5, float(mean["rank"].iloc[0]) + critical, color=BAND, zorder=0)
    axes.set_yticks(range(len(models)), [wrapped(m, 27) for m in models])
    beside = axes.get_yaxis_transform()
    axes.text(1.04, -0.62, "average", transform=beside, size=TINY, color=MUTED, va="bottom")
    for y, row in enumerate(mean.to_dict("records")):
        null = row["role"] == "null"
        axes.get_yticklabels()[y].set(color=MUTED if null else INK, size=SMALL)
        single = part[(part["record"] == "task") & (part["model"] == row["model"])]["rank"]
        _row(axes, y, row["rank"], single, critical, NULL if null else BLUE)
        axes.text(1.04, y, numbers.fixed(row["rank"], 2), transform=beside, size=SMALL, va="center")


def _row(axes: Axes, y: int, rank: float, single: pd.Series, critical: float, color: str) -> None:
    if critical == critical:
        axes.plot([rank - critical / 2, rank + critical / 2], [y, y], color=color, linewidth=1.6, alpha=0.45)
    # equal ranks in several tasks lie below each other
    for value, times in single.value_counts().items():
        for k in range(int(times)):
            shift = (k - (times - 1) / 2) * 0.14
            axes.plot(float(value), y + shift, "o", markersize=3, markerfacecolor="white", color=FAINT, zorder=2)
    axes.plot(rank, y, "o", color=color, markersize=5.5, zorder=3)


def _how(part: pd.DataFrame, critical: float) -> str:
    words = [f"{numbers.count(part['n_tasks'].max(), 'task')}, {numbers.count(part['n_models'].max(), 'model')}"]
    if critical == critical:
        words.append(f"critical difference {numbers.fixed(critical, 2)} ({numbers.per_cent(part['level'].iloc[0])})")
    test = part[part["test"] == "iman_davenport"]
    if len(test) and numbers.finite(test["p"].iloc[0]):
        words.append(f"all models equal: {numbers.p_value(test['p'].iloc[0])} (Friedman, Iman-Davenport F)")
    return "; ".join(words)
