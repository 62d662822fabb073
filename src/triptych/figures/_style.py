"""One restrained look for every figure, and one way to write figures so that equal data give equal bytes."""

import functools
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Look = dict[str, Any]

INK = "#1d2730"
MUTED = "#5f6b76"
FAINT = "#aab3bb"
GRID = "#e6e9ec"
BAND = "#f4f6f7"
# Two colours that every common kind of colour vision tells apart, also in grey print (they differ in lightness).
BLUE = "#1f5f99"
ORANGE = "#d9782d"
NULL = "#7d8790"
WIDTH = 7.6
SMALL = 7.0
TINY = 6.4

# The reader's own matplotlibrc must not change a figure: start from the library's defaults, then ours.
STYLE = {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith(("backend", "date."))}
STYLE |= {
    # ships with matplotlib, so the layout and the bytes are the same on every machine
    "font.family": ["DejaVu Sans"],
    "font.size": 8.0,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 2.5,
    "ytick.major.size": 0.0,
    "lines.linewidth": 1.4,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "hatch.linewidth": 0.5,
    # outlines rather than text: a browser without the font would otherwise shift every label
    "svg.fonttype": "path",
    "svg.hashsalt": "triptych",
    "pdf.fonttype": 42,
}


def styled(draw: Callable[[pd.DataFrame], Figure]) -> Callable[[pd.DataFrame], Figure]:
    """Run ``draw`` under the style, and leave the settings of the process as they were."""

    @functools.wraps(draw)
    def run(table: pd.DataFrame) -> Figure:
        with matplotlib.rc_context(STYLE):
            return draw(table)

    return run


def nothing(why: str) -> Figure:
    """A figure that says that there is nothing to draw, and why."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.9))
        words = textwrap.fill(f"nothing to draw: {why}", 100)
        figure.text(0.5, 0.5, words, ha="center", va="center", color=MUTED, style="italic")
        return figure


def save(figure: Figure, path: Path | str) -> None:
    """Write ``path`` with .svg, .pdf and .png; the same figure gives the same bytes, whenever it is written."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None, "ModDate": None}, "png": {"Software": None}}
    with matplotlib.rc_context(STYLE):
        for suffix, metadata in undated.items():
            # not with_suffix: a name may hold a dot
            figure.savefig(path.parent / f"{path.name}.{suffix}", metadata=metadata, dpi=200)


class Sheet:
    """A figure on which things are placed in inches from the top left, so that rows keep their height."""

    def __init__(self, height: float, width: float = WIDTH) -> None:
        self.width, self.height = width, max(height, 0.5)
        self.figure = Figure(figsize=(self.width, self.height))

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes whose corner lies ``left`` and ``top`` inches from the top left corner of the sheet."""
        bottom = self.height - top - height
        box = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box)

    def words(self, left: float, top: float, written: str, **how: Any) -> None:
        """Text at a place in inches; it hangs from that place unless told otherwise."""
        how = {"va": "top", "ha": "left", **how}
        self.figure.text(left / self.width, 1 - top / self.height, escaped(written), **how)


def escaped(written: str) -> str:
    """A dollar sign opens mathematics in matplotlib; in a name it is only a dollar sign."""
    return str(written).replace("$", r"\$")


def wrapped(name: object, width: int = 24, lines: int = 2) -> str:
    """A long name on at most ``lines`` lines."""
    parts = textwrap.wrap(str(name), width) or [""]
    if len(parts) > lines:
        parts = [*parts[: lines - 1], textwrap.shorten(" ".join(parts[lines - 1 :]), width, placeholder="…")]
        parts[-1] = parts[-1] if parts[-1] != "…" else str(name)[: width - 1] + "…"
    return escaped("\n".join(parts))


def why_not(table: pd.DataFrame) -> str:
    """``not estimable`` with the first reason that the table gives, if it gives any."""
    reasons = [r for r in table["reason"] if isinstance(r, str) and r] if "reason" in table else []
    return wrapped("not estimable" + (f": {reasons[0]}" if reasons else ""), 30, 3)


def unique(column: Iterable) -> list:
    """The distinct values in the order in which they come."""
    return list(dict.fromkeys(v for v in column if v == v))


def span(values: Iterable[float], pad: float = 0.06) -> tuple[float, float]:
    """Limits of an axis that holds all values with a little air."""
    finite = pd.Series(list(values), dtype=float)
    finite = finite[finite.abs() < float("inf")]
    if finite.empty:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    air = (high - low) * pad or max(abs(high), 1.0) * pad
    return low - air, high + air


def bare(axes: Axes, *, bottom: bool = True) -> None:
    """Only the axis that carries numbers keeps its line."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_visible(bottom)
    axes.tick_params(axis="y", length=0)
