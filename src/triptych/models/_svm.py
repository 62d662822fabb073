"""Linear support vector machines from a matrix of inner products, so that a choice of the cost reads the data once."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC, SVR

from triptych.models._inputs import weighted

EXACT = 1e-9  # libsvm's own tolerance would let the order of columns show in the third digit
TUBE = 0.1  # errors below this share of the outcome's standard deviation cost nothing


@dataclass(frozen=True)
class Dual:
    """f(x) = sum of alpha (n,) times the inner products of x with the training rows, plus the intercept."""

    alpha: np.ndarray
    intercept: float
    cost: float


def fit_dual(
    gram: np.ndarray,
    y: np.ndarray,
    fold: np.ndarray,
    *,
    kind: str,
    costs: tuple[float, ...],
    balanced: bool,
    weight: np.ndarray | None = None,
) -> Dual:
    """Fit with the cost that does best over inner folds: by the area under the ROC curve, or by squared error.

    Parameters
    ----------
    gram
        Inner products of the training rows (n, n); costs are in units of their mean square length.
    fold
        Codes of the inner folds (n,).
    weight
        By how much the cost of a row (n,) is multiplied.
    """
    weight = np.ones(len(y)) if weight is None else weight
    unit = float(np.trace(gram)) / len(gram)
    center, spread = (0.0, 1.0) if kind == "classification" else weighted(y, weight)
    if not spread:
        return Dual(np.zeros(len(y)), center, costs[0])
    problem = _Problem(gram / unit, (y - center) / spread, weight, kind, balanced)
    cost = costs[0] if len(costs) == 1 else max(costs, key=lambda c: _skill(problem, fold, c))
    alpha, intercept = problem.solve(cost)
    return Dual(alpha * spread / unit, center + spread * intercept, cost)


@dataclass(frozen=True)
class _Problem:
    """Rows to be fitted, whatever the cost."""

    gram: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    kind: str
    balanced: bool

    def solve(self, cost: float) -> tuple[np.ndarray, float]:
        """Coefficients of the rows, and the intercept."""
        if self.kind == "classification":
            classes = "balanced" if self.balanced else None
            model: Any = SVC(C=cost, kernel="precomputed", tol=EXACT, class_weight=classes)
        else:
            model = SVR(C=cost, kernel="precomputed", tol=EXACT, epsilon=TUBE)
        model.fit(self.gram, self.y, self.weight)
        alpha = np.zeros(len(self.y))
        alpha[model.support_] = model.dual_coef_[0]
        return alpha, float(model.intercept_[0])

    def of(self, rows: np.ndarray) -> "_Problem":
        """The same of some rows."""
        return replace(self, gram=self.gram[np.ix_(rows, rows)], y=self.y[rows], weight=self.weight[rows])


def _skill(problem: _Problem, fold: np.ndarray, cost: float) -> float:
    """Mean over the inner folds that can tell; 0 where none can."""
    y, found = problem.y, []
    for k in np.unique(fold):
        out = fold == k
        if problem.kind == "classification" and (len(np.unique(y[out])) < 2 or len(np.unique(y[~out])) < 2):
            continue
        alpha, intercept = problem.of(~out).solve(cost)
        told = problem.gram[np.ix_(out, ~out)] @ alpha + intercept
        right = problem.kind == "classification"
        found.append(roc_auc_score(y[out], told) if right else -np.square(told - y[out]).mean())
    return float(np.mean(found)) if found else 0.0
