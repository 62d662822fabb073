"""Linear support vector machines from a matrix of inner products, so that a choice of the cost reads the data once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC, SVR

EXACT = 1e-9  # libsvm's own tolerance would let the order of columns show in the third digit
TUBE = 0.1  # errors below this share of the outcome's standard deviation cost nothing


@dataclass(frozen=True)
class Dual:
    """f(x) = sum of alpha (n,) times the inner products of x with the training rows, plus the intercept."""

    alpha: np.ndarray
    intercept: float
    cost: float


def fit_dual(
    gram: np.ndarray, y: np.ndarray, fold: np.ndarray, *, kind: str, costs: tuple[float, ...], balanced: bool
) -> Dual:
    """Fit with the cost that does best over inner folds: by the area under the ROC curve, or by squared error.

    Parameters
    ----------
    gram
        Inner products of the training rows (n, n); costs are in units of their mean square length.
    fold
        Codes of the inner folds (n,).
    """
    unit = float(np.trace(gram)) / len(gram)
    center, spread = (0.0, 1.0) if kind == "classification" else (float(y.mean()), float(y.std()))
    if not spread:
        return Dual(np.zeros(len(y)), center, costs[0])
    gram, y = gram / unit, (y - center) / spread
    cost = costs[0] if len(costs) == 1 else max(costs, key=lambda c: _skill(gram, y, fold, kind, c, balanced))
    alpha, intercept = _solve(gram, y, kind, cost, balanced)
    return Dual(alpha * spread / unit, center + spread * intercept, cost)


def _solve(gram: np.ndarray, y: np.ndarray, kind: str, cost: float, balanced: bool) -> tuple[np.ndarray, float]:
    if kind == "classification":
        model: Any = SVC(C=cost, kernel="precomputed", tol=EXACT, class_weight="balanced" if balanced else None)
    else:
        model = SVR(C=cost, kernel="precomputed", tol=EXACT, epsilon=TUBE)
    model.fit(gram, y)
    alpha = np.zeros(len(y))
    alpha[model.support_] = model.dual_coef_[0]
    return alpha, float(model.intercept_[0])


def _skill(gram: np.ndarray, y: np.ndarray, fold: np.ndarray, kind: str, cost: float, balanced: bool) -> float:
    """Mean over the inner folds that can tell; 0 where none can."""
    found = []
    for k in np.unique(fold):
        out = fold == k
        if kind == "classification" and (len(np.unique(y[out])) < 2 or len(np.unique(y[~out])) < 2):
            continue
        alpha, intercept = _solve(gram[np.ix_(~out, ~out)], y[~out], kind, cost, balanced)
        told = gram[np.ix_(out, ~out)] @ alpha + intercept
        found.append(roc_auc_score(y[out], told) if kind == "classification" else -np.square(told - y[out]).mean())
    return float(np.mean(found)) if found else 0.0
