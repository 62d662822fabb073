"""Measured coverage of the intervals, and measured level of the paired tests, by number of patients."""

import pandas as pd
from matplotlib.figure import Figure

TITLE = "Measured coverage"
TABLE = "coverage"
CAPTION = (
    "Each dot is a simulated situation: the share of 95 % intervals that held the truth, or of paired tests that rejected two "
    "equally good models. Inside the grey band is as good as promised; below ten events intervals are refused."
)
PANELS = {
    "given-model": "One trained model, new patients:\nintervals that hold the truth",
    "cross-validation": "Repeated cross-validation:\nintervals that hold the truth",
    "new-site": "Unseen hospitals:\nintervals that hold the truth",
    "two-models": "Two equal models:\ntests that reject at 5 %",
}
LABELS = {
    "harrell_c": "Harrell's C",
    "uno_c": "Uno's C",
    "time_auc": "time-dependent AUC",
    "brier": "Brier score",
    "integrated_brier": "integrated Brier score",
}
COLOURS = ("#1f5f9e", "#c8702a", "#4a8a5c", "#8a5fa8", "#7a7a7a")


def draw(table: pd.DataFrame) -> Figure:
    """One panel per scenario; dots of a metric are shifted a little to the side."""
    figure = Figure(figsize=(10, 7.2), layout="constrained")
    known = [name for name in PANELS if (table["scenario"] == name).any()] if len(table) else []
    if not known:
        figure.text(0.5, 0.5, "nothing to draw: no coverage was measured", ha="center")
        return figure
    for axes, scenario in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
        if scenario in known:
            _panel(axes, table[table["scenario"] == scenario], scenario)
        else:
            axes.set_axis_off()
    return figure


def _panel(axes, rows: pd.DataFrame, scenario: str) -> None:
    level = scenario == "two-models"
    across, name = ("sites", "hospitals") if scenario == "new-site" else ("n", "patients")
    rows = rows.dropna(subset=[across])
    sizes = sorted(rows[across].unique())
    axes.axhspan(*((0.035, 0.065) if level else (0.93, 0.97)), color="#e9ecef", zorder=0)
    axes.axhline(0.05 if level else 0.95, color="#5b6770", linewidth=0.8, linestyle="--", zorder=1)
    for k, metric in enumerate(m for m in LABELS if (rows["metric"] == m).any()):
        part = rows[rows["metric"] == metric]
        place = [sizes.index(size) + 0.14 * (k - 2) for size in part[across]]
        axes.plot(
            place, part["share"], "o", color=COLOURS[k], markersize=4, alpha=0.75, label=LABELS[metric], linestyle=""
        )
    axes.set_xticks(range(len(sizes)), [f"{size:g}" for size in sizes])
    axes.set_xlabel(name)
    axes.set_ylim((0, max(0.15, rows["share"].max() + 0.01)) if level else (min(0.8, rows["share"].min() - 0.01), 1.0))
    axes.set_title(PANELS[scenario], loc="left", fontsize=9.5, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    if scenario == "given-model" and len(rows):
        axes.legend(frameon=False, fontsize=8, loc="lower right", ncols=2)
