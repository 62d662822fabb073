"""Simulated training: linear models whose true performance is known without drawing anybody.

Inputs are independent and normal with variance one; classes differ by `strength` in a direction that uses all inputs alike; a
number is `strength` times that direction plus noise of variance one.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from triptych.coverage.observed import Patients
from triptych.coverage.scans import World
from triptych.metrics._held import HeldClasses, HeldNumbers

RIDGE = 1e-3
KNOTS, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True)
class Sample:
    """Inputs (N, p) and outcome (N,) of rows of patients."""

    x: np.ndarray
    y: np.ndarray
    patients: Patients


@dataclass(frozen=True)
class Training:
    """Rows as in ``world``, each with ``inputs`` numbers; the outcome is a class or a number."""

    world: World
    inputs: int
    classes: bool

    @property
    def direction(self) -> np.ndarray:
        """Effect of each input."""
        return np.full(self.inputs, self.world.strength / np.sqrt(self.inputs))

    def draw(self, n: int, random: np.random.Generator, outcome: "Sample | None" = None) -> Sample:
        """New patients; with the outcome of another sample, its patients seen through inputs of their own."""
        if outcome is None:
            scans = self.world.draw(n, random)
            unit, y = scans.unit, scans.y if self.classes else random.normal(size=scans.y.size)
        else:
            unit, y = outcome.patients.unit, outcome.y
        own = random.normal(size=(int(unit.max()) + 1, self.inputs))[unit]
        icc = self.world.icc
        noise = np.sqrt(icc) * own + np.sqrt(1 - icc) * random.normal(size=own.shape)
        if self.classes:
            return Sample(noise + np.outer(y - 0.5, self.direction), y, Patients(unit, y, classes=True))
        shape = self.world.strength / np.sqrt(1 + self.world.strength**2)  # correlation of the outcome with its signal
        unit_vector = np.full(self.inputs, 1 / np.sqrt(self.inputs))
        along = shape * y + np.sqrt(1 - shape**2) * random.normal(size=y.size)
        x = noise - np.outer(noise @ unit_vector, unit_vector) + np.outer(along, unit_vector)
        return Sample(x, y, Patients(unit, np.ones(y.size, dtype=bool)))


@dataclass(frozen=True)
class Linear:
    """A linear score."""

    weights: np.ndarray
    intercept: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Scores (N,)."""
        return x @ self.weights + self.intercept


def train(sample: Sample, rows: np.ndarray, classes: bool) -> Linear:
    """Linear discriminant of two classes, or least squares; both with a little ridge."""
    x, y = sample.x[rows], sample.y[rows]
    ridge = RIDGE * np.eye(x.shape[1])
    if not classes:
        centred, mean = x - x.mean(axis=0), x.mean(axis=0)
        weights = np.linalg.solve(centred.T @ centred / len(y) + ridge, centred.T @ (y - y.mean()) / len(y))
        return Linear(weights, float(y.mean() - mean @ weights))
    one, none = x[y].mean(axis=0), x[~y].mean(axis=0)
    within = x - np.where(y[:, None], one, none)
    weights = np.linalg.solve(within.T @ within / (len(y) - 2) + ridge, one - none)
    return Linear(weights, float(special.logit(y.mean()) - (one + none) @ weights / 2))


def held(sample: Sample, models: list[Linear], fold: np.ndarray, classes: bool) -> HeldClasses | HeldNumbers:
    """Predictions of each row by the model that did not see its fold."""
    scores = np.choose(fold, [model(sample.x) for model in models])
    if not classes:
        return HeldNumbers(sample.y, scores, fold)
    return HeldClasses(sample.y.astype(int), scores, (scores > 0).astype(int), special.expit(scores), fold)


def truth(model: Linear, training: Training) -> dict[str, float]:
    """True performance of a model on new rows, by metric."""
    if training.classes:
        return _of_classes(model, training.direction, training.world.events)
    return _of_numbers(model, training.inputs, training.world.strength)


def _of_classes(model: Linear, direction: np.ndarray, events: float) -> dict[str, float]:
    spread = float(np.linalg.norm(model.weights)) + 1e-12
    half = float(direction @ model.weights) / 2
    sensitivity = float(special.ndtr((half + model.intercept) / spread))
    specificity = float(special.ndtr((half - model.intercept) / spread))
    one, none = (special.expit(sign * half + model.intercept + spread * KNOTS) for sign in (1, -1))
    brier = events * np.sum(WEIGHTS * (1 - one) ** 2) + (1 - events) * np.sum(WEIGHTS * none**2)
    return {
        "auc": float(special.ndtr(2 * half / (np.sqrt(2) * spread))),
        "accuracy": events * sensitivity + (1 - events) * specificity,
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "brier_class": float(brier),
    }


def _of_numbers(model: Linear, inputs: int, strength: float) -> dict[str, float]:
    """The outcome and the inputs have variance one and the inputs share their correlation with it."""
    shape = strength / np.sqrt(1 + strength**2)
    covered = float(model.weights.sum()) * shape / np.sqrt(inputs)
    bias, variance = model.intercept, 1 - 2 * covered + float(model.weights @ model.weights)
    spread = np.sqrt(variance)
    mae = spread * np.sqrt(2 / np.pi) * np.exp(-(bias**2) / (2 * variance)) + bias * special.erf(
        bias / (spread * np.sqrt(2))
    )
    return {"mae": float(mae), "r2": float(1 - variance - bias**2)}
