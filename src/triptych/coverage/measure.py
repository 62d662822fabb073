"""How often an interval holds the truth, and a test rejects what is equal: rows of one simulated cell.

The code that is measured is the code that the report uses: a metric's ``contributions``, the rule that chooses, and the intervals
and tests of `triptych.inference`.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from triptych.choice import choose_interval, choose_test
from triptych.coverage.calibrated import measure_calibration
from triptych.coverage.cells import CLAIMS, LEVEL, METRICS, Cell
from triptych.coverage.observed import Known, situation
from triptych.coverage.scenarios import simulated
from triptych.errors import NotEstimableError, StudyError
from triptych.inference.evidence import compare, interval
from triptych.inference.known import Evidence, dependence
from triptych.methods import Situation

# methods that a study may ask for, beside the one that the rule chooses
ASKED = {
    "given-model": ("influence-t", "bootstrap-percentile", "bootstrap-bca"),
    "new-site": ("bootstrap-sites",),
    "procedure": ("nadeau-bengio", "bayle"),
    "two-models": ("paired-influence", "sign-flip", "clustered-mcnemar", "paired-bootstrap"),
    "two-models-sites": ("sign-flip-sites",),
    "two-procedures": ("nadeau-bengio", "bayle"),
}
FLIPPED = 100  # patients above which sign-flip tests are not measured where they are only asked for: they take long
DRAWN = ("paired-bootstrap", "bootstrap-percentile", "bootstrap-bca")  # patients are drawn again, which takes long


@dataclass(frozen=True)
class Result:
    """One replicate: whether the interval held the truth, or the test rejected.

    allowed : whether the rule would have given it. chosen : whether it is the rule's own method and not only one to ask for.
    """

    hit: bool
    low: float
    high: float
    allowed: bool
    chosen: bool


def _facts(results: list[Result], attempts: int) -> dict[str, float]:
    """Shares of hits among what the rule gives and among what it refuses."""
    hit, low, high = (np.array([getattr(one, name) for one in results]) for name in ("hit", "low", "high"))
    allowed = np.array([one.allowed for one in results])
    refused = ~allowed & np.isfinite(low)
    return {
        "share": float(hit[allowed].mean()) if allowed.any() else np.nan,
        "width": float((high - low)[allowed].mean()) if allowed.any() else np.nan,
        "estimable": float(allowed.sum() / attempts),
        "if_not_refused": float(hit[refused].mean()) if refused.any() else np.nan,
        "refused": float(refused.sum() / attempts),
        "replicates": attempts,
    }


def measure(cell: Cell, replicates: int, seed: int) -> list[dict[str, Any]]:
    """What came of every metric and method in one cell.

    Returns
    -------
    list of dict
        The cell; ``scenario``, which names the claim too; ``metric``, ``method``; ``share`` of intervals that hold the truth, or
        of tests that reject two equal models; ``width``, mean of the intervals; ``estimable``, share of replicates with an
        interval; ``if_not_refused``, what the rule spares its readers: the share among those that it refuses, and ``refused``,
        how many these are; ``rows`` per patient and ``seen_icc``, their correlation, as a report would see them.
    """
    random = np.random.default_rng([seed, *map(ord, str(cell))])
    if cell.kind == "calibration":
        return measure_calibration(cell, replicates, random)
    found: dict[tuple[str, str, str], list[Result]] = {}
    seen: dict[str, list[tuple[float, float]]] = {metric: [] for metric in METRICS[cell.kind]}
    for known_of in simulated(cell, replicates, random):
        for metric, known in known_of.items():
            seen[metric].append(_seen(known.evidence))
            for scenario, estimand in CLAIMS[cell.scenario].items():
                for method, result in _results(metric, known, scenario, estimand):
                    found.setdefault((scenario, metric, method), []).append(result)
    rows = []
    for (scenario, metric, method), results in found.items():
        chosen = results[0].chosen
        attempts = replicates if chosen else len(results)
        with np.errstate(all="ignore"):
            k, icc = np.nanmean(seen[metric], axis=0)
        facts = {
            "scenario": scenario,
            "metric": metric,
            "method": method,
            "chosen": chosen,
            **_facts(results, attempts),
        }
        rows.append({**asdict(cell), **facts, "rows": k, "seen_icc": icc})
    return rows


def _seen(known: Evidence) -> tuple[float, float]:
    """Rows per patient, and their correlation."""
    rows = known.rows[known.rows > 0]
    try:
        icc = dependence(known).icc
    except NotEstimableError:
        icc = 0.0 if known.single else np.nan
    return float(rows.mean()) if rows.size else np.nan, icc


def _results(metric: str, known: Known, scenario: str, estimand: str) -> Iterator[tuple[str, Result]]:
    """What the rule's own method and those that can be asked for make of one replicate."""
    where = situation(metric, known.evidence, estimand, LEVEL)
    own, allowed = _chosen(where, known.other is not None)
    if own:
        yield own, replace(_judged(known, own, allowed, estimand), chosen=True)
    for method in ASKED.get(scenario, ()):
        if (
            method != own
            and not _takes_too_long(known.evidence, method)
            and _can(where, known.other is not None, method)
        ):
            yield method, _judged(known, method, True, estimand)


@cache
def _can(where: Situation, test: bool, method: str) -> bool:
    """Whether the rule gives a method that a study asks for: it belongs here, and there are enough patients."""
    try:
        (choose_test if test else choose_interval)(where, method)
    except (NotEstimableError, StudyError):
        return False
    return True


def _takes_too_long(known: Evidence, method: str) -> bool:
    return (method in DRAWN and known.replicate is None) or (method == "sign-flip" and known.people > FLIPPED)


@cache
def _chosen(where: Situation, test: bool) -> tuple[str, bool]:
    """The method of the rule and whether it is given here; empty where there is none for the question."""
    choose = choose_test if test else choose_interval
    try:
        return choose(where).method, True
    except NotEstimableError:
        pass
    try:
        return choose(replace(where, patients=None, fewest=None, sites=None, whole=None)).method, False
    except NotEstimableError:
        return "", False


def _judged(known: Known, method: str, allowed: bool, estimand: str) -> Result:
    """Whether an interval holds the truth, or a test rejects what is true.

    Two procedures that are equally good give models that differ by chance.  The truth about the procedures is no difference; that
    about these models is their own difference, which the interval of the test excludes or holds.
    """
    try:
        if known.other is None:
            made = interval(known.evidence, method, LEVEL)
            truth = known.truth if estimand != "procedure" else known.on_average
            return Result(made.low <= truth <= made.high, made.low, made.high, allowed, False)
        tested = compare(known.evidence, known.other, method, LEVEL)
    except NotEstimableError:
        return Result(False, np.nan, np.nan, False, False)
    low, high = tested.interval.low, tested.interval.high
    equal = known.truth == 0 or estimand == "procedure"
    rejects = tested.p <= 1 - LEVEL if equal else not low <= known.truth <= high
    return Result(bool(rejects), low, high, allowed, False)
