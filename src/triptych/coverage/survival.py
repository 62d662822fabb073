"""Simulated survival cohorts whose true scores are known, to measure how often an interval holds them.

A patient's hazard is exp(strength * z + noise); the model sees z.  Times are exponential, censoring is uniform over an accrual
window whose length gives the wanted share of events; times may be rounded up to coarse visits, so that ties are many.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from triptych.metrics._held import Held
from triptych.survival.cox import baseline_cumulative_hazard, cox_survival, fit_cox
from triptych.survival.nonparametric import StepCurve, censoring_curve

LARGE = 200_000  # patients in which a true score is computed


@dataclass(frozen=True)
class Cohort:
    """Inputs (n, p), time (n,) and event (n,)."""

    x: np.ndarray
    time: np.ndarray
    event: np.ndarray


@dataclass(frozen=True)
class World:
    """What patients are like.

    Attributes
    ----------
    strength
        Effect of the linear predictor, whose standard deviation is one; 0 is no signal.
    events
        Share of patients whose event is seen.
    visits
        Times are rounded up to multiples of this; 0: continuous.
    inputs
        Number of columns; the effect is spread evenly over them.
    """

    strength: float
    events: float
    visits: float = 0.0
    inputs: int = 1

    def draw(self, n: int, random: np.random.Generator) -> Cohort:
        """New patients."""
        x = random.normal(size=(n, self.inputs))
        hazard = np.exp(self.strength * x.sum(axis=1) / np.sqrt(self.inputs))
        death = random.exponential(size=n) / hazard
        follow_up = random.uniform(0.3, 1.0, n) * self.window
        time, event = np.minimum(death, follow_up), death <= follow_up
        if self.visits:
            time = np.ceil(time / self.visits) * self.visits
        return Cohort(x, time, event)

    @cached_property
    def horizon(self) -> float:
        """Half of the longest follow-up."""
        return self.window / 2

    @cached_property
    def window(self) -> float:
        """Length of follow-up that gives the wanted share of events, by bisection on a large fixed sample."""
        random = np.random.default_rng(0)
        z, u, e = random.normal(size=20_000), random.uniform(0.3, 1.0, 20_000), random.exponential(size=20_000)
        death = e / np.exp(self.strength * z)
        low, high = 0.01, 1000.0
        for _ in range(40):
            middle = np.sqrt(low * high)
            low, high = (middle, high) if np.mean(death <= u * middle) < self.events else (low, middle)
        return float(np.sqrt(low * high))


@dataclass(frozen=True)
class Trained:
    """A Cox model: coefficients and baseline hazard."""

    beta: np.ndarray
    baseline: StepCurve
    horizon: float

    def held(self, cohort: Cohort, fold: np.ndarray | None = None) -> Held:
        """Its predictions for a cohort."""
        risk = ((cohort.x * self.beta).sum(axis=1)).round(10)
        codes = np.zeros(len(risk), int) if fold is None else fold
        grid = self.horizon * np.arange(1, 51) / 50
        curves = cox_survival(self.baseline, risk, grid)
        censoring = censoring_curve(cohort.time, cohort.event)
        return Held(cohort.time, cohort.event, risk, codes, grid, curves, self.horizon, censoring)


def train(cohort: Cohort, horizon: float, ridge: float = 0.0) -> Trained:
    """Fit a Cox model with Efron ties."""
    beta = fit_cox(cohort.x, cohort.time, cohort.event, l2=ridge).beta
    risk = (cohort.x * beta).sum(axis=1)
    return Trained(beta, baseline_cumulative_hazard(risk, cohort.time, cohort.event), horizon)
