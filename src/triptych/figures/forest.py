"""Every model's score with its interval, one panel per metric, against the nulls it must beat."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from triptych.figures._style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    NULL,
    SMALL,
    TINY,
    WIDTH,
    Look,
    Sheet,
    bare,
    escaped,
    nothing,
    span,
    styled,
    unique,
    wrapped,
)
from triptych.report import numbers

TITLE = "Scores of every model, with intervals"
TABLE = "scores"
CAPTION = (
    "Each row is a model: the dot is its score, the line its interval, the range of values that fit the data. "
    "Grey rows are the nulls, simple predictors that a useful model must beat; the dashed line is the "
    "score of a predictor that knows nothing."
)

ROW, LEFT, RIGHT = 0.27, 1.85, 1.75
ABOVE, BELOW = 0.62, 0.44


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the scores of one task."""
    table = table[table["role"] != "control"]
    if table.empty:
        return nothing("no score was computed")
    table = table.assign(estimable=numbers.flags(table["estimable"]) & table["value"].notna())
    order = _order(table)
    panels = [part for _, part in table.groupby(["metric", "at"], sort=False, dropna=False)]
    shown = [[m for m in order if m in set(part["model"])] for part in panels]
    heights = [ABOVE + ROW * len(models) + BELOW for models in shown]
    sheet = Sheet(sum(heights))
    top = 0.0
    for part, models, height in zip(panels, shown, heights, strict=True):
        _panel(sheet, top, part.drop_duplicates("model"), models)
        top += height
    return sheet.figure


def _order(table: pd.DataFrame) -> list[str]:
    """Best first by the first metric, and the same in every panel; nulls below the models."""
    first = table[table["metric"] == table["metric"].iloc[0]].drop_duplicates("model").set_index("model")
    sign = -1 if first["direction"].iloc[0] == "lower" else 1
    rank = (first["value"].where(first["estimable"]) * sign).rank(ascending=False, na_option="bottom")
    roles = table.drop_duplicates("model").set_index("model")["role"]
    last = len(roles) + 1.0
    return sorted(unique(table["model"]), key=lambda m: (roles[m] == "null", rank.get(m, last)))


def _panel(sheet: Sheet, top: float, part: pd.DataFrame, models: list[str]) -> None:
    rows = {str(row["model"]): row for row in part.to_dict("records")}
    nulls = [model for model in models if rows[model]["role"] == "null"]
    first = part.iloc[0]
    time = numbers.moment(first.get("at"), first.get("time_unit"))
    sheet.words(0.06, top + 0.08, f"{first['label']} {time}".strip(), weight="bold", size=9)
    sheet.words(0.06, top + 0.27, _counts(part), size=SMALL, color=MUTED)
    sheet.words(WIDTH - RIGHT + 0.14, top + 0.29, _interval_name(part), size=TINY, color=MUTED)
    axes = sheet.axes(LEFT, top + ABOVE - 0.1, WIDTH - LEFT - RIGHT, ROW * len(models))
    good = part[part["estimable"]]
    limits = span([*good["value"], *good["low"], *good["high"], first["null_value"]])
    axes.set_xlim(*limits)
    axes.set_ylim(len(models) - 0.5, -0.5)
    bare(axes)
    axes.grid(axis="x", color="#eef0f2", linewidth=0.7)
    _null_line(axes, first["null_value"])
    digits = numbers.decimals(good["value"], good["high"] - good["low"])
    for y, model in enumerate(models):
        _row(axes, y, rows[model], digits)
    axes.set_yticks(range(len(models)), [wrapped(m, 27) for m in models])
    for label, model in zip(axes.get_yticklabels(), models, strict=True):
        label.set(color=MUTED if model in nulls else INK, size=SMALL)
    if 0 < len(nulls) < len(models):
        axes.axhline(len(models) - len(nulls) - 0.5, color=FAINT, linewidth=0.6)
    _direction(axes, first["direction"])


def _row(axes: Axes, y: int, row: dict, digits: int) -> None:
    null = row["role"] == "null"
    color = NULL if null else BLUE
    beside = axes.get_yaxis_transform()
    if not row["estimable"]:
        why = wrapped(f"not estimable: {numbers.text(row['reason'], 'no reason given')}", 62)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        how: Look = {"va": "center", "size": TINY, "color": MUTED, "style": "italic", "linespacing": 1.05, "bbox": box}
        axes.text(0.02, y, why, transform=beside, **how)
        axes.text(1.035, y, "not estimable", transform=beside, va="center", size=SMALL, color=MUTED)
        return
    low, high = row["low"], row["high"]
    if numbers.finite(low) and numbers.finite(high):
        axes.plot([low, high], [y, y], color=color, linewidth=1.6, solid_capstyle="butt")
    published = row["role"] == "published"
    face = "white" if published else color
    axes.plot(row["value"], y, "D" if published else "o", color=color, markerfacecolor=face, markersize=5)
    weight: Look = {"color": MUTED} if null else {}
    written = numbers.estimate(row["value"], low, high, digits)
    axes.text(1.035, y, written, transform=beside, va="center", size=SMALL, **weight)


def _null_line(axes: Axes, value: float) -> None:
    if not numbers.finite(value):
        return
    axes.axvline(value, color=MUTED, linewidth=0.9, dashes=(4, 3))
    above = axes.get_xaxis_transform()
    low, high = axes.get_xlim()
    # near an edge the label leans inwards, away from the names and the numbers
    place = (value - low) / (high - low)
    side = "left" if place < 0.1 else "right" if place > 0.9 else "center"
    written = f"no skill {numbers.plain(value)}"
    how: Look = {"xycoords": above, "textcoords": "offset points", "size": TINY, "color": MUTED}
    axes.annotate(written, (value, 1), (0, 2), ha=side, **how)


def _direction(axes: Axes, direction: str) -> None:
    lower = direction == "lower"
    how: Look = {"xycoords": "axes points", "annotation_clip": False, "size": SMALL, "color": MUTED}
    width = (WIDTH - LEFT - RIGHT) * 72
    place, align = ((0, -22), "left") if lower else ((width, -22), "right")
    axes.annotate(escaped("← better" if lower else "better →"), place, ha=align, **how)


def _counts(part: pd.DataFrame) -> str:
    """The unit of inference and how many there are, as a range when models differ."""
    unit = numbers.text(part["unit"].iloc[0], "unit")
    counted = [_range(part["n_units"], unit)]
    noun = numbers.text(part["events_are"].iloc[0]) if "events_are" in part else "event"
    if noun and part["n_events"].notna().any():
        counted.append(_range(part["n_events"], noun))
    methods = numbers.methods(part["method"], degrees=False)
    return ", ".join(counted) + (f"; interval: {methods[0]}" if len(methods) == 1 else "; interval methods differ")


def _range(column: pd.Series, noun: str) -> str:
    low, high = column.min(), column.max()
    return numbers.count(high, noun) if low == high or high != high else f"{low:.0f} to {numbers.count(high, noun)}"


def _interval_name(part: pd.DataFrame) -> str:
    return f"estimate ({numbers.per_cent(part['level'].iloc[0])} interval)"
