"""One question under several protocols: what the split alone adds to a score, with true and with permuted outcomes."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from triptych.figures._style import (
    BLUE,
    GRID,
    INK,
    MUTED,
    NULL,
    ORANGE,
    SMALL,
    TINY,
    WIDTH,
    Look,
    Sheet,
    bare,
    nothing,
    span,
    styled,
    unique,
    wrapped,
)
from triptych.report import numbers

TITLE = "The same data and model under several protocols"
TABLE = "protocols"
CAPTION = (
    "Each line is one way of splitting the same data: a coloured mark for the score with true outcomes, an open grey circle "
    "for the same model when outcomes are exchanged between people, both with intervals; the dashed line is no skill. A grey "
    "circle away from that line means that the protocol lets the model score without any relation to the outcome."
)

# what training and test never share: its colour, mark, and words
LOOKS = {
    "nothing": (ORANGE, "s", "one person on both sides"),
    "people": (BLUE, "o", "people kept apart"),
    "sites": ("#0b2e52", "D", "people and sites kept apart"),
}
COLUMN, GAP = 3.72, 0.16  # inches
LEFT, WIDER, RIGHT = 1.02, 1.2, 1.12  # room for names (wider: also of models) and for numbers beside the axes
HEAD, ABOVE, BELOW, ROW, HIGHER = 0.38, 0.56, 0.52, 0.38, 0.5
KEY = 1.5


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw every group of protocols, two beside each other, and the key."""
    if table.empty:
        return nothing("no task was asked for under several protocols")
    table = table.assign(estimable=numbers.flags(table["estimable"]) & table["value"].notna(), line=_lines(table))
    groups = [part for _, part in table.groupby("group", sort=False)]
    cells = [(part, ABOVE + _height(part) + BELOW) for part in groups]
    columns = min(2, len(cells))
    rows = [cells[k : k + columns] for k in range(0, len(cells), columns)]
    if len(rows[-1]) == columns:  # no cell is free for the key
        rows.append([])
    heights = [max([height for _, height in row] + ([KEY] if len(row) < columns else [])) for row in rows]
    sheet = Sheet(HEAD + sum(heights), WIDTH if columns == 2 else COLUMN + 2 * GAP)
    sheet.words(0.06, 0.08, "Same data, same model: only the split differs", weight="bold", size=10)
    limits, top = _limits(groups), HEAD
    for row, height in zip(rows, heights, strict=True):
        for k, (part, _) in enumerate(row):
            _panel(sheet, (k * (COLUMN + GAP), top), part, limits)
        top += height
    _key(sheet, (len(rows[-1]) * (COLUMN + GAP), top - heights[-1]), unique(table["apart"]), table)
    return sheet.figure


def _lines(table: pd.DataFrame) -> pd.Series:
    """The name of each line of a panel: the protocol, and in a second line the model where there are several."""
    several = table.groupby("group")["model"].transform("nunique") > 1
    return table["protocol"].where(~several, table["protocol"] + "\n" + table["model"])


def _several(part: pd.DataFrame) -> bool:
    return part["model"].nunique() > 1


def _height(part: pd.DataFrame) -> float:
    return (HIGHER if _several(part) else ROW) * part["line"].nunique()


def _limits(groups: list[pd.DataFrame]) -> dict[str, tuple[float, float]]:
    """Limits by group; groups whose score has the same fixed value without skill share theirs."""
    alike: dict[object, list[pd.DataFrame]] = {}
    for part in groups:
        fixed = (part["chance_of"] == "no skill").all()
        alike.setdefault(part["chance"].iloc[0] if fixed else part["group"].iloc[0], []).append(part)
    found: dict = {}
    for parts in alike.values():
        everything = pd.concat(parts)[["value", "low", "high", "chance"]]
        limits = span(everything.to_numpy(float).ravel(), 0.05)
        found |= {part["group"].iloc[0]: limits for part in parts}
    return found


def _panel(sheet: Sheet, place: tuple[float, float], part: pd.DataFrame, limits: dict) -> None:
    left, top = place
    first, lines = part.iloc[0], unique(part["line"])
    sheet.words(left + 0.06, top + 0.06, wrapped(first["title"], 58), weight="bold", size=7.6, linespacing=1.15)
    names = WIDER if _several(part) else LEFT
    axes = sheet.axes(left + names, top + ABOVE, COLUMN - names - RIGHT, _height(part))
    axes.set_xlim(*limits[first["group"]])
    axes.set_ylim(len(lines) - 0.5, -0.5)
    bare(axes)
    axes.set_yticks([])
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    axes.locator_params(axis="x", nbins=5)
    good = part[part["estimable"]]
    digits = numbers.decimals(good["value"])
    for y, line in enumerate(lines):
        _line(axes, y, part[part["line"] == line], digits)
    _chance_name(axes, part)
    better = "← better" if first["direction"] == "lower" else "better →"
    metric = f"{first['label']} {numbers.moment(first['at'], first['time_unit'])}".strip()
    metric += f", {first['value_unit']}" if numbers.known(first["value_unit"]) else ""
    axes.annotate(f"{metric}, {better}", (0.5, 0), (0, -15), xycoords="axes fraction", textcoords="offset points",
                  ha="center", va="top", size=TINY, color=MUTED)  # fmt: skip


def _line(axes: Axes, y: int, rows: pd.DataFrame, digits: int) -> None:
    """One protocol: its name, and a mark with its interval for true and for permuted outcomes."""
    first = rows.iloc[0]
    color, mark, _ = LOOKS[first["apart"]]
    axes.plot([first["chance"]] * 2, [y - 0.5, y + 0.5], color=MUTED, linewidth=0.9, dashes=(3, 2.4), zorder=1)
    beside = axes.get_yaxis_transform()
    protocol, _, model = first["line"].partition("\n")
    up, down = (-0.27, 0.28) if model else (-0.17, 0.2)
    side: Look = {"transform": beside, "ha": "right", "va": "center"}
    axes.text(-0.06, y + up, protocol if model else wrapped(protocol, 20), size=SMALL, color=INK, **side)
    axes.text(-0.06, y, model, size=TINY, color=INK, **side)
    unit = numbers.count(first["n_units"], str(first["unit"])).replace("patients", "people")
    under, look = ("leaks on purpose", ORANGE) if numbers.flags(rows["leaks"]).iloc[0] else (unit, MUTED)
    axes.text(-0.06, y + down, under, size=TINY, color=look, **side)
    for row in rows.to_dict("records"):
        true = row["outcomes"] == "true"
        at, tint = (y - 0.17, color) if true else (y + 0.2, NULL)
        face = tint if true else "white"
        shown: Look = {"transform": beside, "va": "center", "size": SMALL if true else TINY, "color": tint}
        if not row["estimable"]:
            axes.text(1.04, at, "not estimable", style="italic", **shown)
            continue
        if numbers.finite(row["low"]) and numbers.finite(row["high"]):
            axes.plot([row["low"], row["high"]], [at, at], color=tint, linewidth=1.7 if true else 1.0, zorder=2)
        size = 5.2 if true else 4.2
        axes.plot(row["value"], at, mark if true else "o", color=tint, markerfacecolor=face, markersize=size, zorder=3)
        written = numbers.estimate(row["value"], row["low"], row["high"], digits)
        axes.text(1.04, at, written, weight="bold" if true else "normal", **shown)


def _chance_name(axes: Axes, part: pd.DataFrame) -> None:
    first = part.iloc[0]
    if not numbers.finite(first["chance"]):
        return
    written = f"{first['chance_of']} {numbers.fixed(first['chance'], 1)}"
    how: Look = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points", "size": TINY, "color": MUTED}
    axes.annotate(written, (first["chance"], 1), (0, 2), ha="center", **how)


def _key(sheet: Sheet, place: tuple[float, float], kinds: list[str], table: pd.DataFrame) -> None:
    """What the marks mean."""
    left, top = place
    told = [
        (LOOKS[kind][0], LOOKS[kind][1], True, f"true outcomes, {LOOKS[kind][2]}") for kind in LOOKS if kind in kinds
    ]
    told.append((NULL, "o", False, "outcomes permuted between people: should lie on no skill"))
    axes = sheet.axes(left + 0.06, top + 0.3, COLUMN - 0.12, 0.2 * (len(told) + 2))
    axes.set(xlim=(0, COLUMN - 0.12), ylim=(len(told) + 1.5, -0.5))
    axes.set_axis_off()
    for y, (color, mark, full, words) in enumerate(told):
        axes.plot([0.02, 0.34], [y, y], color=color, linewidth=1.7 if full else 1.0)
        axes.plot(
            0.18, y, mark, color=color, markerfacecolor=color if full else "white", markersize=5.2 if full else 4.2
        )
        axes.text(0.46, y, words, va="center", size=SMALL, color=INK)
    y = len(told)
    axes.plot([0.18, 0.18], [y - 0.4, y + 0.4], color=MUTED, linewidth=0.9, dashes=(3, 2.4))
    axes.text(0.46, y, "no skill", va="center", size=SMALL, color=INK)
    level = numbers.per_cent(table["level"].dropna().iloc[0]) if table["level"].notna().any() else ""
    axes.text(
        0.02, y + 1, f"{level} intervals, at the unit that is counted".strip(), va="center", size=TINY, color=MUTED
    )
