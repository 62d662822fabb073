"""Equivalence and non-inferiority of a difference against a margin that was fixed before the data were seen.

A large p of a test of equality is never evidence for equality: these tests have "they differ by the margin or more" as
their null hypothesis.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special  # scipy.stats would cost every job half a second to import

from triptych.errors import DataError, NotEstimableError
from triptych.inference.intervals import Interval


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests: p, whether it is at most alpha, and the interval of level 1 - 2 alpha that says the same."""

    p: float
    equivalent: bool
    interval: Interval
    margin: float


@dataclass(frozen=True)
class NonInferiority:
    """One-sided test: p, whether it is at most alpha, and the lower limit of level 1 - alpha of the gain."""

    p: float
    non_inferior: bool
    lower: float
    margin: float


@dataclass(frozen=True)
class Verdict:
    """`word` is better, equivalent, worse or undecided; the first against the second, in the good direction.

    equivalence : the two one-sided tests. interval : level 1 - alpha, two-sided. differs : it excludes 0 (a
    difference can be real and yet smaller than the margin: then the word is equivalent).
    """

    word: str
    differs: bool
    equivalence: Equivalence
    interval: Interval


def _checked(estimate: Interval, margin: float, alpha: float) -> None:
    if not margin > 0 or not np.isfinite(margin):
        raise DataError(f"margin is {margin:g}; it must be above 0, in the unit of the score")
    if not 0 < alpha < 0.5:
        raise DataError(f"alpha is {alpha:g}; it must lie between 0 and 0.5")
    if not estimate.se > 0 or not np.isfinite(estimate.value):
        raise NotEstimableError("the difference has no standard error: nothing can be tested against a margin")


def _limits(estimate: Interval, level: float) -> Interval:
    half = float(special.stdtrit(estimate.df, 0.5 + level / 2)) * estimate.se
    low, high = estimate.value - half, estimate.value + half
    return Interval(estimate.value, low, high, estimate.se, estimate.df, estimate.method)


def tost(estimate: Interval, margin: float, *, alpha: float = 0.05) -> Equivalence:
    """Two one-sided t tests that a difference lies inside (-margin, margin).

    Parameters
    ----------
    estimate : a difference; its value, se and df are used (df may be infinite), its limits are not.
    margin : above 0, in the unit of the score, fixed before the data.
    alpha : level of each test, and of both together.

    Raises
    ------
    NotEstimableError
        No standard error.
    DataError
        A margin or alpha that is not allowed.

    Source: Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15:657.
    """
    _checked(estimate, margin, alpha)
    worst = max(float(special.stdtr(estimate.df, -(margin + sign * estimate.value) / estimate.se)) for sign in (-1, 1))
    return Equivalence(worst, worst <= alpha, _limits(estimate, 1 - 2 * alpha), margin)


def non_inferiority(
    estimate: Interval, margin: float, *, alpha: float = 0.025, higher_is_better: bool = True
) -> NonInferiority:
    """One-sided t test that the first is not worse than the second by the margin or more; parameters as in `tost`.

    lower is the limit of the gain: the difference, turned where lower is better.
    """
    _checked(estimate, margin, alpha)
    gain = estimate.value if higher_is_better else -estimate.value
    p = float(special.stdtr(estimate.df, -(gain + margin) / estimate.se))
    lower = gain - float(special.stdtrit(estimate.df, 1 - alpha)) * estimate.se
    return NonInferiority(p, p <= alpha, lower, margin)


def verdict(estimate: Interval, margin: float, *, alpha: float = 0.05, higher_is_better: bool = True) -> Verdict:
    """What a difference (first minus second) says, given a margin; parameters and errors as in `tost`.

    equivalent: the interval of level 1 - 2 alpha lies inside (-margin, margin). Else better or worse: that of level
    1 - alpha excludes 0. Else undecided.
    """
    equivalence = tost(estimate, margin, alpha=alpha)
    interval = _limits(estimate, 1 - alpha)
    differs = interval.low > 0 or interval.high < 0
    if equivalence.equivalent:
        word = "equivalent"
    elif differs:
        word = "better" if (estimate.value > 0) == higher_is_better else "worse"
    else:
        word = "undecided"
    return Verdict(word, differs, equivalence, interval)
