"""What a model of the site alone reaches: where hospitals differ in their outcomes, knowing the hospital looks like skill."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from triptych.audit._association import associations
from triptych.audit._context import Context, finding, findings, looked, not_assessable
from triptych.audit._people import classes, patients, rows, site_of
from triptych.errors import NotEstimableError
from triptych.inference.auc import row_influence
from triptych.inference.intervals import Interval, from_influence
from triptych.survival.concordance import harrell

TITLE = "What the site alone tells about the outcome"
LEAK_CLASS = "design"
SEVERITY = "warn"
FOLDS, REPEATS, SHOWN = 5, 5, 0.95
SHRINK = 1.0  # patients with the average outcome, added to each site
MEASURE = {"survival": "C", "classification": "AUC", "regression": "R2"}
CHANCE = {"survival": 0.5, "classification": 0.5, "regression": 0.0}


def check(context: Context) -> pd.DataFrame:
    """Cross-validate the mean outcome of each site, patients kept whole, and permute outcomes between patients.

    Pairs are formed within folds only: a site's mean in training is high where its tested patients are low, and scores
    pooled over folds would fall below one half. The permutation test is the alarm; the interval (t, by patient) is shown.
    """
    table = rows(context)
    site = site_of(table)
    if site is None:
        return not_assessable(
            "no column site: site effects are not assessable, a scanner or hospital may stand for the outcome"
        )
    known = table.assign(place=site).dropna(subset="place")
    lost = len(table) - len(known)
    people = patients(known, context.kind)
    sites = people["place"].value_counts()
    if len(sites) < 2:
        return not_assessable(f"one site only ({sites.index[0]}): nothing to compare")
    kind = "survival" if "event" in people else context.kind
    tested = associations(people["score"].to_numpy(), people[["place"]], seed=context.seed)
    if not tested:
        return not_assessable("the outcome, or the site but for rare ones, is the same in all patients")
    reached = _reached(people, kind, context.seed)
    words = f"the site alone reaches {MEASURE[kind]} {_shown(reached)} ({len(people)} patients, {len(sites)} sites"
    words += f", {lost} rows without site left out; p {tested[0].p:.2g})" if lost else f"; p {tested[0].p:.2g})"
    evidence: dict[str, Any] = {"measure": f"{MEASURE[kind]} of site alone", "threshold": CHANCE[kind]}
    if isinstance(reached, Interval):
        evidence |= {"value": reached.value, "low": reached.low, "high": reached.high}
    if not tested[0].found:
        return looked(f"{words}: no more than chance", **evidence)
    if context.estimand == "new-site":
        return looked(f"{words}; hospitals are tested that training never saw, so this cannot help a model", **evidence)
    ends = _ends(people, classes(people, kind))
    action = (
        "test on hospitals never seen (`leave_site_out`), or compare within hospitals; see the control of site alone"
    )
    return findings(finding(SEVERITY, f"{words}: {ends}", keys=list(sites.index), action=action, **evidence))


def _reached(people: pd.DataFrame, kind: str, seed: int) -> Interval | str:
    """Mean over folds and repeats with its interval by patient, or why there is none."""
    values, influence = [], np.zeros(len(people))
    for value, test, change in _folds(people, kind, seed):
        values.append(value)
        influence[test] += change
    if not values:
        return "(no fold can be ranked)"
    scale = "identity" if kind == "regression" else "logit"
    try:
        return from_influence(float(np.mean(values)), influence / len(values), level=SHOWN, scale=scale)
    except NotEstimableError:
        return f"{np.mean(values):.2f}"


def _folds(people: pd.DataFrame, kind: str, seed: int) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """Value, tested patients and the influence of each, for each fold of each repeat that has a value."""
    random = np.random.default_rng(seed)
    codes = pd.factorize(people["place"])[0]
    score, n = people["score"].to_numpy(float), len(people)
    for _ in range(REPEATS):
        fold = random.permutation(n) % min(FOLDS, n)
        for k in range(min(FOLDS, n)):
            test = np.flatnonzero(fold == k)
            train = fold != k
            total = np.bincount(codes[train], score[train], codes.max() + 1)
            count = np.bincount(codes[train], minlength=codes.max() + 1)
            mean = (total + SHRINK * score[train].mean()) / (count + SHRINK)
            try:
                yield _scored(people.iloc[test], mean[codes[test]], score[test], score[train].mean(), kind, test)
            except (NotEstimableError, ValueError):
                continue


def _scored(
    people: pd.DataFrame, risk: np.ndarray, score: np.ndarray, mean: float, kind: str, test: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """C, AUC or R2 of one fold."""
    risk = risk.round(10)
    if kind == "survival":
        c = harrell(people["time"], people["event"], risk)
        return c.c, test, np.asarray(c.influence)
    if kind == "classification":
        value, influence = row_influence(score >= 0.5, risk)
        return value, test, influence
    error, spread = np.square(score - risk), np.square(score - mean)
    if spread.sum() == 0:
        raise NotEstimableError("one value only")
    value = 1 - error.sum() / spread.sum()
    return value, test, (spread * (1 - value) - error) / spread.sum()


def _shown(reached: Interval | str) -> str:
    if isinstance(reached, str):
        return reached
    return f"{reached.value:.2f}, {SHOWN:.0%} interval {reached.low:.2f} to {reached.high:.2f}"


def _ends(people: pd.DataFrame, positive: np.ndarray | None) -> str:
    """The sites that differ most, among those with five patients and more."""
    values = people["y"] if positive is None else pd.Series(positive, people.index).astype(float)
    sizes = people["place"].value_counts()
    means = values.groupby(people["place"]).mean()[sizes.index[sizes >= min(5, sizes.max())]]
    low, high = means.idxmin(), means.idxmax()
    if positive is None:
        return f"mean {means[low]:.3g} in {low}, {means[high]:.3g} in {high}"
    return f"{means[low]:.0%} with the event or positive in {low}, {means[high]:.0%} in {high}"
