"""How much each score moves from fold to fold and from site to site."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from triptych.figures._style import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
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

TITLE = "Spread over folds and sites"
TABLE = "spread"
CAPTION = (
    "Each dot is the score on the held-out people of one fold (left) or one site (right); the upright line is the "
    "score over all people. Folds share most of their training data, so their scatter is not a confidence interval; "
    "sites that lie far apart warn that the model may not travel."
)

LEFT, ABOVE, BELOW, GAP, ROW = 1.85, 0.66, 0.42, 0.28, 0.3
MARKS = "osD^vP*X<>hp"
KINDS = {"fold": "one dot per fold", "site": "one mark per site"}


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the spread of one task's scores."""
    if table.empty:
        return nothing("no score per fold or per site")
    table = table.assign(estimable=numbers.flags(table["estimable"]) & table["value"].notna())
    kinds = [kind for kind in KINDS if kind in set(table["kind"])] or ["fold"]
    panels = [part for _, part in table.groupby(["metric", "at"], sort=False, dropna=False)]
    heights = [ABOVE + ROW * part["model"].nunique() + BELOW for part in panels]
    sites = unique(table.loc[table["kind"] == "site", "level"])
    sheet = Sheet(sum(heights) + (_key_rows(sites) * 0.18 + 0.1 if sites else 0.0))
    top = 0.0
    for part, height in zip(panels, heights, strict=True):
        _panel(sheet, top, part, kinds, sites)
        top += height
    _key(sheet, top, sites)
    return sheet.figure


def _panel(sheet: Sheet, top: float, part: pd.DataFrame, kinds: list[str], sites: list[str]) -> None:
    first, models = part.iloc[0], unique(part["model"])
    time = numbers.moment(first.get("at"), first.get("time_unit"))
    sheet.words(0.06, top + 0.08, f"{first['label']} {time}".strip(), weight="bold", size=9)
    width = (WIDTH - LEFT - 0.15 - GAP * (len(kinds) - 1)) / len(kinds)
    limits = span(part.loc[part["estimable"], "value"])
    for i, kind in enumerate(kinds):
        axes = sheet.axes(LEFT + i * (width + GAP), top + ABOVE - 0.12, width, ROW * len(models))
        axes.set_xlim(*limits)
        axes.set_ylim(len(models) - 0.5, -0.5)
        bare(axes)
        axes.grid(axis="x", color="#eef0f2", linewidth=0.7)
        axes.set_yticks(range(len(models)), [wrapped(m, 27) for m in models] if i == 0 else [""] * len(models))
        axes.tick_params(axis="y", labelcolor=INK)
        chosen = part[part["kind"] == kind]
        note = f"{KINDS[kind]} ({_sizes(chosen['n'])})" if len(chosen) else f"no {kind}"
        axes.text(0, 1.03, note, transform=axes.transAxes, size=TINY, color=MUTED, va="bottom")
        for y, model in enumerate(models):
            _row(axes, y, part[part["model"] == model], kind, sites)


def _sizes(n: pd.Series) -> str:
    low, high = n.min(), n.max()
    if high != high:
        return "n not given"
    return f"n = {high:.0f} each" if low == high else f"n = {low:.0f} to {high:.0f} each"


def _row(axes: Axes, y: int, part: pd.DataFrame, kind: str, sites: list[str]) -> None:
    pooled = part[(part["kind"] == "pooled") & part["estimable"]]
    if len(pooled):
        x = float(pooled["value"].iloc[0])
        axes.plot([x, x], [y - 0.38, y + 0.38], color=INK, linewidth=1.3, solid_capstyle="butt", zorder=3)
    chosen = part[part["kind"] == kind]
    good = chosen[chosen["estimable"]]
    for i, (value, level) in enumerate(zip(good["value"], good["level"], strict=True)):
        # a fixed zigzag rather than random jitter: the same data give the same picture
        shift = ((i * 7) % 5 - 2) * 0.09
        mark = MARKS[sites.index(level) % len(MARKS)] if kind == "site" else "o"
        color, alpha = (ORANGE, 0.95) if kind == "site" else (BLUE, 0.5)
        axes.plot(value, y + shift, mark, color=color, alpha=alpha, markersize=4, markeredgewidth=0)
    lost = len(chosen) - len(good)
    if lost:
        how: Look = {"ha": "right", "va": "center", "size": 5.4, "color": MUTED, "style": "italic"}
        axes.text(1.0, y + 0.37, f"{lost} not estimable", transform=axes.get_yaxis_transform(), **how)


def _key_rows(sites: list[str]) -> int:
    return -(-min(len(sites), 24) // 4)


def _key(sheet: Sheet, top: float, sites: list[str]) -> None:
    """Which mark is which site; beyond 24 sites the table says it better."""
    if not sites:
        return
    axes = sheet.axes(0, top, WIDTH, _key_rows(sites) * 0.18 + 0.05)
    axes.set_axis_off()
    axes.set(xlim=(0, WIDTH), ylim=(_key_rows(sites) * 0.18 + 0.05, 0))
    axes.text(0.06, 0.09, "Sites", size=SMALL, color=MUTED, va="center")
    for i, site in enumerate(sites[:24]):
        x, y = LEFT + (i % 4) * 1.42, 0.09 + (i // 4) * 0.18
        axes.plot(x + 0.05, y, MARKS[i % len(MARKS)], color=ORANGE, markersize=4, markeredgewidth=0)
        name = site if len(str(site)) <= 20 else str(site)[:19] + "…"
        axes.text(x + 0.14, y, escaped(name), size=TINY, va="center")
