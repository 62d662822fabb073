"""From contributions to claims: intervals, paired comparisons and spread of each metric, at the unit of the estimand."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from triptych import plugins
from triptych.coverage.lookup import MEASURED_LEVEL, nearest
from triptych.errors import NotEstimableError
from triptych.inference import comparisons as tests
from triptych.inference import intervals
from triptych.tables import PERSON


@dataclass(frozen=True)
class Scored:
    """One metric of one task: what ``contributions`` gave, and what the metric says of itself."""

    metric: str
    label: str
    at: float
    null_value: float
    higher_is_better: bool
    scale: str
    values: pd.DataFrame
    influence: pd.DataFrame

    @classmethod
    def of(cls, metric: str, horizon: float | None, values: pd.DataFrame, influence: pd.DataFrame) -> "Scored":
        """Attach the metric's own literals."""
        says = plugins.describe("metrics", metric).literals
        at = float(horizon) if says.get("AT_HORIZON") and horizon else np.nan
        null = np.nan if says["NULL_VALUE"] is None else float(says["NULL_VALUE"])
        return cls(metric, says["LABEL"], at, null, says["HIGHER_IS_BETTER"], says["SCALE"], values, influence)

    @property
    def head(self) -> dict[str, Any]:
        """What every row about this metric begins with."""
        direction = "higher" if self.higher_is_better else "lower"
        return {"metric": self.metric, "label": self.label, "at": self.at, "direction": direction}

    def of_kind(self, model: str, kind: str) -> pd.DataFrame:
        """Estimable values of one model by fold or site, by name."""
        rows = self.values[(self.values["model"] == model) & (self.values["kind"] == kind) & self.values["estimable"]]
        return rows.set_index("level")

    def by_person(self, model: str) -> pd.Series:
        """Influence of each person on one model's value."""
        return self.influence[self.influence["model"] == model].set_index(PERSON)["influence"]

    def value(self, model: str) -> float:
        """The pooled value of one model."""
        return float(self.pooled(model)["value"])

    def pooled(self, model: str) -> pd.Series:
        """The pooled row of one model."""
        return self.values[(self.values["model"] == model) & (self.values["kind"] == "pooled")].iloc[0]

    @property
    def models(self) -> list[str]:
        """Models in the order of the study."""
        return list(self.values.loc[self.values["kind"] == "pooled", "model"])


def estimates(scored: list[Scored], estimand: str, level: float) -> pd.DataFrame:
    """One row per model and metric: value, interval at the unit of the estimand, and the reason where there is none."""
    found = []
    for one in scored:
        for model in one.models:
            pooled = one.pooled(model)
            row = {"model": model, **one.head, "null_value": one.null_value, "level": level, "n_rows": pooled["n"]}
            row |= {"n_events": pooled["n_events"], "unit": UNIT[estimand]}
            try:
                if not pooled["estimable"]:
                    raise NotEstimableError(pooled["reason"])
                row |= _interval(one, model, estimand, level)
                row["coverage"] = _measured(one, row, estimand, level)
            except NotEstimableError as error:
                row |= {"value": pooled["value"], "estimable": False, "reason": str(error)}
            found.append(row)
    return pd.DataFrame(found)


def comparisons(scored: list[Scored], estimand: str, level: float) -> pd.DataFrame:
    """Every pair of models for each metric, with a paired test; Holm over all pairs of a metric."""
    found = []
    for one in scored:
        rows = [_compare(one, a, b, estimand, level) for a, b in combinations(one.models, 2)]
        if not rows:
            continue
        table = pd.DataFrame(rows)
        table["p_holm"] = tests.holm(table["p"].to_numpy(float))
        table["n_comparisons"] = int(table["p"].notna().sum())
        found.append(table)
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def spread(scored: list[Scored]) -> pd.DataFrame:
    """Values by fold and by site of every model and metric, beside the pooled one."""
    parts = [one.values.assign(**one.head).drop(columns="train_ratio") for one in scored]
    return pd.concat(parts, ignore_index=True)


FEWEST_EVENTS = 10
UNIT = {"new-patients": "patient", "new-site": "site", "procedure": "resample"}


def _interval(one: Scored, model: str, estimand: str, level: float) -> dict[str, Any]:
    if estimand == "new-patients":
        _enough_events(one, model)
        influence = one.by_person(model).to_numpy()
        made, n = intervals.from_influence(one.value(model), influence, level=level, scale=one.scale), len(influence)
    else:
        rows = one.of_kind(model, "site" if estimand == "new-site" else "fold")
        made, n = _over_parts(rows, estimand, level), len(rows)
    facts = {
        "value": made.value,
        "low": made.low,
        "high": made.high,
        "se": made.se,
        "df": made.df,
        "method": made.method,
    }
    return {**facts, "n_units": n, "estimable": True, "reason": ""}


def _enough_events(one: Scored, model: str) -> None:
    """Below ten events such intervals held the truth in 61 to 94 % of simulations (``snakemake coverage``)."""
    n = int(one.pooled(model)["n_events"])
    if n < FEWEST_EVENTS:
        raise NotEstimableError(
            f"{n} events are too few for an interval (at least {FEWEST_EVENTS}; below that, 95 % intervals were measured to hold "
            "the truth in as few as 61 %)"
        )


def _measured(one: Scored, row: dict[str, Any], estimand: str, level: float) -> str:
    """What is known of the coverage of such an interval."""
    if estimand == "new-patients" and row["n_rows"] != row["n_units"]:
        return "not measured for several rows per patient"
    events = row["n_events"] / max(row["n_rows"], 1)
    if estimand == "new-site":
        found = nearest(
            "new-site", one.metric, n=round(row["n_rows"] / row["n_units"]), events=events, sites=row["n_units"]
        )
    elif estimand == "new-patients":
        folds = one.values.loc[one.values["kind"] == "fold", "level"].nunique()
        scenario = "cross-validation" if folds > 1 else "given-model"
        found = nearest(scenario, one.metric, n=row["n_units"], events=events)
    else:
        found = None
    return found.words(level) if found and level == MEASURED_LEVEL else "not measured"


def _over_parts(rows: pd.DataFrame, estimand: str, level: float) -> intervals.Interval:
    values = rows["value"].to_numpy(float)
    if estimand == "new-site":
        return intervals.over_sites(values, level=level)
    return intervals.over_resamples(values, ratio=_ratio(rows), level=level)


def _ratio(rows: pd.DataFrame) -> float:
    ratio = rows["train_ratio"].dropna()
    if not len(ratio):
        raise NotEstimableError("the sizes of the training parts are not known")
    return float(ratio.iloc[0])


def _compare(one: Scored, a: str, b: str, estimand: str, level: float) -> dict[str, Any]:
    row: dict[str, Any] = {"model_a": a, "model_b": b, **one.head, "unit": UNIT[estimand], "n_units": 0, "p": np.nan}
    try:
        for model in (a, b):
            if not one.pooled(model)["estimable"]:
                raise NotEstimableError(f"{model}: {one.pooled(model)['reason']}")
        made, row["n_units"] = _paired(one, a, b, estimand, level)
    except NotEstimableError as error:
        return {**row, "estimable": False, "reason": str(error)}
    found = made.interval
    row |= {"difference": found.value, "low": found.low, "high": found.high, "se": found.se, "df": found.df}
    return {**row, "statistic": made.statistic, "p": made.p, "method": found.method, "estimable": True, "reason": ""}


def _paired(one: Scored, a: str, b: str, estimand: str, level: float) -> tuple[tests.Comparison, int]:
    if estimand == "new-patients":
        _enough_events(one, a)
        both = pd.concat([one.by_person(a), one.by_person(b)], axis=1, join="outer")
        if both.isna().any().any():
            raise NotEstimableError(f"{a} and {b} were not tested on the same patients")
        influence = both.to_numpy()
        made = tests.by_unit(one.value(a), one.value(b), influence[:, 0], influence[:, 1], level=level)
        return made, len(both)
    kind = "site" if estimand == "new-site" else "fold"
    rows_a, rows_b = one.of_kind(a, kind), one.of_kind(b, kind)
    shared = rows_a.index.intersection(rows_b.index)
    values = rows_a.loc[shared, "value"].to_numpy(float), rows_b.loc[shared, "value"].to_numpy(float)
    if estimand == "new-site":
        return tests.by_site(*values, level=level), len(shared)
    return tests.by_resample(*values, ratio=_ratio(rows_a), level=level), len(shared)
