"""How often an interval holds the truth, and a test rejects what is equal: one row per simulated cell and metric.

The code that is measured is the code that the report uses: a metric's ``contributions`` and the intervals and tests of
``triptych.inference``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych import plugins
from triptych.coverage.survival import LARGE, Cohort, World, train
from triptych.errors import NotEstimableError, TriptychError
from triptych.inference import comparisons, intervals
from triptych.metrics._held import Held

METRICS = ("harrell_c", "uno_c", "time_auc", "brier", "integrated_brier")
LEVEL = 0.95
FOLDS, REPEATS = 5, 2


@dataclass(frozen=True)
class Cell:
    """One point of the grid: how many patients (of each site, with ``sites``), how many events, how strong the signal."""

    scenario: str
    n: int
    events: float
    strength: float
    visits: float = 0.0
    sites: int = 0


REPLICATES = {"given-model": 1000, "two-models": 1000, "cross-validation": 400, "new-site": 1000}
EVENTS = (0.15, 0.3, 0.6)


def grid() -> list[Cell]:
    """All cells: three share-of-event levels, three strengths, and coarse times for one of them."""
    cells = []
    for events in EVENTS:
        for strength in (0.3, 1.0, 2.0):
            cells += [Cell("given-model", n, events, strength) for n in (20, 50, 100, 200, 500)]
            cells += [Cell("two-models", n, events, strength) for n in (20, 50, 100, 200, 500)]
        cells += [Cell("given-model", n, events, 1.0, visits=0.25) for n in (50, 200)]
        cells += [Cell("cross-validation", n, events, strength) for n in (100, 200, 500) for strength in (0.3, 1.0)]
        cells += [Cell("new-site", 60, events, 1.0, sites=s) for s in (5, 10, 20)]
    return cells


def measure(cell: Cell, replicates: int, seed: int) -> list[dict[str, Any]]:
    """Coverage (for ``two-models``: the share of rejections at 5 %) of every metric in one cell.

    Returns
    -------
    list of dict
        The cell, ``metric``, ``share`` (of intervals that hold the truth, or of rejections), ``width`` (mean width of the
        intervals), ``estimable`` (share of replicates with an interval) and ``replicates``.
    """
    random = np.random.default_rng(
        [seed, *map(ord, cell.scenario), cell.n, int(100 * cell.events), int(10 * cell.strength)]
    )
    tallies: dict[str, list[tuple[bool, float]]] = {metric: [] for metric in METRICS}
    for results in SCENARIOS[cell.scenario](cell, replicates, random):
        for metric, (hit, width) in results.items():
            tallies[metric].append((hit, width))
    rows = []
    for metric, tally in tallies.items():
        share, width = np.mean(tally, axis=0) if tally else (np.nan, np.nan)
        facts = {"metric": metric, "share": share, "width": width, "estimable": len(tally) / replicates}
        rows.append({**cell.__dict__, **facts, "replicates": replicates})
    return rows


Results = Iterator[dict[str, tuple[bool, float]]]


def _score(metric: str, held: Held) -> tuple[float, np.ndarray]:
    return plugins.load("metrics", metric).contributions(held)


def _each_metric(judge: Callable[[str], tuple[bool, float]]) -> dict[str, tuple[bool, float]]:
    """What a judge says of each metric; a metric that cannot be estimated in this replicate is left out."""
    found = {}
    for metric in METRICS:
        try:
            found[metric] = judge(metric)
        except NotEstimableError:
            continue
    return found


def _holds(interval: intervals.Interval, truth: float) -> tuple[bool, float]:
    return interval.low <= truth <= interval.high, interval.high - interval.low


def _scale(metric: str) -> str:
    return plugins.describe("metrics", metric)["SCALE"]


def _given_model(cell: Cell, replicates: int, random: np.random.Generator) -> Results:
    """A model trained once; each replicate tests it on n new patients."""
    world = World(cell.strength, cell.events, 0.0, inputs=5)
    world = World(cell.strength, cell.events, cell.visits * world.window, inputs=5)
    model = train(world.draw(2000, random), world.horizon)
    large = model.held(world.draw(LARGE, random))
    truth = {metric: _score(metric, large)[0] for metric in METRICS}
    for _ in range(replicates):
        held = model.held(world.draw(cell.n, random))

        def judge(metric: str, held: Held = held) -> tuple[bool, float]:
            value, influence = _score(metric, held)
            return _holds(intervals.from_influence(value, influence, level=LEVEL, scale=_scale(metric)), truth[metric])

        yield _each_metric(judge)


def _two_models(cell: Cell, replicates: int, random: np.random.Generator) -> Results:
    """Two models that see the same signal through noise of their own: equally good, so a rejection is false."""
    world = World(cell.strength, cell.events, 0.0, inputs=1)
    seen = World(cell.strength, cell.events, 0.0, inputs=1)
    model = train(_blur(seen.draw(2000, random), random), world.horizon)
    for _ in range(replicates):
        cohort = world.draw(cell.n, random)
        one, two = (model.held(_blur(cohort, random)) for _ in range(2))

        def judge(metric: str, one: Held = one, two: Held = two) -> tuple[bool, float]:
            (a, of_a), (b, of_b) = _score(metric, one), _score(metric, two)
            made = comparisons.by_unit(a, b, of_a, of_b, level=LEVEL)
            return made.p <= 1 - LEVEL, made.interval.high - made.interval.low

        yield _each_metric(judge)


def _blur(cohort: Cohort, random: np.random.Generator) -> Cohort:
    return Cohort(cohort.x + 0.7 * random.normal(size=cohort.x.shape), cohort.time, cohort.event)


def _cross_validation(cell: Cell, replicates: int, random: np.random.Generator) -> Results:
    """Repeated k-fold cross-validation; the truth is the mean performance of the models that were trained."""
    world = World(cell.strength, cell.events, 0.0, inputs=5)
    fresh = world.draw(4000, random)
    for _ in range(replicates):
        cohort = world.draw(cell.n, random)
        try:
            runs = [_one_repeat(world, cohort, fresh, random) for _ in range(REPEATS)]
        except TriptychError:
            continue

        def judge(metric: str, runs: list = runs) -> tuple[bool, float]:
            scored = [_score(metric, held) for held, _ in runs]
            value = float(np.mean([v for v, _ in scored]))
            influence = np.mean([i for _, i in scored], axis=0)
            truth = np.mean([_score(metric, held)[0] for _, models in runs for held in models])
            return _holds(intervals.from_influence(value, influence, level=LEVEL, scale=_scale(metric)), float(truth))

        yield _each_metric(judge)


def _one_repeat(world: World, cohort: Cohort, fresh: Cohort, random: np.random.Generator) -> tuple[Held, list[Held]]:
    """Held-out predictions of all folds in the order of the cohort, and each fold's model on many fresh patients."""
    fold = random.permutation(len(cohort.time)) % FOLDS
    parts, models = [], []
    for k in range(FOLDS):
        kept = fold != k
        model = train(Cohort(cohort.x[kept], cohort.time[kept], cohort.event[kept]), world.horizon, ridge=1.0)
        parts.append(model.held(cohort))
        models.append(model.held(fresh))
    rows = np.arange(len(fold))
    risk = np.stack([part.risk for part in parts])[fold, rows]
    curves = np.stack([part.grid()[1] for part in parts])[fold, rows]
    first = parts[0]
    held = Held(first.time, first.event, risk, fold, first.times, curves, first.horizon, first.censoring)
    return held, models


def _new_site(cell: Cell, replicates: int, random: np.random.Generator) -> Results:
    """Hospitals whose signal differs; each replicate sees some of them, the truth is the mean over all hospitals."""
    world = World(cell.strength, cell.events, 0.0, inputs=5)
    model = train(world.draw(2000, random), world.horizon)

    def hospital(n: int) -> Held:
        own = World(max(0.0, random.normal(cell.strength, 0.4)), cell.events, 0.0, inputs=5)
        own.__dict__["window"] = world.window  # all hospitals follow their patients as long
        return model.held(own.draw(n, random))

    many = [hospital(cell.n) for _ in range(3000)]
    truth = {m: np.mean([v for v in (_value(m, held) for held in many) if v is not None]) for m in METRICS}
    for _ in range(replicates):
        sites = [hospital(cell.n) for _ in range(cell.sites)]

        def judge(metric: str, sites: list = sites) -> tuple[bool, float]:
            values = [v for v in (_value(metric, held) for held in sites) if v is not None]
            return _holds(intervals.over_sites(np.array(values), level=LEVEL), float(truth[metric]))

        yield _each_metric(judge)


def _value(metric: str, held: Held) -> float | None:
    try:
        return _score(metric, held)[0]
    except NotEstimableError:
        return None


SCENARIOS: dict[str, Callable[[Cell, int, np.random.Generator], Results]] = {
    "given-model": _given_model,
    "two-models": _two_models,
    "cross-validation": _cross_validation,
    "new-site": _new_site,
}
