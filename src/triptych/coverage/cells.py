"""The grid: which situations are simulated, how often, and in which jobs.  No numpy: the workflow reads it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

LEVEL = 0.95
METRICS = {
    "survival": ("harrell_c", "uno_c", "time_auc", "brier", "integrated_brier"),
    "classification": ("auc", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "brier_class"),
    "regression": ("mae", "r2"),
    "calibration": ("slope", "intercept", "in_the_large", "observed_expected", "ece"),
}
SHARES = {
    "survival": (0.15, 0.3, 0.6),
    "classification": (0.1, 0.3, 0.5),
    "regression": (1.0,),
    "calibration": (0.1, 0.3, 0.5),
}
# how many replicates: Monte-Carlo error .011 at a coverage of .95 with 400, .015 with 200
REPLICATES = {
    "given-model": 400,
    "two-models": 300,
    "cross-validation": 200,
    "two-models-cv": 200,
    "new-site": 300,
    "two-models-sites": 300,
    "calibration": 200,
}
# what a scenario is measured for: name in the table -> estimand
CLAIMS = {
    "given-model": {"given-model": "new-patients"},
    "cross-validation": {"cross-validation": "new-patients", "procedure": "procedure"},
    "new-site": {"new-site": "new-site"},
    "two-models": {"two-models": "new-patients"},
    "two-models-cv": {"two-models-cv": "new-patients", "two-procedures": "procedure"},
    "two-models-sites": {"two-models-sites": "new-site"},
    "calibration": {"calibration": "new-patients"},
}


@dataclass(frozen=True)
class Cell:
    """One point of the grid.

    Attributes
    ----------
    n
        Patients; of each site, where there are sites.
    events
        Share of patients with the event, or of the positive class; 1 where the outcome is a number.
    strength
        Survival: effect of the linear predictor.  Classes: distance of the classes in standard deviations of the score.
        Numbers: standard deviation of what can be predicted, in units of what cannot.
    sizes
        Rows per patient: ``one``, ``random`` (1 + Poisson of 3), ``uneven`` (the same mean, a few patients with most rows) or
        ``informative`` (the more, the higher the patient's own part of the score or of the error).
    icc
        Correlation of what the rows of one patient add to the signal.
    visits
        Survival: times are rounded up to this share of the follow-up.
    inputs, folds, repeats
        Of the cross-validation; folds of 1: a model that was trained elsewhere.
    """

    kind: str
    scenario: str
    n: int
    events: float
    strength: float
    sizes: str = "one"
    icc: float = 0.0
    sites: int = 0
    visits: float = 0.0
    inputs: int = 5
    folds: int = 1
    repeats: int = 1


def grid() -> list[Cell]:
    """All cells."""
    return [*_survival(), *_classes(), *_numbers(), *_calibration()]


def jobs() -> list[str]:
    """Names of the jobs that measure the grid: kind, scenario and share of events."""
    return sorted({job_of(cell) for cell in grid()})


def job_of(cell: Cell) -> str:
    """The job that measures a cell."""
    return f"{cell.kind}_{cell.scenario}_{cell.events:g}"


def _survival() -> Iterator[Cell]:
    for events in SHARES["survival"]:
        for strength in (0.3, 1.0, 2.0):
            for n in (20, 50, 100, 200, 500):
                yield Cell("survival", "given-model", n, events, strength)
                yield Cell("survival", "two-models", n, events, strength)
        for n in (50, 200):
            yield Cell("survival", "given-model", n, events, 1.0, visits=0.25)
        yield Cell("survival", "given-model", 1500, events, 1.0)
        for n, strength in product((100, 200, 500), (0.3, 1.0)):
            yield Cell("survival", "cross-validation", n, events, strength, folds=5, repeats=3)
        for n, strength in ((100, 0.3), (100, 1.0), (300, 0.3)):
            yield Cell("survival", "two-models-cv", n, events, strength, folds=5, repeats=5)
        for sites in (5, 10, 20):
            yield Cell("survival", "new-site", 60, events, 1.0, sites=sites)
            yield Cell("survival", "two-models-sites", 60, events, 1.0, sites=sites)


ONE, MANY, INFORMATIVE = ("one", 0.0), ("random", 0.8), ("informative", 0.8)
DEPENDENCE = {
    20: (ONE, MANY, INFORMATIVE),
    50: (ONE, ("random", 0.0), ("random", 0.4), MANY, ("uneven", 0.8), INFORMATIVE),
    100: (ONE, MANY),
    200: (ONE, ("random", 0.4), MANY, INFORMATIVE),
    1000: (ONE,),
}


def _given(kind: str, events: float, strength: float) -> Iterator[Cell]:
    for n, known in DEPENDENCE.items():
        for sizes, icc in known:
            yield Cell(kind, "given-model", n, events, strength, sizes, icc)


def _two(kind: str, events: float, strength: float) -> Iterator[Cell]:
    for n, (sizes, icc) in product((20, 50, 200), (ONE, MANY, INFORMATIVE)):
        yield Cell(kind, "two-models", n, events, strength, sizes, icc)


def _hospitals(kind: str, events: float, strength: float) -> Iterator[Cell]:
    for sites in (3, 5, 10, 20, 50):
        yield Cell(kind, "new-site", 40, events, strength, sites=sites)
    for sites in (5, 10, 20):
        yield Cell(kind, "two-models-sites", 40, events, strength, sites=sites)


def _classes() -> Iterator[Cell]:
    kind = "classification"
    for events in SHARES[kind]:
        for strength in (0.5, 1.5, 3.8):
            yield from _given(kind, events, strength)
        yield from _two(kind, events, 1.5)
        yield from _hospitals(kind, events, 1.5)
        yield from _trained_again(kind, events)
    yield from _hospitals(kind, 0.5, 0.5)
    yield from _hospitals(kind, 0.5, 3.8)


def _trained_again(kind: str, events: float) -> Iterator[Cell]:
    """Patients and inputs, and strengths of the signal: all of them with classes of equal size."""
    even, rare = events == 0.5, events < 0.2
    sizes = ((100, 5), (300, 20)) if rare else ((50, 5), (100, 5), (100, 20), (300, 20))
    for (n, inputs), strength in product(sizes, (0.0, 0.7, 1.5, 3.0) if even else (0.0, 1.5)):
        yield Cell(kind, "cross-validation", n, events, strength, inputs=inputs, folds=5, repeats=5)
    for (n, inputs), strength in product(sizes, (0.0, 0.7) if even else (0.0,)):
        yield Cell(kind, "two-models-cv", n, events, strength, inputs=inputs, folds=5, repeats=5)
    for scenario in ("cross-validation", "two-models-cv") if even else ():
        for folds, repeats in ((5, 10), (10, 10), (5, 2), (10, 1)):
            yield Cell(kind, scenario, 100, events, 0.7, folds=folds, repeats=repeats)
        yield Cell(kind, scenario, 60, events, 0.7, *MANY, folds=5, repeats=5)


def _numbers() -> Iterator[Cell]:
    kind = "regression"
    for strength in (0.5, 1.5):
        yield from _given(kind, 1.0, strength)
    yield from _two(kind, 1.0, 1.5)
    yield from _hospitals(kind, 1.0, 1.5)
    for scenario, strength in product(("cross-validation", "two-models-cv"), (0.0, 0.5, 1.5)):
        for n, inputs in ((50, 5), (100, 5), (100, 20), (300, 20)):
            yield Cell(kind, scenario, n, 1.0, strength, inputs=inputs, folds=5, repeats=5)


def _calibration() -> Iterator[Cell]:
    for events, n, (sizes, icc) in product(SHARES["calibration"], (50, 200), (ONE, MANY)):
        yield Cell("calibration", "calibration", n, events, 1.5, sizes, icc)
