"""The simulated studies: each yields, replicate by replicate, what a report would know of each metric, and the truth."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from triptych.coverage import learners, outlived
from triptych.coverage.bootstrapped import replicate
from triptych.coverage.cells import METRICS, Cell
from triptych.coverage.observed import Known, Patients, Replicates, each_metric, evidence, score, split
from triptych.coverage.scans import Hospitals, Scans, World

LARGE = 400_000  # patients in which a true score is computed
HOSPITALS = 3000  # hospitals over which one is averaged
TRAININGS = 1000  # training sets over which what they give is averaged


def simulated(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    """The replicates of a cell."""
    scenarios = outlived.SCENARIOS if cell.kind == "survival" else SCENARIOS
    return scenarios[cell.scenario](cell, replicates, random)


def _world(cell: Cell) -> World:
    return World(0.5 if cell.kind == "regression" else cell.events, cell.strength, cell.sizes, cell.icc)


def _predict(
    kind: str, scans: Scans, random: np.random.Generator, own: np.ndarray | None = None, gain: Any = 0.0
) -> Any:
    made = scans.classified if kind == "classification" else scans.predicted
    return made(random, own, gain)


def _patients(kind: str, scans: Scans, site: np.ndarray | None = None) -> Patients:
    if kind == "classification":
        return replace(scans.patients, site=site)
    return Patients(scans.unit, np.ones(scans.y.size, dtype=bool), site)


@cache
def _true_scores(kind: str, world: World) -> dict[str, float]:
    """Scores of very many patients.  Where sizes tell nothing, a patient's further scans tell nothing new."""
    if world.sizes != "informative":
        world = replace(world, sizes="one", icc=0.0)
    random = np.random.default_rng(0)
    held = _predict(kind, world.draw(LARGE, random), random)
    return {metric: score(metric, held)[0] for metric in METRICS[kind]}


def _given_model(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    world = _world(cell)
    truth = _true_scores(cell.kind, world)
    for _ in range(replicates):
        scans = world.draw(cell.n, random)
        held, patients = _predict(cell.kind, scans, random), _patients(cell.kind, scans)

        def judge(metric: str, held: Any = held, patients: Patients = patients) -> Known:
            known = evidence(metric, [held], patients)
            return Known(replace(known, replicate=replicate(cell, metric, held, patients)), truth[metric])

        yield each_metric(cell.kind, judge)


def _two_models(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    """Two scores with the same signal and noise of their own."""
    world = _world(cell)
    for _ in range(replicates):
        scans = world.draw(cell.n, random)
        patients = _patients(cell.kind, scans)
        both = [_predict(cell.kind, scans, random, scans.half_own(random)) for _ in range(2)]

        def judge(metric: str, both: Any = both, patients: Patients = patients) -> Known:
            a, b = (evidence(metric, [held], patients) for held in both)
            a, b = (
                replace(x, replicate=replicate(cell, metric, h, patients)) for x, h in zip((a, b), both, strict=True)
            )
            return Known(a, other=b)

        yield each_metric(cell.kind, judge)


def _of_hospitals(cell: Cell, sites: int, random: np.random.Generator, models: int) -> tuple[list[Any], Patients]:
    hospitals = Hospitals(_world(cell), cell.n)
    scans, site, _ = hospitals.draw(sites, random)
    gain = hospitals.gain if cell.kind == "classification" else hospitals.spread
    held = [_predict(cell.kind, scans, random, None, gain(random.normal(size=sites))[site]) for _ in range(models)]
    return held, _patients(cell.kind, scans, site)


@cache
def _true_over_sites(cell: Cell) -> dict[str, float]:
    """Mean over very many hospitals of as many patients."""
    found: dict[str, float] = {}
    (held,), patients = _of_hospitals(cell, HOSPITALS, np.random.default_rng(0), 1)
    for metric in METRICS[cell.kind]:
        found[metric] = float(np.nanmean(evidence(metric, [held], patients).by_site))
    return found


def _new_site(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    """Hospitals that differ; the truth is the mean over all hospitals."""
    truth = _true_over_sites(replace(cell, sites=0))
    for _ in range(replicates):
        (held,), patients = _of_hospitals(cell, cell.sites, random, 1)

        def judge(metric: str, held: Any = held, patients: Patients = patients) -> Known:
            return Known(evidence(metric, [held], patients), truth[metric])

        yield each_metric(cell.kind, judge)


def _two_models_sites(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    """Two models, each better at some hospitals and worse at others, equal on average."""
    for _ in range(replicates):
        (one, two), patients = _of_hospitals(cell, cell.sites, random, 2)

        def judge(metric: str, one: Any = one, two: Any = two, patients: Patients = patients) -> Known:
            return Known(evidence(metric, [one], patients), other=evidence(metric, [two], patients))

        yield each_metric(cell.kind, judge)


def _resampled(
    cell: Cell, sample: learners.Sample, training: learners.Training, folds: list[np.ndarray]
) -> tuple[list[Any], dict[str, float]]:
    """Predictions of each repeat, and the mean true performance of the models."""
    repeats, truths = [], []
    for fold in folds:
        models = [learners.train(sample, fold != k, training.classes) for k in range(cell.folds)]
        repeats.append(learners.held(sample, models, fold, training.classes))
        truths += [learners.truth(model, training) for model in models]
    return repeats, {metric: float(np.mean([true[metric] for true in truths])) for metric in truths[0]}


def _enough(cell: Cell, patients: Patients) -> bool:
    """Whether every training part has two patients of each class."""
    if not patients.classes:
        return True
    event = np.bincount(patients.unit, patients.positive) > 0
    fewest = min(event.sum(), event.size - event.sum())
    return bool(fewest - np.ceil(fewest / cell.folds) >= 2)


def _on_average(cell: Cell, training: learners.Training) -> dict[str, float]:
    """Mean true performance over training sets of the size of those of the folds."""
    random, n = np.random.default_rng(0), round(cell.n * (1 - 1 / cell.folds))
    samples = (training.draw(n, random) for _ in range(TRAININGS))
    truths = [
        learners.truth(learners.train(sample, np.ones(len(sample.y), dtype=bool), training.classes), training)
        for sample in samples
        if _enough(cell, sample.patients)
    ]
    return {metric: float(np.mean([true[metric] for true in truths])) for metric in METRICS[cell.kind]}


def _cross_validation(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    training = learners.Training(_world(cell), cell.inputs, cell.kind == "classification")
    average = _on_average(cell, training)
    for _ in range(replicates):
        sample = training.draw(cell.n, random)
        if not _enough(cell, sample.patients):
            continue
        folds = [split(sample.patients, cell.folds, random) for _ in range(cell.repeats)]
        held, truth = _resampled(cell, sample, training, folds)

        def judge(metric: str, held: Any = held, sample: Any = sample, truth: Any = truth) -> Known:
            known = evidence(metric, held, sample.patients, cell.folds)
            return Known(known, truth[metric], on_average=average[metric])

        yield each_metric(cell.kind, judge)


def _two_models_cv(cell: Cell, replicates: int, random: np.random.Generator) -> Replicates:
    """The same training on two sets of inputs that tell equally much; the models that come of it differ by chance."""
    training = learners.Training(_world(cell), cell.inputs, cell.kind == "classification")
    for _ in range(replicates):
        sample = training.draw(cell.n, random)
        if not _enough(cell, sample.patients):
            continue
        folds = [split(sample.patients, cell.folds, random) for _ in range(cell.repeats)]
        (one, first), (two, second) = (
            _resampled(cell, s, training, folds) for s in (sample, training.draw(cell.n, random, sample))
        )

        patients, truth = sample.patients, {metric: first[metric] - second[metric] for metric in first}

        def judge(metric: str, both: Any = (one, two), patients: Any = patients, truth: Any = truth) -> Known:
            a, b = (evidence(metric, held, patients, cell.folds) for held in both)
            return Known(a, truth[metric], b)

        yield each_metric(cell.kind, judge)


SCENARIOS: dict[str, Callable[[Cell, int, np.random.Generator], Replicates]] = {
    "given-model": _given_model,
    "two-models": _two_models,
    "cross-validation": _cross_validation,
    "two-models-cv": _two_models_cv,
    "new-site": _new_site,
    "two-models-sites": _two_models_sites,
}
