"""Every pair of models compared on the same units: a staircase of differences, Holm-significant ones marked."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from triptych.figures._style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    ORANGE,
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

TITLE = "Differences between models"
TABLE = "comparisons"
CAPTION = (
    "Each cell is the model named above its column minus the model named at its row, measured on the same people. "
    "Blue: the column's model does better; orange: the row's model does better. A framed cell in full colour "
    "differs after Holm's correction for all comparisons (p below 0.05); a pale cell may well be chance."
)

LEFT, ABOVE, BELOW = 1.7, 0.74, 0.28
ALPHA = 0.05
# inches that a cell needs to hold its interval as well
ROOMY = 0.72
COLORS = LinearSegmentedColormap.from_list("better", [ORANGE, "#f6d9bf", "#fbfbfa", "#c3d8ea", BLUE])


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the comparisons of one task."""
    if table.empty:
        return nothing("no two models were compared")
    table = table.assign(estimable=numbers.flags(table["estimable"]) & table["difference"].notna())
    panels = [part for _, part in table.groupby(["metric", "at"], sort=False, dropna=False)]
    order = _order(panels[0], unique([*table["model_a"], *table["model_b"]]))
    shown = [[m for m in order if m in {*part["model_a"], *part["model_b"]}] for part in panels]
    sizes = [_cell(len(models)) for models in shown]
    heights = [ABOVE + size[1] * (len(models) - 1) + BELOW for models, size in zip(shown, sizes, strict=True)]
    sheet = Sheet(sum(heights))
    top = 0.0
    for part, models, size, height in zip(panels, shown, sizes, heights, strict=True):
        _panel(sheet, top, part, models, size)
        top += height
    return sheet.figure


def _cell(n: int) -> tuple[float, float]:
    """Width and height of a cell in inches; the last column keeps room for its name at the right."""
    width = min(1.25, (WIDTH - LEFT - 1.35) / max(n - 1, 1))
    return width, 0.42 if width > ROOMY else 0.34


def _order(part: pd.DataFrame, names: list[str]) -> list[str]:
    """Best first by the mean difference from the others, so that the colours run smoothly."""
    sign = -1 if part["direction"].iloc[0] == "lower" else 1
    good = part[part["estimable"]]
    gains: dict[str, list[float]] = {name: [] for name in names}
    for a, b, difference in zip(good["model_a"], good["model_b"], good["difference"], strict=True):
        gains[a].append(sign * difference)
        gains[b].append(-sign * difference)
    return sorted(names, key=lambda m: -sum(gains[m]) / len(gains[m]) if gains[m] else float("inf"))


def _panel(sheet: Sheet, top: float, part: pd.DataFrame, models: list[str], size: tuple[float, float]) -> None:
    first = part.iloc[0]
    time = numbers.moment(first.get("at"), first.get("time_unit"))
    sheet.words(0.06, top + 0.08, f"{first['label']} {time}".strip() + ": differences", weight="bold", size=9)
    sheet.words(0.06, top + 0.27, _how(part), size=SMALL, color=MUTED)
    width, height, n = *size, len(models)
    # names of columns stand on the staircase itself, so no label is turned on its side
    axes = sheet.axes(LEFT, top + ABOVE - height, width * (n - 1), height * n)
    axes.set_xlim(0, n - 1)
    axes.set_ylim(n, 0)
    axes.set_axis_off()
    good = part[part["estimable"]]
    largest = good["difference"].abs().max()
    scale = float(largest) if largest == largest and largest > 0 else 1.0
    sign = -1 if first["direction"] == "lower" else 1
    digits = 2 if width < 0.42 or scale >= 1 else 3
    pairs = {(r.model_a, r.model_b): (r, 1) for r in part.itertuples()}
    pairs |= {(r.model_b, r.model_a): (r, -1) for r in part.itertuples()}
    for i, row in enumerate(models):
        if i:
            axes.text(-0.1 / width, i + 0.5, wrapped(row, 26), ha="right", va="center", size=SMALL)
        if i < n - 1:
            axes.text(i + 0.05, i + 0.9, wrapped(row, 22), ha="left", va="bottom", size=SMALL, color=INK)
        for j, column in enumerate(models[:i]):
            _draw_cell(axes, (j, i), pairs.get((column, row)), sign / scale, digits, width)


def _draw_cell(axes: Axes, place: tuple[int, int], pair: tuple | None, scale: float, digits: int, width: float) -> None:
    x, y = place
    if pair is None or not pair[0].estimable:
        look: Look = {"facecolor": "white", "edgecolor": FAINT, "hatch": "////", "linewidth": 0}
        axes.add_patch(Rectangle((x + 0.02, y + 0.03), 0.96, 0.94, **look))
        if pair is not None and width > ROOMY:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
            axes.text(x + 0.5, y + 0.5, "not estimable", ha="center", va="center", size=6, color=MUTED, bbox=box)
        return
    row, flip = pair
    value = row.difference * flip
    strength = value * scale
    significant = numbers.finite(row.p_holm) and row.p_holm < ALPHA
    # what may be chance is painted pale, so that the eye goes to what is not
    strength = max(-1.0, min(1.0, strength)) * (1.0 if significant else 0.45)
    face = COLORS(0.5 + 0.5 * strength)
    axes.add_patch(Rectangle((x + 0.02, y + 0.03), 0.96, 0.94, facecolor=face, edgecolor="none"))
    if significant:
        axes.add_patch(Rectangle((x + 0.04, y + 0.06), 0.92, 0.88, fill=False, edgecolor=INK, linewidth=1.1))
    color = "white" if strength > 0.72 else INK
    how: Look = {"ha": "center", "va": "center", "color": color, "weight": "bold" if significant else "normal"}
    roomy = width > ROOMY
    size = SMALL if roomy else 6.2 if width > 0.36 else 5.4
    axes.text(x + 0.5, y + (0.33 if roomy else 0.5), numbers.fixed(value, digits, signed=True), size=size, **how)
    if roomy:
        low, high = sorted((row.low * flip, row.high * flip))
        axes.text(x + 0.5, y + 0.69, numbers.limits(low, high, digits, signed=True), size=5.1, **how)


def _how(part: pd.DataFrame) -> str:
    made = part["n_comparisons"].max()
    parts = [numbers.count(part["n_units"].max(), numbers.text(part["unit"].iloc[0], "unit"))]
    methods = numbers.methods(part["method"], degrees=False)
    parts += methods if len(methods) == 1 else []
    parts.append(f"Holm's correction for {numbers.count(made, 'comparison')}")
    return "; ".join(parts)
