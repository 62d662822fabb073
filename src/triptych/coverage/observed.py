"""What a report would know of simulated predictions: the evidence from which it makes intervals and tests.

As `triptych.scoring` and `triptych.inferring` do from tables, here from arrays, because it is done some million times.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from triptych import plugins
from triptych.coverage.cells import METRICS
from triptych.errors import NotEstimableError
from triptych.inference.known import Evidence
from triptych.methods import Situation
from triptych.scoring import FEWEST_AT_SITE


@dataclass(frozen=True)
class Patients:
    """Who the rows belong to.

    unit : (N,) codes 0..I-1 of patients. positive : (N,) rows with the event or of the positive class, all rows of numbers.
    site : (N,) codes of sites, or None. classes : whether the outcome is a class.
    """

    unit: np.ndarray
    positive: np.ndarray
    site: np.ndarray | None = None
    classes: bool = False

    @property
    def rows(self) -> np.ndarray:
        """Rows of each patient (I,)."""
        return np.bincount(self.unit)


@dataclass(frozen=True)
class Known:
    """What is known of one metric in one replicate, and the truth.

    other : what is known of a second model; the truth is then the difference of both. on_average : what training again would
    give on average.
    """

    evidence: Evidence
    truth: float = 0.0
    other: Evidence | None = None
    on_average: float = np.nan


Replicates = Iterator[dict[str, Known]]


def each_metric(kind: str, judge: Callable[[str], Known]) -> dict[str, Known]:
    """What is known of each metric; one without a value in this replicate is left out."""
    found = {}
    for metric in METRICS[kind]:
        try:
            found[metric] = judge(metric)
        except NotEstimableError:
            continue
    return found


def split(patients: Patients, folds: int, random: np.random.Generator) -> np.ndarray:
    """Fold (N,) of each row: whole patients, in each fold about as many with the event or of the positive class."""
    event = np.bincount(patients.unit[patients.positive], minlength=int(patients.unit.max()) + 1) > 0
    of_patient = np.empty(event.size, dtype=int)
    for members in (np.flatnonzero(event), np.flatnonzero(~event)):
        of_patient[members] = (random.permutation(members.size) + random.integers(folds)) % folds
    return of_patient[patients.unit]


def score(metric: str, held: Any) -> tuple[float, np.ndarray]:
    """Value and influence of each row, by the metric's own file."""
    return _contributions(metric)(held)


@cache
def _contributions(metric: str) -> Callable[[Any], tuple[float, np.ndarray]]:
    return plugins.load("metrics", metric).contributions


@cache
def _says(metric: str) -> dict[str, Any]:
    return plugins.describe("metrics", metric).literals


def evidence(metric: str, repeats: Sequence[Any], patients: Patients, folds: int = 1) -> Evidence:
    """What is known of one score from held-out predictions of all repeats, rows in the same order in each.

    Raises
    ------
    NotEstimableError
        Where the metric has no value.
    """
    says = _says(metric)
    scored = [score(metric, held) for held in repeats]
    influence = np.mean([of_rows for _, of_rows in scored], axis=0)
    counted = {"positive": patients.positive, "negative": ~patients.positive}.get(says.get("OF", ""))
    codes, n = patients.unit, int(patients.unit.max()) + 1
    rows = np.bincount(codes, minlength=n) if counted is None else np.bincount(codes[counted], minlength=n)
    event = np.bincount(codes[patients.positive], minlength=n) > 0
    return Evidence(
        value=float(np.mean([value for value, _ in scored])),
        influence=np.bincount(codes, influence, n),
        rows=rows,
        family=says["FAMILY"],
        scale=says["SCALE"],
        by_site=np.empty(0) if patients.site is None else _by_site(metric, repeats, patients, patients.site),
        by_fold=np.empty(0) if folds < 2 else _by_fold(metric, repeats, folds),
        ratio=1 / (folds - 1) if folds > 1 else np.nan,
        fewest=int(min(event.sum(), n - event.sum()) if patients.classes else event.sum()),
        n_folds=folds,
        n_repeats=len(repeats),
        squares=np.bincount(codes, influence**2, n),
        strata=event.astype(int) if not event.all() else None,
    )


def _by_fold(metric: str, repeats: Sequence[Any], folds: int) -> np.ndarray:
    return np.array([_value(metric, held.take(held.fold == k)) for held in repeats for k in range(folds)])


def _by_site(metric: str, repeats: Sequence[Any], patients: Patients, site: np.ndarray) -> np.ndarray:
    found = np.full(int(site.max()) + 1, np.nan)
    for code in range(found.size):
        rows = site == code
        if rows.sum() >= FEWEST_AT_SITE[0] and (rows & patients.positive).sum() >= FEWEST_AT_SITE[1]:
            found[code] = np.mean([_value(metric, held.take(rows)) for held in repeats])
    return found


def _value(metric: str, held: Any) -> float:
    try:
        return score(metric, held)[0]
    except NotEstimableError:
        return np.nan


def situation(metric: str, known: Evidence, estimand: str, level: float) -> Situation:
    """What the rule looks at."""
    return Situation(
        estimand,
        known.family,
        several=not known.single,
        patients=known.people,
        fewest=known.fewest,
        sites=known.sites.size,
        folds=known.n_folds,
        repeats=known.n_repeats,
        level=level,
        whole=_says(metric).get("OF", "all") == "all",
    )
