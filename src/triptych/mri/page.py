"""The quality page of one cohort: what was lost and why, the oddest scans first, each with its picture."""

import os
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from triptych.bids.verdict import BETWEEN
from triptych.mri.columns import COLUMNS, QUALITY
from triptych.mri.joining import ScanResult

TEMPLATE = Path(__file__).with_name("quality.html.j2")


def page(cohort: str, table: pd.DataFrame, results: list[ScanResult], folder: Path) -> str:
    """The page as HTML.

    Parameters
    ----------
    table
        From ``joining.quality_table``.
    results
        The scans, for what each step took.
    folder
        Where the page will lie; links to pictures are relative to it.
    """
    words = ["name", "status", "reason", "notes", "picture", "oddest"]
    table = table.assign(**{name: table[name].fillna("") for name in words})  # empty cells of a file
    rows = [
        {
            **row,
            "picture": os.path.relpath(row["picture"], folder) if row["picture"] else "",
            "distance": _number(row["distance"]),
            "values": [_number(row[name]) for name in QUALITY],
            "oddest": _short(row["oddest"]),
            "notes": [note for note in row["notes"].split(BETWEEN) if note],
        }
        for row in table.to_dict("records")
    ]
    counts = table["status"].value_counts()
    facts = {
        "cohort": cohort,
        "scans": len(table),
        "usable": int(counts.get("ok", 0)),
        "rows": rows,
        "lost": [row for row in rows if row["status"] != "ok"],
        "measures": [(_short(name), COLUMNS[name]) for name in QUALITY],
        "medians": [_number(table[name].median()) for name in QUALITY],
        "steps": steps(results).to_dict("records"),
    }
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(**facts)


def steps(results: list[ScanResult]) -> pd.DataFrame:
    """Median CPU seconds and largest peak memory of each step over the scans."""
    rows: list[dict[str, Any]] = [
        {"step": name, **took} for r in results for name, took in r.status["notes"].get("steps", {}).items()
    ]
    if not rows:
        return pd.DataFrame(columns=["step", "cpu_s", "peak_mb"])
    found = pd.DataFrame(rows).groupby("step", sort=False)
    return found.agg(cpu_s=("cpu_s", "median"), peak_mb=("peak_mb", "max")).reset_index()


def _short(name: str) -> str:
    return name.removeprefix("mri_qc_").replace("_", " ")


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3g}"
