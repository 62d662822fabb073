"""Measured coverage of the intervals, and measured level of the paired tests: each dot is a simulated situation."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from triptych.figures._style import FAINT, GRID, INK, MUTED, ORANGE, SMALL, TINY, Sheet, bare, nothing, styled, unique

TITLE = "Measured coverage"
TABLE = "coverage"
CAPTION = (
    "Each dot is a simulated situation: the share of 95 % intervals that held the truth (left), or of paired tests at 5 % that "
    "rejected what is equal (right), by the method that the rule chooses. Darker dots have more patients, or hospitals. The "
    "shaded band is as good as promised; crosses are situations in which the rule gives no interval: what it would have been."
)
CLAIMS = [
    ("One trained model, one row per patient", "given-model", "two-models", "one"),
    ("One trained model, several rows per patient", "given-model", "two-models", "several"),
    ("Models of a cross-validation", "cross-validation", "two-models-cv", ""),
    ("Training again, by cross-validation", "procedure", "two-procedures", ""),
    ("Unseen hospitals, one value each", "new-site", "two-models-sites", ""),
    ("Calibration of one trained model", "calibration", "", ""),
]
FAMILIES = {
    "C-index, AUC": ("harrell_c", "uno_c", "time_auc", "auc"),
    "accuracy, sensitivity, specificity": ("accuracy", "sensitivity", "specificity"),
    "balanced accuracy, R²": ("balanced_accuracy", "r2"),
    "Brier scores, absolute error": ("brier", "integrated_brier", "brier_class", "mae"),
    "slope, intercept, in the large, O/E": ("slope", "intercept", "in_the_large", "observed_expected"),
    "expected calibration error": ("ece",),
}
COLOURS = ("#b9d0e6", "#7fa9d1", "#3f79b3", "#12395f")  # of fewest to most units
STEPS = {"patients": (20, 50, 100), "sites": (5, 10, 20)}
GOAL = {False: (0.93, 0.97), True: (0.0, 0.065)}
RANGE = {False: (0.8, 1.0), True: (0.0, 0.2)}
SEEN = 100  # replicates with an interval that a dot stands for at least
ROW, HEAD, TOP, BOTTOM = 0.29, 0.3, 0.4, 0.75  # inches
LEFT, GAP, RIGHT = 2.25, 0.62, 0.62
WIDTH = 9.4


@styled
def draw(table: pd.DataFrame) -> Figure:
    """One line per claim and family of scores; intervals on the left, tests on the right."""
    if not len(table):
        return nothing("no coverage was measured")
    table = table[table["chosen"].astype(str) == "True"]
    lines = [line for claim in CLAIMS for line in _lines(table, claim)]
    height = TOP + BOTTOM + sum(HEAD if isinstance(line, str) else ROW for line in lines)
    sheet = Sheet(height, WIDTH)
    wide = (WIDTH - LEFT - GAP - RIGHT) / 2
    axes = [sheet.axes(LEFT + k * (wide + GAP), TOP, wide, height - TOP - BOTTOM) for k in (0, 1)]
    for k, test in enumerate((False, True)):
        _scale(axes[k], test, height - TOP - BOTTOM)
    sheet.words(LEFT, 0.18, "95 % intervals: share that held the truth", weight="bold", color=INK)
    sheet.words(LEFT + wide + GAP, 0.18, "tests at 5 %: share that rejected what is equal", weight="bold", color=INK)
    at = 0.0
    for line in lines:
        if isinstance(line, str):
            sheet.words(0.12, TOP + at + HEAD - 0.06, line, va="bottom", weight="bold", fontsize=SMALL + 0.6, color=INK)
            at += HEAD
            continue
        label, parts = line
        sheet.words(0.24, TOP + at + ROW / 2 - 0.05, label, va="center", fontsize=SMALL, color=MUTED)
        sheet.words(0.24, TOP + at + ROW / 2 + 0.075, _methods(parts), va="center", fontsize=TINY - 1.2, color=MUTED)
        for axis, test, rows in zip(axes, (False, True), parts, strict=True):
            _dots(axis, rows, at + ROW / 2, test)
        at += ROW
    _legend(sheet, height)
    return sheet.figure


Line = str | tuple[str, tuple[pd.DataFrame, pd.DataFrame]]


def _lines(table: pd.DataFrame, claim: tuple[str, str, str, str]) -> list[Line]:
    """A heading, and for each family what was measured of its intervals and of its tests."""
    title, intervals, tests, rows = claim
    found: list[Line] = []
    for label, metrics in FAMILIES.items():
        known = table[table["metric"].isin(metrics)]
        if rows:
            known = known[(known["sizes"] == "one") == (rows == "one")]
        parts = tuple(known[known["scenario"] == scenario] for scenario in (intervals, tests))
        if any(len(part) for part in parts):
            found.append((label, (parts[0], parts[1])))
    return [title, *found] if found else []


def _methods(parts: tuple[pd.DataFrame, pd.DataFrame]) -> str:
    """Names of the methods, of intervals and of tests; of those that are given somewhere, if any."""
    names = []
    for part in parts:
        given = part[part["estimable"] * part["replicates"] >= SEEN]
        names.append(", ".join(unique((given if len(given) else part)["method"])))
    return "; ".join(filter(None, names))


def _scale(axes: Axes, test: bool, height: float) -> None:
    low, high = RANGE[test]
    pad = 0.02 * (high - low)
    axes.set_xlim(low - pad, high + pad)
    axes.set_ylim(height, 0)
    axes.axvspan(*GOAL[test], color="#dfeadf", linewidth=0, zorder=0)
    axes.axvline(0.05 if test else 0.95, color="#7f9f7f", linewidth=0.9, zorder=1)
    ticks = [0, 0.05, 0.1, 0.15, 0.2] if test else [0.8, 0.85, 0.9, 0.95, 1.0]
    axes.set_xticks(ticks, [f"{tick:.2f}"[1:] if tick < 1 else "1" for tick in ticks])
    axes.set_yticks([])
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    bare(axes)


def _dots(axes: Axes, rows: pd.DataFrame, middle: float, test: bool) -> None:
    """Dots by number of units from top to bottom of the line; how many lie in the goal stands at the right."""
    low, high = RANGE[test]
    refused = rows[(rows["refused"] * rows["replicates"] >= SEEN) & (rows["estimable"] * rows["replicates"] < SEEN)]
    place = middle + _beside(refused)
    axes.plot(refused["if_not_refused"].clip(low, high), place, "x", color=FAINT, markersize=3.2, markeredgewidth=0.7)
    rows = rows[rows["estimable"] * rows["replicates"] >= SEEN]
    if not len(rows):
        axes.text(1.02, middle, "refused" if len(refused) else "", transform=axes.get_yaxis_transform(), **_SAID)
        return
    step = _step(rows)
    inside = rows["share"].between(low, high)
    for k, colour in enumerate(COLOURS):
        own = rows[(step == k) & inside]
        axes.plot(own["share"], middle + _beside(own), "o", color=colour, markersize=3.1, markeredgewidth=0, alpha=0.9)
    beyond = rows[~inside]
    marker = ">" if test else "<"
    axes.plot(beyond["share"].clip(low, high), middle + _beside(beyond), marker, color=ORANGE, markersize=3.6)
    good = rows["share"].between(
        *(bound + sign * _error(rows, bound) for sign, bound in zip((-1, 1), GOAL[test], strict=True))
    )
    said = f"{int(good.sum())} of {len(rows)}"
    axes.text(1.02, middle, said, transform=axes.get_yaxis_transform(), **_SAID)


_SAID: dict[str, Any] = {"va": "center", "fontsize": TINY, "color": MUTED}


def _error(rows: pd.DataFrame, share: float) -> pd.Series:
    """Two Monte-Carlo errors of a share."""
    return 2 * np.sqrt(share * (1 - share) / (rows["estimable"] * rows["replicates"]))


def _step(rows: pd.DataFrame) -> pd.Series:
    """0 to 3 by number of patients, or of hospitals."""
    by_site = rows["sites"] > 0
    patients = np.searchsorted(STEPS["patients"], rows["n"], side="left")
    sites = np.searchsorted(STEPS["sites"], rows["sites"], side="left")
    return pd.Series(np.where(by_site, sites, patients), index=rows.index)


def _beside(rows: pd.DataFrame) -> np.ndarray:
    """Shift of each dot from the middle of its line, in inches: few units above, many below, and a little apart."""
    order = rows.groupby(_step(rows)).cumcount() if len(rows) else pd.Series(dtype=float)
    return ((_step(rows) - 1.5) * 0.052 + (order % 4 - 1.5) * 0.011).to_numpy(dtype=float)


def _legend(sheet: Sheet, height: float) -> None:
    names = ["20 patients, 5 hospitals or fewer", "50, 10", "100, 20", "more"]
    marks = [Line2D([], [], marker="o", linestyle="", color=c, markersize=4) for c in COLOURS]
    marks += [Line2D([], [], marker="x", linestyle="", color=FAINT, markersize=4)]
    marks += [Line2D([], [], marker="<", linestyle="", color=ORANGE, markersize=4)]
    names += ["no interval is given: what it would have been", "beyond the scale"]
    sheet.figure.legend(
        marks, names, ncols=6, loc="lower left", frameon=False, fontsize=TINY, bbox_to_anchor=(0.005, 0.008),
        columnspacing=1.2, handletextpad=0.3,
    )  # fmt: skip
    told = "At the right: situations within the shaded goal, give or take two Monte-Carlo errors, of all."
    sheet.words(0.12, height - 0.4, told, va="center", fontsize=TINY, color=MUTED)
