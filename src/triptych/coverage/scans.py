"""Simulated patients with one or several scans, and a score of them: classes and numbers, patients and hospitals.

A score is the class times its effect, plus a part that all scans of a patient share, plus a part of each scan; shared and own
parts have the shares icc and 1 - icc of a variance of one.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from triptych.coverage.observed import Patients
from triptych.metrics._held import HeldClasses, HeldNumbers

SCANS = 3.0  # mean number of scans beside the first
UNEVEN = 0.5  # shape of the gamma distribution of a patient's mean number: a few patients have most scans
INFORMATIVE = 0.6  # slope of the log of that mean on the patient's own part
BETWEEN_SITES = 0.7  # standard deviation of the logit of the sites' accuracies


@dataclass(frozen=True)
class World:
    """What patients are like; as in `cells.Cell`."""

    events: float
    strength: float
    sizes: str = "one"
    icc: float = 0.0

    def draw(self, n: int, random: np.random.Generator) -> "Scans":
        """New patients with their scans."""
        own = random.normal(size=n)
        unit = np.repeat(np.arange(n), self._scans(own, random))
        y = (random.random(n) < self.events)[unit]
        return Scans(self, unit, y, own[unit])

    def _scans(self, own: np.ndarray, random: np.random.Generator) -> np.ndarray:
        if self.sizes == "one":
            return np.ones(own.size, dtype=int)
        mean = {
            "random": np.ones(own.size),
            "uneven": random.gamma(UNEVEN, 1 / UNEVEN, own.size) if self.sizes == "uneven" else None,
            "informative": np.exp(INFORMATIVE * own - INFORMATIVE**2 / 2),
        }[self.sizes]
        return 1 + random.poisson(SCANS * np.asarray(mean))

    @property
    def accuracy(self) -> float:
        """Accuracy of the score cut half-way, of patients with equally many scans."""
        return float(special.ndtr(self.strength / 2))


@dataclass(frozen=True)
class Scans:
    """Drawn scans: patient, class and the patient's own part of the score, (N,) each."""

    world: World
    unit: np.ndarray
    y: np.ndarray
    own: np.ndarray

    @property
    def patients(self) -> Patients:
        """Who the scans belong to."""
        return Patients(self.unit, self.y, classes=True)

    def half_own(self, random: np.random.Generator) -> np.ndarray:
        """A patient's part of another model's score: half of its variance is that of the patient, (N,)."""
        other = random.normal(size=int(self.unit.max()) + 1)
        return (self.own + other[self.unit]) / np.sqrt(2)

    def noise(self, random: np.random.Generator, own: np.ndarray | None = None) -> np.ndarray:
        """The patient's part (another one, (N,), where it is given) and that of each scan."""
        icc, shared = self.world.icc, self.own if own is None else own
        return np.sqrt(icc) * shared + np.sqrt(1 - icc) * random.normal(size=self.y.size)

    def classified(self, random: np.random.Generator, own: np.ndarray | None = None, gain: float = 0.0) -> HeldClasses:
        """Predictions of a model that was trained elsewhere: its score, cut half-way, with the true probability.

        gain : what hospitals add to the effect, (N,).
        """
        effect = self.world.strength
        score = (effect + gain) * self.y + self.noise(random, own) - np.asarray(gain) / 2
        p = special.expit(effect * (score - effect / 2) + special.logit(self.world.events))
        return HeldClasses(self.y.astype(int), score, (score > effect / 2).astype(int), p, np.zeros(self.y.size, int))

    def predicted(self, random: np.random.Generator, own: np.ndarray | None = None, gain: float = 0.0) -> HeldNumbers:
        """Predictions of a number by a model that was trained elsewhere; its error is the patient's part and the scan's.

        gain : what hospitals add to the standard deviation of the error, (N,).
        """
        signal = self.world.strength * random.normal(size=self.y.size)
        error = (1 + np.asarray(gain)) * self.noise(random, own)
        return HeldNumbers(signal + error, signal, np.zeros(self.y.size, int))


@dataclass(frozen=True)
class Hospitals:
    """Hospitals whose patients are told apart more or less well: the logit of their accuracies is normal.

    For numbers the log of the standard deviation of the error is normal instead, a tenth as wide.
    """

    world: World
    patients: int

    def draw(self, sites: int, random: np.random.Generator) -> tuple[Scans, np.ndarray, np.ndarray]:
        """Patients (about equally many in each hospital), their hospital (N,) and what it adds (sites,) to be used by gains."""
        sizes = np.maximum(1, random.poisson(self.patients, sites))
        scans = self.world.draw(int(sizes.sum()), random)
        return scans, np.repeat(np.arange(sites), sizes), random.normal(size=sites)

    def gain(self, deviation: np.ndarray) -> np.ndarray:
        """What a hospital of this deviation, in standard deviations, adds to the effect of the class."""
        own = special.expit(special.logit(self.world.accuracy) + BETWEEN_SITES * deviation)
        return 2 * special.ndtri(own) - self.world.strength

    def spread(self, deviation: np.ndarray) -> np.ndarray:
        """What a hospital of this deviation adds to the standard deviation of an error of one."""
        return np.exp(BETWEEN_SITES / 3 * deviation) - 1
