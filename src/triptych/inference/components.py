"""Variance components: how much of the spread of a score comes from patients, sites, folds, seeds.

Random intercepts by REML for Gaussian scores, with small dense matrices: fine up to some
thousand levels. Source: Bates et al. 2015, Journal of Statistical Software 67(1), equations 20-42 (lme4).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, optimize  # scipy.stats would cost every job half a second to import

from triptych.errors import DataError, NotEstimableError

FEWEST_LEVELS = 5
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Component:
    """One source of variation.

    levels : how many there are. variance, share : in the unit of the score squared, and of the sum of all variances;
    NaN where `note` says why there is none. means : (levels,) mean score per level, in the sorted order of the codes.
    """

    name: str
    levels: int
    variance: float
    share: float
    means: Floats
    note: str = ""


@dataclass(frozen=True)
class Components:
    """Mean with its standard error, a `Component` per factor, the residual variance and its share."""

    mean: float
    se: float
    factors: tuple[Component, ...]
    residual: float
    residual_share: float
    method: str


def coded(name: str, codes: ArrayLike, n: int) -> Codes:
    """Levels 0..k-1 of the labels of one factor, (n,); DataError for another length or a missing label."""
    labels = np.asarray(codes)
    if labels.shape != (n,):
        raise DataError(f"factor {name!r} has shape {labels.shape} where there are {n} values")
    return np.unique(labels.astype(str) if labels.dtype == object else labels, return_inverse=True)[1].astype(np.int64)


def finite(values: ArrayLike) -> Floats:
    """Two finite numbers or more, (n,); DataError names the first that is not."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size < 2:
        raise DataError(f"values has shape {array.shape}; it must be one row of two values or more")
    if not np.all(np.isfinite(array)):
        raise DataError(f"the value in row {int(np.argmax(~np.isfinite(array)))} is missing or infinite")
    return array


def few_levels(levels: int) -> str:
    """What is said of a factor that has too few levels for a variance."""
    return f"{levels} levels are too few for a variance (at least {FEWEST_LEVELS}): read the means"


def refuse_aliases(codes: Mapping[str, Codes], n: int) -> None:
    """Refuse factors that cannot be told from the residual or from each other; NotEstimableError names them."""
    for name, one in codes.items():
        if one.max() + 1 == n:
            raise NotEstimableError(f"{name!r} has one value per level: it cannot be told from the residual")
        if one.max() == 0:
            raise NotEstimableError(f"{name!r} has a single level: nothing varies")
    names = list(codes)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            a, b = codes[first], codes[second]
            if a.max() == b.max() == len(set(zip(a.tolist(), b.tolist(), strict=True))) - 1:
                raise NotEstimableError(f"{first!r} and {second!r} split the rows alike: they cannot be told apart")


@dataclass(frozen=True)
class _Reml:
    """Cross products of [Z, X, y], and the REML criterion as a function of the relative factor L (q, q) of Z's effects."""

    products: Floats
    q: int
    n: int

    @classmethod
    def of(cls, z: Floats, x: Floats, y: Floats) -> "_Reml":
        joined = np.column_stack((z, x, y))
        return cls(joined.T @ joined, z.shape[1], y.size)

    def fit(self, factor: Floats) -> tuple[float, Floats, Floats, float]:
        """-2 log REML, coefficients (p,), their covariance (p, p), and the residual variance.

        factor is (q,) for a diagonal L, else (q, q) lower triangular.
        """
        q, all_ = self.q, self.products.copy()
        if factor.ndim == 1:
            all_[:q] *= factor[:, None]
            all_[:, :q] *= factor
        else:
            all_[:q] = factor.T @ all_[:q]
            all_[:, :q] = all_[:, :q] @ factor
        all_[np.arange(q), np.arange(q)] += 1
        root = linalg.cholesky(all_[:-1, :-1], lower=True)
        right = linalg.solve_triangular(root, all_[:-1, -1], lower=True)
        p = root.shape[0] - q
        df = self.n - p
        variance = max(float(all_[-1, -1] - right @ right), 1e-300) / df
        deviance = 2 * np.sum(np.log(np.diag(root))) + df * (1 + np.log(2 * np.pi * variance))
        corner = root[q:, q:]
        coef = linalg.solve_triangular(corner, right[q:], lower=True, trans="T")
        inverse = linalg.solve_triangular(corner, np.eye(p), lower=True)
        return float(deviance), coef, variance * inverse.T @ inverse, variance


def least(criterion: Callable[[Floats], float], start: Floats, variances: int = 0) -> Floats:
    """Minimum of a smooth criterion of a few parameters, the last of which are variances and not below 0.

    They must be variances: a criterion of standard deviations is flat at 0 by symmetry, and a search that comes there
    stays, though the minimum be elsewhere.
    """
    if not start.size:
        return start
    options = {"ftol": 1e-13, "gtol": 1e-6 if variances else 1e-5, "maxiter": 1000}
    bounds = [(None, None)] * (start.size - variances) + [(0.0, None)] * variances
    return optimize.minimize(criterion, start, method="L-BFGS-B", jac="3-point", bounds=bounds, options=options).x


def _design(codes: Mapping[str, Codes], held: Mapping[str, Codes], n: int) -> tuple[Floats, Floats, Codes]:
    """Fixed columns (mean, and deviations of what is held fixed), random columns, and the factor of each."""
    fixed, random, owner = [np.ones((n, 1))], [np.empty((n, 0))], []
    for name, one in {**held, **codes}.items():
        indicator = np.eye(int(one.max()) + 1)[one]
        if name in held or indicator.shape[1] < FEWEST_LEVELS:
            fixed.append(indicator[:, :-1] - indicator[:, -1:])
        else:
            random.append(indicator)
            owner.append(indicator.shape[1])
    return np.hstack(fixed), np.hstack(random), np.repeat(np.arange(len(owner)), owner)


def _one_way(y: Floats, codes: Codes) -> tuple[float, float, float, float] | None:
    """Mean, its se, variance between and within from the analysis of variance; None unless balanced."""
    sizes = np.bincount(codes)
    if np.ptp(sizes) > 0:
        return None
    k, m, n = int(sizes[0]), sizes.size, y.size
    means = np.bincount(codes, weights=y) / k
    inside = float(np.sum((y - means[codes]) ** 2)) / (n - m)
    between = k * float(np.var(means, ddof=1))
    if between < inside:  # REML on the boundary: no variance between levels
        inside = between = float(np.var(y, ddof=1))
    return float(y.mean()), float(np.sqrt(between / n)), (between - inside) / k, inside


def _fitted(
    y: Floats, codes: Mapping[str, Codes], held: Mapping[str, Codes]
) -> tuple[float, float, Floats, float, str]:
    """Mean, se, variance of each random factor, residual variance, method."""
    fixed, random, owner = _design(codes, held, y.size)
    if len(codes) == 1 and random.shape[1] and not held:
        closed = _one_way(y, next(iter(codes.values())))
        if closed:
            return closed[0], closed[1], np.array([closed[2]]), closed[3], "analysis of variance (balanced)"
    # about 0 and in units of the standard deviation, which keeps the cross products precise
    centre, unit = float(y.mean()), float(y.std()) or 1.0
    model = _Reml.of(random, fixed, (y - centre) / unit)
    try:
        factors = int(owner.max(initial=-1)) + 1
        ratio = least(lambda v: model.fit(np.sqrt(v)[owner])[0], np.ones(factors), factors)
        _, coef, covariance, residual = model.fit(np.sqrt(ratio)[owner])
    except linalg.LinAlgError:
        raise NotEstimableError("factors with few levels are confounded: their levels cannot be told apart") from None
    residual *= unit**2
    se = float(np.sqrt(covariance[0, 0])) * unit
    return centre + unit * float(coef[0]), se, ratio * residual, residual, "REML"


def components(
    values: ArrayLike, factors: Mapping[str, ArrayLike], *, fixed: Mapping[str, ArrayLike] | None = None
) -> Components:
    """Variance components of crossed or nested random intercepts of a Gaussian score, by REML.

    Parameters
    ----------
    values : (n,) scores, in any one unit.
    factors : name -> (n,) codes of any kind. Codes of a nested factor must differ between the outer levels (patient
        "1" of two sites is one patient here).
    fixed : name -> (n,) codes of factors that are held fixed and not reported, say the model; the mean is then that of
        their levels, each of equal weight.

    Returns
    -------
    Components
        A factor with fewer than 5 levels has no variance but a note; its level means are held fixed, so that they do
        not enter other components, and the shares are of the rest.

    Raises
    ------
    NotEstimableError
        A factor with one value per level or a single level, factors that split the rows alike, or values that never vary.
    DataError
        Bad input, naming the row.
    """
    y = finite(values)
    if not factors:
        raise DataError("no factor is named: there is nothing to split the variance by")
    codes = {name: coded(name, one, y.size) for name, one in factors.items()}
    refuse_aliases(codes, y.size)
    if np.ptp(y) == 0:
        raise NotEstimableError("every value is the same: there is no variance to split")
    held = {name: coded(name, one, y.size) for name, one in (fixed or {}).items()}
    mean, se, variances, residual, method = _fitted(y, codes, held)
    total, found, left = float(variances.sum()) + residual, [], list(variances)
    for name, one in codes.items():
        levels = int(one.max()) + 1
        means = np.bincount(one, weights=y) / np.bincount(one)
        if levels < FEWEST_LEVELS:
            found.append(Component(name, levels, np.nan, np.nan, means, few_levels(levels)))
        else:
            variance = float(left.pop(0))
            found.append(Component(name, levels, variance, variance / total, means))
    return Components(mean, se, tuple(found), residual, residual / total, method)


@dataclass(frozen=True)
class RandomSlope:
    """y = (b0 + u0) + (b1 + u1) x: fixed effects (2,), their se (2,), sd of u (2,), their correlation, residual sd."""

    fixed: Floats
    se: Floats
    sd: Floats
    correlation: float
    residual_sd: float


def random_slope(values: ArrayLike, x: ArrayLike, group: ArrayLike) -> RandomSlope:
    """Line per level of `group` with correlated random intercept and slope, by REML; arguments (n,) each.

    Raises
    ------
    NotEstimableError
        Fewer than 5 groups, or one value per group.
    DataError
        Bad input, naming the row.
    """
    y, slope = finite(values), finite(x)
    codes = coded("group", group, y.size)
    refuse_aliases({"group": codes}, y.size)
    m = int(codes.max()) + 1
    if m < FEWEST_LEVELS:
        raise NotEstimableError(f"{m} groups are too few for a variance (at least {FEWEST_LEVELS})")
    indicator, eye = np.eye(m)[codes], np.eye(m)
    model = _Reml.of(np.hstack((indicator, indicator * slope[:, None])), np.column_stack((np.ones(y.size), slope)), y)

    def factor(theta: Floats) -> Floats:
        return np.kron(np.array([[theta[0], 0], [theta[1], theta[2]]]), eye)

    spread = float(slope.std()) or 1.0
    theta = least(lambda s: model.fit(factor(s))[0], np.array([1.0, 0.0, 1 / spread]))
    _, coef, covariance, residual = model.fit(factor(theta))
    lower = factor(theta)[::m, ::m]
    joint = residual * lower @ lower.T
    sd = np.sqrt(np.diag(joint))
    correlation = float(joint[0, 1] / np.prod(sd)) if np.all(sd > 0) else np.nan
    return RandomSlope(coef, np.sqrt(np.diag(covariance)), sd, correlation, float(np.sqrt(residual)))
