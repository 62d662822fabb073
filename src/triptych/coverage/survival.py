"""Simulated survival cohorts whose true scores are known, to measure how often an interval holds them.

A patient's hazard is exp(strength * z + noise); the model sees z.  Times are exponential, censoring is uniform over an accrual
window whose length gives the wanted share of events; times may be rounded up to coarse visits, so that ties are many.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from triptych.metrics._held import Held
from triptych.survival.cox import baseline_cumulative_hazard, cox_survival, fit_cox
from triptych.survival.nonparametric import StepCurve, censoring_curve

LARGE = 200_000  # patients in which a true score is computed
GRID = 20  # times up to the horizon at which curves are given
KNOTS, WEIGHTS = np.polynomial.hermite_e.hermegauss(20)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


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

    def held(self, cohort: Cohort) -> Held:
        """Its predictions for a cohort."""
        risk, curves = self.predict(cohort.x)
        censoring = censoring_curve(cohort.time, cohort.event)
        codes = np.zeros(len(risk), int)
        return Held(cohort.time, cohort.event, risk, codes, self.times, curves, self.horizon, censoring)

    @property
    def times(self) -> np.ndarray:
        """Times (m,) of the curves."""
        return self.horizon * np.arange(1, GRID + 1) / GRID

    def predict(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Risk (n,) and survival curves (n, m) of inputs (n, p)."""
        risk = ((x * self.beta).sum(axis=1)).round(10)
        return risk, cox_survival(self.baseline, risk, self.times)


def train(cohort: Cohort, horizon: float, ridge: float = 0.0) -> Trained:
    """Fit a Cox model with Efron ties."""
    beta = fit_cox(cohort.x, cohort.time, cohort.event, l2=ridge).beta
    risk = (cohort.x * beta).sum(axis=1)
    return Trained(beta, baseline_cumulative_hazard(risk, cohort.time, cohort.event), horizon)


class Truth:
    """True performance of Cox models in a world without coarse visits, from their coefficients alone.

    C and AUC depend only on the correlation of a model's risk with that of the patients; they are drawn once at some correlations
    and interpolated.  Brier scores are integrals over both.
    """

    def __init__(
        self, world: World, score: Callable[[str, Held], tuple[float, np.ndarray]], patients: int = LARGE // 4
    ) -> None:
        """Draw the patients in which models are judged; ``score`` gives a metric's value."""
        self.world = world
        random = np.random.default_rng(0)
        cohort = World(world.strength, world.events).draw(patients, random)
        other, grid = random.normal(size=cohort.time.size), np.linspace(-1, 1, 21)
        flat, self.of_rho = StepCurve(np.array([1.0]), np.array([1.0]), 0.0), {}
        for metric in ("harrell_c", "uno_c", "time_auc"):
            values = []
            for rho in grid:
                x = rho * cohort.x[:, 0] + np.sqrt(1 - rho**2) * other
                model = Trained(np.ones(1), flat, world.horizon)
                values.append(score(metric, model.held(Cohort(x[:, None], cohort.time, cohort.event)))[0])
            self.of_rho[metric] = np.polynomial.Polynomial.fit(grid, values, 5)

    def __call__(self, model: Trained) -> dict[str, float]:
        """Value of each metric."""
        size = float(np.linalg.norm(model.beta))
        rho = float(model.beta.sum() / np.sqrt(model.beta.size) / size) if size else 0.0
        times = model.times
        real = np.exp(-times * np.exp(self.world.strength * KNOTS)[:, None])
        risk = size * (rho * KNOTS[:, None] + np.sqrt(max(0.0, 1 - rho**2)) * KNOTS)
        said = cox_survival(model.baseline, risk.ravel(), times).reshape(KNOTS.size, KNOTS.size, GRID)
        error = np.einsum("i,j,ijt->t", WEIGHTS, WEIGHTS, (said - real[:, None]) ** 2) + WEIGHTS @ (real * (1 - real))
        found = {metric: float(curve(rho)) for metric, curve in self.of_rho.items()}
        integrated = np.trapezoid(error, times) / (times[-1] - times[0])
        return {**found, "brier": float(error[-1]), "integrated_brier": float(integrated)}
