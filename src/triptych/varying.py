"""What makes a score vary: variance components of right and wrong predictions, and of scores by fold and by site.

Models are held fixed, so a component says how much all of them move together from patient to patient, site to site, seed to seed;
what is left over is how they differ in that, and chance. Negative controls are left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from triptych import plugins
from triptych.errors import NotEstimableError
from triptych.inference.binary_components import binary_components
from triptych.inference.components import FEWEST_LEVELS, Component, components
from triptych.tables import PERSON, SITE

COMPONENTS = [
    "part", "metric", "label", "factor", "levels", "variance", "sd", "share", "values", "n", "method", "estimable",
    "reason",
]  # fmt: skip
RIGHT = "Right or wrong, each prediction"


def variance_components(predictions: pd.DataFrame, values: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Shares of variance of one task.

    Parameters
    ----------
    predictions
        The waist; for classes each prediction is right or wrong, which is split by patient, site, seed and fold.
    values
        Metric: its values by fold and site, as ``scoring`` gives them.

    Returns
    -------
    DataFrame
        ``part`` is ``predictions`` (on the scale of log odds), ``folds`` or ``sites``; ``factor`` one source of variation or
        ``rest``. A factor with fewer than five levels has no variance but ``values``, the mean of each level.
    """
    found: list[dict[str, Any]] = _of_predictions(predictions) if "score" in predictions else []
    for metric, table in values.items():
        label = plugins.describe("metrics", metric)["LABEL"]
        good = table[table["estimable"].astype(bool) & table["model"].isin(predictions["model"])]
        for part, kind in (("folds", "fold"), ("sites", "site")):
            rows = good[good["kind"] == kind]
            if len(rows):
                found += [{"metric": metric, "label": label, **row} for row in _of_scores(part, rows)]
    return pd.DataFrame(found, columns=COMPONENTS)


def _of_predictions(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Right or wrong; a model that is always right, or never, varies over nothing and is left out."""
    table = table.assign(right=(table["predicted"] == table["y"]).astype(float))
    varies = table.groupby("model")["right"].transform("nunique") > 1
    rows = table[varies] if varies.any() else table
    fold = "repeat " + (rows["repeat"] + 1).astype(str) + " fold " + (rows["fold"] + 1).astype(str)
    site = rows[SITE] if SITE in rows and rows[SITE].notna().all() else pd.Series("", rows.index)
    factors = {
        "patient": rows.groupby(PERSON, sort=True).ngroup().to_numpy(),
        "site": site.astype(str).to_numpy(),
        "seed": _seed(rows["repeat"] + 1),
        "fold": fold.to_numpy(),
    }
    split = _Split("predictions", factors, rows["right"].to_numpy(), rows["model"].to_numpy())
    return [{"metric": "", "label": RIGHT, **row} for row in split.rows(_binary)]


def _of_scores(part: str, rows: pd.DataFrame) -> list[dict[str, Any]]:
    level = rows["level"].astype(str)
    factors = {"site": level.to_numpy()}
    if part == "folds":
        factors = {"seed": _seed(level.str.extract(r"repeat (\d+)", expand=False)), "fold": level.to_numpy()}
    return _Split(part, factors, rows["value"].to_numpy(float), rows["model"].to_numpy()).rows(_gaussian)


def _seed(repeat: pd.Series) -> np.ndarray:
    """Names of repeats that sort as their numbers do."""
    number = repeat.astype(int)
    return np.array([f"repeat {k:0{len(str(number.max()))}d}" for k in number])


@dataclass(frozen=True)
class _Split:
    """Values (n,) of one part, the model of each, and codes (n,) of what could make them vary."""

    part: str
    factors: dict[str, np.ndarray]
    values: np.ndarray
    model: np.ndarray

    def rows(self, fit: Callable[..., tuple[tuple[Component, ...], float, float, str]]) -> list[dict[str, Any]]:
        """One row per factor and one for the rest; a factor that cannot be told apart says why."""
        kept, refused = self._kept()
        head = {"part": self.part, "n": self.values.size}
        try:
            if not kept:
                raise NotEstimableError("nothing can be told apart")
            found, left, share, method = fit(self.values, {name: self.factors[name] for name in kept}, self.model)
        except NotEstimableError as error:
            lost = {name: refused.get(name, str(error)) for name in (*self.factors, "rest")}
            rows = [{"factor": name, **self._row(name, None), "reason": why} for name, why in lost.items()]
            return [{**head, **row, "estimable": False} for row in rows]
        made = {one.name: one for one in found}
        rows = [{"factor": name, **self._row(name, made.get(name)), **_reason(refused, name)} for name in self.factors]
        share = (
            share if any(np.isfinite(one.share) for one in found) else np.nan
        )  # a share of what is left over is none
        rest = {"variance": left, "sd": np.sqrt(left), "share": share, "estimable": True, "reason": ""}
        return [{**head, **row, "method": method} for row in (*rows, {"factor": "rest", **rest})]

    def _kept(self) -> tuple[list[str], dict[str, str]]:
        """Factors that differ from the rest and from each other, and why the others do not."""
        kept: list[str] = []
        refused: dict[str, str] = {}
        for name, codes in self.factors.items():
            levels = len(np.unique(codes))
            twin = next((other for other in kept if _alike(self.factors[other], codes)), None)
            if levels == 1:
                refused[name] = f"one {name} only"
            elif levels == self.values.size:
                refused[name] = f"one value for each {name}: it cannot be told from the rest"
            elif twin:
                refused[name] = f"each {name} is a {twin}: the two cannot be told apart"
            else:
                kept.append(name)
        return kept, refused

    def _row(self, name: str, one: Component | None) -> dict[str, Any]:
        """What is known of a factor; the mean of each of a few levels."""
        codes = self.factors.get(name)
        if codes is None:
            return {}
        row: dict[str, Any] = {"levels": len(np.unique(codes))}
        if 1 < row["levels"] < FEWEST_LEVELS:
            means = pd.Series(self.values).groupby(codes).mean()
            row["values"] = "; ".join(f"{level}: {mean:.3f}" for level, mean in means.items())
        if one is None:
            return row
        row |= {"variance": one.variance, "sd": np.sqrt(one.variance), "share": one.share}
        return {**row, "estimable": not one.note, "reason": one.note}


def _reason(refused: dict[str, str], name: str) -> dict[str, Any]:
    return {"estimable": False, "reason": refused[name]} if name in refused else {}


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two factors split the rows in the same way."""
    pairs = len(set(zip(a.tolist(), b.tolist(), strict=True)))
    return pairs == len(np.unique(a)) == len(np.unique(b))


def _binary(values: np.ndarray, factors: dict[str, np.ndarray], model: np.ndarray) -> tuple:
    found = binary_components(values, factors, fixed={"model": model})
    return found.factors, np.pi**2 / 3, found.residual_share, f"{found.method}; models held fixed"


def _gaussian(values: np.ndarray, factors: dict[str, np.ndarray], model: np.ndarray) -> tuple:
    found = components(values, factors, fixed={"model": model})
    return found.factors, found.residual, found.residual_share, f"{found.method}; models held fixed"
