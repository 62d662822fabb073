"""How often the intervals of calibration hold the truth, for a model that is calibrated: the report's own table, many times."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from triptych.calibrating import calibration
from triptych.coverage.cells import LEVEL, METRICS, Cell
from triptych.coverage.scans import Scans, World
from triptych.metrics._held import HeldClasses

TRUTH = {"slope": 1.0, "intercept": 0.0, "in_the_large": 0.0, "observed_expected": 1.0, "ece": 0.0}


def measure_calibration(cell: Cell, replicates: int, random: np.random.Generator) -> list[dict[str, Any]]:
    """Rows as of `measure.measure`, one per measure of calibration."""
    world = World(cell.events, cell.strength, cell.sizes, cell.icc)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in METRICS[cell.kind]}
    per_patient = []
    for _ in range(replicates):
        scans = world.draw(cell.n, random)
        per_patient.append(scans.y.size / cell.n)
        table = calibration(_waist(scans, scans.classified(random)), None, None, LEVEL)
        for row in table[table["record"] == "measure"].to_dict("records"):
            if row["measure"] in found and np.isfinite(row["low"]):
                found[row["measure"]].append((row["low"], row["high"]))
    facts = {**asdict(cell), "method": "influence-t", "chosen": True, "if_not_refused": np.nan, "refused": 0.0}
    facts |= {"rows": float(np.mean(per_patient)), "seen_icc": cell.icc, "replicates": replicates}
    return [{**facts, "metric": name, **_share(limits, TRUTH[name], replicates)} for name, limits in found.items()]


def _share(limits: list[tuple[float, float]], truth: float, replicates: int) -> dict[str, float]:
    if not limits:
        return {"share": np.nan, "width": np.nan, "estimable": 0.0}
    low, high = np.array(limits).T
    holds = np.mean((low <= truth) & (truth <= high))
    return {"share": float(holds), "width": float(np.mean(high - low)), "estimable": len(limits) / replicates}


def _waist(scans: Scans, held: HeldClasses) -> pd.DataFrame:
    """Predictions as the workflow keeps them."""
    session = pd.Series(scans.unit).groupby(scans.unit).cumcount()
    facts = {"model": "m", "repeat": 0, "fold": 0, "cohort": "c"}
    people = {"participant_id": scans.unit.astype(str), "session_id": session.astype(str)}
    said = {"y": held.y, "score": held.score, "predicted": held.predicted, "p": held.p}
    return pd.DataFrame({**people, **said}).assign(**facts)
