"""From contributions to claims: intervals, paired comparisons and spread of each metric, by the methods that the rule chooses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from triptych import plugins
from triptych.choice import choose_interval, choose_test
from triptych.coverage.lookup import quote, scenario_of
from triptych.errors import NotEstimableError, TriptychError
from triptych.inference import comparisons as tests
from triptych.inference.equivalence import verdict
from triptych.inference.evidence import compare, interval
from triptych.inference.known import Evidence, dependence
from triptych.inference.winner import best_of
from triptych.methods import Situation
from triptych.tables import PERMUTED, PERSON

UNIT = {"new-patients": "patient", "new-site": "site", "procedure": "resample"}


@dataclass(frozen=True)
class Asked:
    """What a study asks of one task: the claim, the roles of its models, and methods and margins by metric."""

    estimand: str
    level: float = 0.95
    roles: dict[str, str] = field(default_factory=dict)
    intervals: dict[str, str] = field(default_factory=dict)
    tests: dict[str, str] = field(default_factory=dict)
    margins: dict[str, float] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """What the claim is about, one of."""
        return UNIT[self.estimand]

    def role(self, model: str) -> str:
        """Model, null or control."""
        return self.roles.get(model, "model")


@dataclass(frozen=True)
class Scored:
    """One metric of one task: what ``contributions`` gave, and what the metric says of itself.

    drawn : model -> values (B,) of how often each person is drawn, (B, I); only where a bootstrap was asked for.
    """

    metric: str
    label: str
    at: float
    null_value: float
    higher_is_better: bool
    scale: str
    family: str
    tasks: tuple[str, ...]
    values: pd.DataFrame
    influence: pd.DataFrame
    drawn: dict[str, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        metric: str,
        horizon: float | None,
        values: pd.DataFrame,
        influence: pd.DataFrame,
        drawn: dict[str, Callable[[np.ndarray], np.ndarray]] | None = None,
    ) -> "Scored":
        """Attach the metric's own literals."""
        says = plugins.describe("metrics", metric).literals
        at = float(horizon) if says.get("AT_HORIZON") and horizon else np.nan
        null = np.nan if says["NULL_VALUE"] is None else float(says["NULL_VALUE"])
        facts = (says["LABEL"], at, null, says["HIGHER_IS_BETTER"], says["SCALE"], says["FAMILY"])
        return cls(metric, *facts, tuple(says["TASKS"]), values, influence, drawn or {})

    @property
    def head(self) -> dict[str, Any]:
        """What every row about this metric begins with."""
        direction = "higher" if self.higher_is_better else "lower"
        return {"metric": self.metric, "label": self.label, "at": self.at, "direction": direction}

    @property
    def classes(self) -> bool:
        """Whether the outcome is a class."""
        return "classification" in self.tasks

    @property
    def events_are(self) -> str:
        """What ``n_events`` counts; nothing for numbers, which have no events."""
        return "positive" if self.classes else "event" if "survival" in self.tasks else ""

    def by_person(self, model: str) -> pd.DataFrame:
        """What is known of each person, in the order of their names."""
        return self.influence[self.influence["model"] == model].set_index(PERSON)

    def pooled(self, model: str) -> pd.Series:
        """The pooled row of one model."""
        return self.values[(self.values["model"] == model) & (self.values["kind"] == "pooled")].iloc[0]

    @cached_property
    def models(self) -> list[str]:
        """Models in the order of the study."""
        return list(self.values.loc[self.values["kind"] == "pooled", "model"])

    @cached_property
    def parts(self) -> dict[str, pd.DataFrame]:
        """Values by site and by fold (all folds of a repeat together), a column per model; NaN where a model has none."""
        known = self.values[self.values["kind"].isin(["fold", "site"])]
        known = known.assign(value=known["value"].where(known["estimable"].astype(bool)))
        made = {
            kind: rows.pivot(index="level", columns="model", values="value") for kind, rows in known.groupby("kind")
        }
        if "fold" in made:
            made["fold"] = _every_fold(made["fold"])
        return made

    def by_part(self, model: str, kind: str) -> np.ndarray:
        """Values of one model by site or fold: the same sites for all models, and all folds of the repeats that it has."""
        table = self.parts.get(kind)
        if table is None:
            return np.empty(0)
        if kind == "fold":
            table = table.loc[self.folds(model)["repeat"].unique()]
        return table[model].to_numpy(float)

    def evidence(self, model: str) -> Evidence:
        """What intervals and tests are made of.

        Raises
        ------
        NotEstimableError
            Where the model has no score, with the reason.
        """
        pooled, people = self.pooled(model), self.by_person(model)
        if not pooled["estimable"]:
            raise NotEstimableError(pooled["reason"])
        folds = self.folds(model)
        positive = int(people["positive"].sum())
        ratio = pooled["train_ratio"]
        return Evidence(
            value=float(pooled["value"]),
            influence=people["influence"].to_numpy(float),
            rows=people["counted"].to_numpy(int),
            family=self.family,
            scale=self.scale,
            by_site=self.by_part(model, "site"),
            by_fold=self.by_part(model, "fold"),
            ratio=np.nan if ratio is None else float(ratio),
            fewest=min(positive, len(people) - positive) if self.classes else positive,
            n_folds=max(folds["fold"].nunique(), 1),
            n_repeats=max(folds["repeat"].nunique(), 1),
            squares=people["squares"].to_numpy(float),
            strata=people["positive"].to_numpy(int) if positive < len(people) else None,
            replicate=self.drawn.get(model),
        )

    def folds(self, model: str) -> pd.DataFrame:
        """Numbers ``repeat`` and ``fold`` of the folds in which one model was tested."""
        return _numbers(self.values.loc[(self.values["model"] == model) & (self.values["kind"] == "fold"), "level"])


def _numbers(levels: pd.Series) -> pd.DataFrame:
    return levels.str.extract(r"repeat (?P<repeat>\d+) fold (?P<fold>\d+)").astype(int)


def _every_fold(table: pd.DataFrame) -> pd.DataFrame:
    """The same rows, repeat by repeat, with a row of NaN for a fold that a repeat does not have."""
    found = _numbers(table.index.to_series())
    table = table.set_index(pd.MultiIndex.from_frame(found))
    return table.reindex(pd.MultiIndex.from_product([sorted(set(found["repeat"])), sorted(set(found["fold"]))]))


def _situation(one: Scored, evidence: Evidence, asked: Asked) -> Situation:
    """What the rule looks at."""
    return Situation(
        asked.estimand,
        evidence.family,
        several=not evidence.single,
        patients=evidence.people,
        fewest=evidence.fewest,
        sites=evidence.sites.size,
        folds=evidence.n_folds,
        repeats=evidence.n_repeats,
        level=asked.level,
        whole=plugins.describe("metrics", one.metric).literals.get("OF", "all") == "all",
        rarer="patients in the rarer class" if one.classes else "patients with an event",
    )


def estimates(scored: list[Scored], asked: Asked) -> pd.DataFrame:
    """One row per model and metric: value, interval at the unit of the estimand, and the reason where there is none."""
    found = []
    for one in scored:
        rows = pd.DataFrame([_estimate(one, model, asked) for model in one.models])
        found.append(rows.assign(p_best=_best(one, rows, asked)))
    return pd.concat(found, ignore_index=True)


# columns that are there also where nothing could be estimated
UNKNOWN = dict.fromkeys(("low", "high", "se", "df", "n_units"), np.nan) | dict.fromkeys(("method", "chosen", "why"), "")


def _estimate(one: Scored, model: str, asked: Asked) -> dict[str, Any]:
    pooled = one.pooled(model)
    row = {"model": model, **one.head, "null_value": one.null_value, "level": asked.level, "unit": asked.unit}
    row |= {
        "n_rows": pooled["n"],
        "n_events": pooled["n_events"],
        "events_are": one.events_are,
        "n_sites": len(one.by_part(model, "site")),
    }
    row |= UNKNOWN
    try:
        evidence = one.evidence(model)
        row |= _dependence(evidence)
        choice = choose_interval(_situation(one, evidence, asked), asked.intervals.get(one.metric))
        made = interval(evidence, choice.method, asked.level)
    except TriptychError as error:
        return {**row, "value": pooled["value"], "estimable": False, "reason": str(error)}
    row |= {"value": made.value, "low": made.low, "high": made.high, "se": made.se, "df": made.df}
    row |= {
        "person_value": pooled["person_value"],
        "method": made.method,
        "chosen": choice.method,
        "why": choice.why,
        "n_units": _units(evidence, asked),
    }
    coverage = _measured(one, model, evidence, asked, choice.method)
    return {**row, "coverage": coverage, "estimable": True, "reason": ""}


def _units(evidence: Evidence, asked: Asked) -> int:
    if asked.estimand == "new-patients":
        return int(np.sum(evidence.rows > 0))
    return evidence.sites.size if asked.estimand == "new-site" else int(np.isfinite(evidence.by_fold).sum())


def _dependence(evidence: Evidence) -> dict[str, float]:
    """Correlation of the rows of a patient and the rows that it leaves; nothing with one row per patient."""
    try:
        found = dependence(evidence)
    except NotEstimableError:
        return {"icc": np.nan, "n_eff": np.nan}
    return {"icc": found.icc, "n_eff": found.n_eff}


def _best(one: Scored, rows: pd.DataFrame, asked: Asked) -> pd.Series:
    """Probability that each of the compared models is the best of them; NaN for those that cannot be compared."""
    compared = rows["estimable"].astype(bool) & (rows["model"].map(asked.role) != "control")
    share = pd.Series(np.nan, index=rows.index)
    if compared.sum() > 1:
        try:
            known = [one.evidence(model) for model in rows.loc[compared, "model"]]
            share[compared] = best_of(known, asked.estimand, higher_is_better=one.higher_is_better)
        except NotEstimableError:
            pass
    return share


def _measured(one: Scored, model: str, evidence: Evidence, asked: Asked, method: str, *, test: bool = False) -> str:
    """What was measured of such intervals, or of such tests, in simulations of data like these."""
    people, own = evidence.people, evidence.rows[evidence.rows > 0]
    sites = evidence.sites.size if asked.estimand == "new-site" else 0
    return quote(
        scenario_of(asked.estimand, evidence.n_folds, test=test),
        one.metric,
        method,
        level=asked.level,
        n=round(people / sites) if sites else people,
        events=float(one.by_person(model)["positive"].mean()),
        rows=float(own.mean()) if own.size else 1.0,
        icc=_dependence(evidence)["icc"],
        sites=sites,
    )


def comparisons(scored: list[Scored], asked: Asked) -> pd.DataFrame:
    """Every pair of models and nulls for each metric, with a paired test; Holm over all these pairs of a metric."""

    def pairs(models: list[str]) -> list[tuple[str, str]]:
        return list(combinations([m for m in models if asked.role(m) != "control"], 2))

    return _families(scored, asked, pairs)


def controls(scored: list[Scored], asked: Asked, estimated: pd.DataFrame) -> pd.DataFrame:
    """Scores of the negative controls (``record`` is score) and the models against them (``record`` is pair)."""
    own = estimated[estimated["model"].map(asked.role) == "control"] if len(estimated) else estimated
    return pd.concat(
        [own.assign(record="score"), against_controls(scored, asked).assign(record="pair")], ignore_index=True
    )


def against_controls(scored: list[Scored], asked: Asked) -> pd.DataFrame:
    """Every model against each negative control on the same patients; Holm over these pairs of a metric.

    Controls with permuted outcomes are left out: their patients have other outcomes.
    """

    def pairs(models: list[str]) -> list[tuple[str, str]]:
        controls = [m for m in models if asked.role(m) == "control" and not m.startswith(PERMUTED)]
        return [(model, control) for model in models if asked.role(model) == "model" for control in controls]

    return _families(scored, asked, pairs)


def _families(scored: list[Scored], asked: Asked, pairs: Callable[[list[str]], list[tuple[str, str]]]) -> pd.DataFrame:
    found = []
    for one in scored:
        rows = [_compare(one, a, b, asked) for a, b in pairs(one.models)]
        if not rows:
            continue
        table = pd.DataFrame(rows)
        table["p_holm"] = tests.holm(table["p"].to_numpy(float))
        table["n_comparisons"] = int(table["p"].notna().sum())
        found.append(table)
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _compare(one: Scored, a: str, b: str, asked: Asked) -> dict[str, Any]:
    row: dict[str, Any] = {"model_a": a, "model_b": b, **one.head, "unit": asked.unit}
    row |= {"difference": np.nan, **UNKNOWN, "statistic": np.nan, "n_units": 0, "p": np.nan}
    try:
        first, second = (_named_evidence(one, model) for model in (a, b))
        if not one.by_person(a).index.equals(one.by_person(b).index):
            raise NotEstimableError(f"{a} and {b} were not tested on the same patients")
        choice = choose_test(_situation(one, first, asked), asked.tests.get(one.metric))
        made = compare(first, second, choice.method, asked.level)
    except TriptychError as error:
        return {**row, "estimable": False, "reason": str(error)}
    found = made.interval
    row |= {"difference": found.value, "low": found.low, "high": found.high, "se": found.se, "df": found.df}
    row |= {"statistic": made.statistic, "p": made.p, "method": found.method, "n_units": _shared(first, second, asked)}
    row |= {"chosen": choice.method, "why": choice.why, "level": asked.level}
    row |= {"false_positives": _measured(one, a, first, asked, choice.method, test=True)}
    return {**row, **_equivalence(one, found, asked), "estimable": True, "reason": ""}


def _named_evidence(one: Scored, model: str) -> Evidence:
    try:
        return one.evidence(model)
    except NotEstimableError as error:
        raise NotEstimableError(f"{model}: {error}") from None


def _shared(a: Evidence, b: Evidence, asked: Asked) -> int:
    if asked.estimand == "new-patients":
        return _units(a, asked)
    first, second = (a.by_site, b.by_site) if asked.estimand == "new-site" else (a.by_fold, b.by_fold)
    return int(np.sum(np.isfinite(first) & np.isfinite(second)))


def _equivalence(one: Scored, difference: tests.Interval, asked: Asked) -> dict[str, Any]:
    """What a difference says against the margin that the study fixed; nothing without a margin."""
    margin = asked.margins.get(one.metric)
    if margin is None:
        return {}
    try:
        found = verdict(difference, margin, alpha=1 - asked.level, higher_is_better=one.higher_is_better)
    except NotEstimableError as error:
        return {"margin": margin, "verdict": f"undecided: {error}", "p_equivalence": np.nan}
    return {"margin": margin, "verdict": found.word, "p_equivalence": found.equivalence.p}


def spread(scored: list[Scored]) -> pd.DataFrame:
    """Values by fold and by site of every model and metric, beside the pooled one."""
    parts = [one.values.assign(**one.head, events_are=one.events_are).drop(columns="train_ratio") for one in scored]
    return pd.concat(parts, ignore_index=True)
