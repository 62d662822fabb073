"""What a metric sees: held-out rows of one model in one repeat."""

from dataclasses import dataclass, replace

import numpy as np

from triptych.errors import NotEstimableError
from triptych.survival.nonparametric import StepCurve


@dataclass(frozen=True)
class Held:
    """Held-out survival predictions.

    Attributes
    ----------
    time, event, risk
        Arrays (n,); a higher risk means an earlier event.
    fold
        Codes (n,): risks of different folds come from different models and are never ranked against each other.
    times, curves
        Grid (m,) and predicted survival (n, m), or None when the model gives no curves.
    horizon
        Time at which time-dependent scores are given, or None.
    censoring
        The censoring curve of all held-out people of the task, for inverse-probability weights.
    """

    time: np.ndarray
    event: np.ndarray
    risk: np.ndarray
    fold: np.ndarray
    times: np.ndarray | None
    curves: np.ndarray | None
    horizon: float | None
    censoring: StepCurve

    def take(self, rows: np.ndarray) -> "Held":
        """Some of the rows."""
        curves = None if self.curves is None else self.curves[rows]
        return replace(
            self,
            time=self.time[rows],
            event=self.event[rows],
            risk=self.risk[rows],
            fold=self.fold[rows],
            curves=curves,
        )

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Times up to the horizon and the curves there.

        Raises
        ------
        NotEstimableError
            When the model gives no curves.
        """
        if self.times is None or self.curves is None:
            raise NotEstimableError("the model gives a risk but no survival probabilities")
        until = self.times <= (self.horizon or np.inf) * (1 + 1e-12)
        return self.times[until], self.curves[:, until]


@dataclass(frozen=True)
class HeldClasses:
    """Held-out predictions of two classes.

    Attributes
    ----------
    y, score, predicted
        Arrays (n,): the class (0 or 1), a score (higher: more likely 1), the predicted class.
    p
        Probability of class 1, (n,), or None when the model gives none.
    fold
        Codes (n,): scores of different folds come from different models and are never ranked against each other.
    """

    y: np.ndarray
    score: np.ndarray
    predicted: np.ndarray
    p: np.ndarray | None
    fold: np.ndarray

    def take(self, rows: np.ndarray) -> "HeldClasses":
        """Some of the rows."""
        p = None if self.p is None else self.p[rows]
        return HeldClasses(self.y[rows], self.score[rows], self.predicted[rows], p, self.fold[rows])

    def probability(self) -> np.ndarray:
        """Probabilities of class 1, (n,).

        Raises
        ------
        NotEstimableError
            When the model gives none.
        """
        if self.p is None:
            raise NotEstimableError("the model gives a score but no probabilities")
        return self.p


@dataclass(frozen=True)
class HeldNumbers:
    """Held-out predictions of a number: arrays ``y``, ``predicted`` and ``fold``, (n,)."""

    y: np.ndarray
    predicted: np.ndarray
    fold: np.ndarray

    def take(self, rows: np.ndarray) -> "HeldNumbers":
        """Some of the rows."""
        return HeldNumbers(self.y[rows], self.predicted[rows], self.fold[rows])
