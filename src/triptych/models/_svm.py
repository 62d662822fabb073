"""Linear support vector machines from a matrix of inner products, so that a choice of the cost reads the data once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC, SVR

from triptych.models._inputs import weighted

EXACT = 1e-9  # libsvm's own tolerance would let the order of columns show in the third digit
Inner = Callable[
    [np.ndarray], tuple[np.ndarray, np.ndarray] | None
]  # see ``_Problem.parts``; None: nothing to learn from
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
    inner: Inner | None = None,
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
    inner
        Inner products of an inner fold from what its own training rows tell, in units of their mean square length; those of
        ``gram`` when nothing is said.
    """
    weight = np.ones(len(y)) if weight is None else weight
    unit = float(np.trace(gram)) / len(gram)
    center, spread = (0.0, 1.0) if kind == "classification" else weighted(y, weight)
    if not spread:
        return Dual(np.zeros(len(y)), center, costs[0])
    problem = _Problem(gram / unit, (y - center) / spread, weight, kind, balanced)
    cost = costs[0] if len(costs) == 1 else _best_cost(problem, fold, costs, inner or problem.parts)
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

    def parts(self, out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inner products of the rows that stay when some leave (bool, (n,)), and of those that leave with them."""
        return self.gram[np.ix_(~out, ~out)], self.gram[np.ix_(out, ~out)]


def _best_cost(problem: _Problem, fold: np.ndarray, costs: tuple[float, ...], inner: Inner) -> float:
    """The cost of the highest mean skill over the inner folds that can tell; the first where none can."""
    y, right, found = problem.y, problem.kind == "classification", []
    for k in np.unique(fold):
        out = fold == k
        if right and (len(np.unique(y[out])) < 2 or len(np.unique(y[~out])) < 2):
            continue
        products = inner(out)
        if products is None:
            continue
        rest = replace(problem, gram=products[0], y=y[~out], weight=problem.weight[~out])
        found.append([_skill(rest, products[1], y[out], cost) for cost in costs])
    return costs[int(np.argmax(np.mean(found, axis=0)))] if found else costs[0]


def _skill(rest: _Problem, products: np.ndarray, y: np.ndarray, cost: float) -> float:
    """Of a fit to the rest for other rows (m,), from their inner products (m, n) with it."""
    alpha, intercept = rest.solve(cost)
    told = products @ alpha + intercept
    return roc_auc_score(y, told) if rest.kind == "classification" else -float(np.square(told - y).mean())
