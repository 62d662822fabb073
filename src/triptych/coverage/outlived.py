"""The simulated studies of survival: each yields, replicate by replicate, what a report would know, and the truth."""

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.coverage.cells import METRICS, Cell
from triptych.coverage.observed import Known, Patients, Replicates, each_metric, evidence, score, split
from triptych.coverage.survival import GRID, LARGE, Cohort, Truth, World, train
from triptych.errors import TriptychError
from triptych.metrics._held import Held
from triptych.survival.nonparametric import censoring_curve

HOSPITALS = 1000  # over which a score is averaged
TRAININGS = 200  # training sets over which what they give is averaged
BLUR = 0.7  # standard deviation of what each of two models adds to the signal
KIND = "survival"


def _patients(cohort: Cohort, site: np.ndarray | None = None) -> Patients:
    return Patients(np.arange(len(cohort.time)), cohort.event, site)


def _given_model(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    """A model trained once; each replicate tests it on n new patients."""
    window = World(cell.strength, cell.events, 0.0, inputs=5).window
    world = World(cell.strength, cell.events, cell.visits * window, inputs=5)
    model = train(world.draw(2000, random), world.horizon)
    large = model.held(world.draw(LARGE, random))
    truth = {metric: score(metric, large)[0] for metric in METRICS[KIND]}
    for _ in range(replicates):
        cohort = world.draw(cell.n, random)
        held = model.held(cohort)

        def judge(metric: str, held: Held = held, cohort: Cohort = cohort) -> Known:
            return Known(evidence(metric, [held], _patients(cohort)), truth[metric])

        yield each_metric(KIND, judge)


def _two_models(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    """Two models that see the same signal through noise of their own: equally good, so a rejection is false."""
    world = World(cell.strength, cell.events, 0.0, inputs=1)
    model = train(_blur(world.draw(2000, random), random), world.horizon)
    for _ in range(replicates):
        cohort = world.draw(cell.n, random)
        one, two = (model.held(_blur(cohort, random)) for _ in range(2))

        def judge(metric: str, one: Held = one, two: Held = two, cohort: Cohort = cohort) -> Known:
            a, b = (evidence(metric, [held], _patients(cohort)) for held in (one, two))
            return Known(a, other=b)

        yield each_metric(KIND, judge)


def _blur(cohort: Cohort, random: np.random.Generator) -> Cohort:
    return Cohort(cohort.x + BLUR * random.normal(size=cohort.x.shape), cohort.time, cohort.event)


def _trained(cohort: Cohort, world: World, rows: np.ndarray) -> Any:
    return train(Cohort(cohort.x[rows], cohort.time[rows], cohort.event[rows]), world.horizon, ridge=1.0)


def _resampled(
    cell: Cell, cohort: Cohort, world: World, true: Truth, folds: list[np.ndarray]
) -> tuple[list[Held], dict[str, float]]:
    """Held-out predictions of each repeat in the order of the cohort, and the mean true performance of the models."""
    repeats, truths = [], []
    censoring = censoring_curve(cohort.time, cohort.event)
    for fold in folds:
        models = [_trained(cohort, world, fold != k) for k in range(cell.folds)]
        risk, curves = np.empty(len(fold)), np.empty((len(fold), GRID))
        for k, model in enumerate(models):
            risk[fold == k], curves[fold == k] = model.predict(cohort.x[fold == k])
        held = Held(cohort.time, cohort.event, risk, fold, models[0].times, curves, world.horizon, censoring)
        repeats.append(held)
        truths += [true(model) for model in models]
    return repeats, {metric: float(np.mean([one[metric] for one in truths])) for metric in METRICS[KIND]}


def _on_average(cell: Cell, world: World, true: Truth) -> dict[str, float]:
    """Mean true performance over training sets of the size of those of the folds."""
    random, n = np.random.default_rng(0), round(cell.n * (1 - 1 / cell.folds))
    truths = []
    for _ in range(TRAININGS):
        try:
            truths.append(true(_trained(world.draw(n, random), world, np.ones(n, dtype=bool))))
        except TriptychError:
            continue
    return {metric: float(np.mean([one[metric] for one in truths])) for metric in METRICS[KIND]}


def _cross_validation(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    """Repeated k-fold cross-validation; the truth is the mean performance of the models that were trained."""
    world = World(cell.strength, cell.events, 0.0, inputs=cell.inputs)
    true = Truth(world, score)
    average = _on_average(cell, world, true)
    for _ in range(replicates):
        cohort = world.draw(cell.n, random)
        patients = _patients(cohort)
        try:
            folds = [split(patients, cell.folds, random) for _ in range(cell.repeats)]
            held, truth = _resampled(cell, cohort, world, true, folds)
        except TriptychError:
            continue

        def judge(metric: str, held: Any = held, patients: Any = patients, truth: Any = truth) -> Known:
            known = evidence(metric, held, patients, cell.folds)
            return Known(known, truth[metric], on_average=average[metric])

        yield each_metric(KIND, judge)


def _two_models_cv(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    """The same training on two sets of inputs, each of which tells half of the hazard; they are equally good on average."""
    inputs = cell.inputs
    world = World(cell.strength, cell.events, 0.0, inputs=2 * inputs)
    true = Truth(world, score)
    for _ in range(replicates):
        cohort = world.draw(cell.n, random)
        patients = _patients(cohort)
        views = [Cohort(cohort.x * half, cohort.time, cohort.event) for half in np.eye(2).repeat(inputs, axis=1)]
        try:
            folds = [split(patients, cell.folds, random) for _ in range(cell.repeats)]
            (one, first), (two, second) = (_resampled(cell, view, world, true, folds) for view in views)
        except TriptychError:
            continue
        truth = {metric: first[metric] - second[metric] for metric in first}

        def judge(metric: str, both: Any = (one, two), patients: Any = patients, truth: Any = truth) -> Known:
            a, b = (evidence(metric, held, patients, cell.folds) for held in both)
            return Known(a, truth[metric], b)

        yield each_metric(KIND, judge)


def _hospital(cell: Cell, world: World, random: np.random.Generator) -> Cohort:
    """Patients of one hospital, whose signal is its own; all hospitals follow their patients as long."""
    own = World(max(0.0, random.normal(cell.strength, 0.4)), cell.events, 0.0, inputs=5)
    own.__dict__["window"] = world.window
    return own.draw(cell.n, random)


def _hospitals(cell: Cell, sites: int, world: World, random: np.random.Generator) -> tuple[Cohort, Patients]:
    parts = [_hospital(cell, world, random) for _ in range(sites)]
    cohort = Cohort(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "time", "event")))
    return cohort, _patients(cohort, np.repeat(np.arange(sites), cell.n))


def _new_site(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    """Hospitals whose signal differs; each replicate sees some of them, the truth is the mean over all hospitals."""
    world = World(cell.strength, cell.events, 0.0, inputs=5)
    model = train(world.draw(2000, random), world.horizon)
    many, patients = _hospitals(cell, HOSPITALS, world, random)
    of_many = {m: evidence(m, [model.held(many)], patients).by_site for m in METRICS[KIND]}
    truth = {metric: float(np.nanmean(values)) for metric, values in of_many.items()}
    for _ in range(replicates):
        cohort, patients = _hospitals(cell, cell.sites, world, random)
        held = model.held(cohort)

        def judge(metric: str, held: Held = held, patients: Patients = patients) -> Known:
            return Known(evidence(metric, [held], patients), truth[metric])

        yield each_metric(KIND, judge)


def _two_models_sites(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    """Two models, each of which sees the patients of some hospitals less clearly, equal on average."""
    world = World(cell.strength, cell.events, 0.0, inputs=5)
    model = train(world.draw(2000, random), world.horizon)
    for _ in range(replicates):
        cohort, patients = _hospitals(cell, cell.sites, world, random)
        blurs = np.abs(random.normal(size=(2, cell.sites)))[:, patients.site]
        one, two = (
            model.held(Cohort(cohort.x + blur[:, None] * random.normal(size=cohort.x.shape), cohort.time, cohort.event))
            for blur in blurs
        )

        def judge(metric: str, one: Held = one, two: Held = two, patients: Patients = patients) -> Known:
            a, b = (evidence(metric, [held], patients) for held in (one, two))
            return Known(a, other=b)

        yield each_metric(KIND, judge)


SCENARIOS: dict[str, Callable[[Cell, int, np.random.Generator], Replicates]] = {
    "given-model": _given_model,
    "two-models": _two_models,
    "cross-validation": _cross_validation,
    "two-models-cv": _two_models_cv,
    "new-site": _new_site,
    "two-models-sites": _two_models_sites,
}
