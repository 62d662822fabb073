"""Paired tests of two models by the names of their methods; the first of a pair minus the second."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import special  # scipy.stats would cost every job half a second to import

from triptych.errors import NotEstimableError
from triptych.inference import bootstrap, comparisons, cross_validation, intervals, proportions
from triptych.inference.comparisons import Comparison
from triptych.inference.intervals import Interval
from triptych.inference.known import Evidence, by_repeat, losses, replicates, resampled, stratified_se
from triptych.inference.permutation import sign_flip


def _paired_influence(a: Evidence, b: Evidence, level: float) -> Comparison:
    return comparisons.by_unit(a.value, b.value, a.influence, b.influence, level=level)


def _paired_welch(a: Evidence, b: Evidence, level: float) -> Comparison:
    difference = replace(a, value=a.value - b.value, influence=a.influence - b.influence, successes=None)
    intervals.enough_units(a.people)
    se, df = stratified_se(difference)
    method = f"paired influence functions by patient, variances by class, t with {df:.0f} degrees of freedom"
    return comparisons.tested(
        intervals.student(difference.value, se, df, level=level, scale="identity", method=method), method
    )


def _paired_repeats(estimand: str) -> Callable[[Evidence, Evidence, float], Comparison]:
    def made(a: Evidence, b: Evidence, level: float) -> Comparison:
        intervals.enough_units(a.people)
        own = (a.influence - b.influence)[(a.rows > 0) | (b.rows > 0)]
        repeats = by_repeat(a) - by_repeat(b)
        se, df = cross_validation.repeated_se(own, repeats, a.n_folds, cross_validation.TEST.of(estimand))
        method = (
            f"paired influence functions by patient and variance between repeats, t with {df:.0f} degrees of freedom"
        )
        found = intervals.student(a.value - b.value, se, df, level=level, scale="identity", method=method)
        return comparisons.tested(found, method)

    return made


def _flipped(a: Evidence, b: Evidence, level: float) -> Comparison:
    """Signs of whole patients flipped; each patient's share of the difference is exact for means and proportions."""
    share = (a.sums - b.sums) / a.rows.sum()
    found = sign_flip(share, rng=np.random.default_rng(a.seed), level=level)
    method = found.method if a.family in ("mean", "proportion") else f"{found.method}, of influences"
    return Comparison(_beside(a, b, level, method), found.statistic, found.p)


def _beside(a: Evidence, b: Evidence, level: float, method: str) -> Interval:
    """The interval to print beside a test that has none; without limits where there are too few patients for it."""
    if a.people < intervals.FEWEST_UNITS:
        return Interval(
            a.value - b.value, np.nan, np.nan, np.nan, np.nan, f"{method}; too few patients for an interval"
        )
    return replace(_paired_influence(a, b, level).interval, method=f"{method}; interval by influence")


def _clustered_mcnemar(a: Evidence, b: Evidence, level: float) -> Comparison:
    has = _rights(a, b)
    differences = np.round((a.sums - b.sums)[has], 9)  # sums from influences are whole but for rounding
    return proportions.clustered_mcnemar(differences, a.rows[has], level=level)


def _rights(a: Evidence, b: Evidence) -> np.ndarray:
    if a.family != "proportion" or b.family != "proportion":
        raise NotEstimableError("McNemar's test is for proportions of right rows")
    return a.rows > 0


def _mcnemar(a: Evidence, b: Evidence, level: float) -> Comparison:
    has = _rights(a, b)
    if not a.single:
        raise NotEstimableError("McNemar's test needs one row per patient; use the clustered one")
    d = np.round((a.sums - b.sums)[has], 9)
    if not np.isin(d, (-1, 0, 1)).all():
        raise NotEstimableError("McNemar's test needs one prediction per patient, not the mean of several repeats")
    differ = int(np.sum(d != 0))
    if differ > 0 and 0.5**differ > 1 - level:
        raise NotEstimableError(
            f"{differ} of {d.size} patients differ between the models: the smallest p of McNemar's test is then "
            f"{0.5**differ:g}, it cannot reach {1 - level:.2g}"
        )
    found = proportions.mcnemar(int(np.sum(d == 1)), int(np.sum(d == -1)))
    return Comparison(_beside(a, b, level, f"McNemar mid-p on {d.size} patients"), found.chi2, found.p_mid)


def _paired_bootstrap(a: Evidence, b: Evidence, level: float) -> Comparison:
    bootstrap.refuse_few(a.people, "patient", "percentile")
    found = replicates(a, b)
    se = float(found.std(ddof=1))
    if se < 1e-14:
        raise NotEstimableError("the two models do not differ on any patient")
    low, high = bootstrap.percentile_limits(found, level=level)
    beyond = min(int(np.sum(found <= 0)), int(np.sum(found >= 0)))
    p = min(1.0, 2 * (beyond + 1) / (found.size + 1))
    value = a.value - b.value
    method = f"paired bootstrap of {a.people} patients, percentile, {found.size} replicates"
    return Comparison(Interval(value, low, high, se, np.inf, method), value / se, p)


def _both(a: np.ndarray, b: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    if a.shape != b.shape:
        raise NotEstimableError(f"the two models were not tested on the same {name}s")
    known = np.isfinite(a) & np.isfinite(b)
    return a[known], b[known]


def _paired_sites(a: Evidence, b: Evidence, level: float) -> Comparison:
    return comparisons.by_site(*_both(a.by_site, b.by_site, "site"), level=level)


def _flipped_sites(a: Evidence, b: Evidence, level: float) -> Comparison:
    first, second = _both(a.by_site, b.by_site, "site")
    around = intervals.over_sites(first - second, level=level)
    found = sign_flip(first - second, rng=np.random.default_rng(a.seed), level=level, name="site")
    method = f"{found.method}; interval t over sites"
    return Comparison(replace(around, method=method), found.statistic / first.size, found.p)


def _paired_resamples(a: Evidence, b: Evidence, level: float) -> Comparison:
    first, second = _both(resampled(a), resampled(b), "fold")
    return comparisons.by_resample(first, second, ratio=a.ratio, level=level)


def _paired_bayle(a: Evidence, b: Evidence, level: float) -> Comparison:
    return cross_validation.compare_bayle(losses(a), losses(b), level=level)


def _five_by_two(a: Evidence, b: Evidence, level: float) -> Comparison:
    if (a.n_repeats, a.n_folds) != (5, 2):
        raise NotEstimableError(f"5x2cv needs 5 repeats of 2 folds; this study made {a.n_repeats} of {a.n_folds}")
    d = (resampled(a) - resampled(b)).reshape(5, 2)
    found = cross_validation.five_by_two_f(d)
    se = float(np.sqrt(np.var(d, axis=1, ddof=1).mean()))
    half = float(special.stdtrit(5, 0.5 + level / 2)) * se
    value = float(d[0, 0])  # Dietterich's t is about the first difference
    made = Interval(
        float(d.mean()), value - half, value + half, se, 5, f"{found.method}; interval of the first difference"
    )
    return Comparison(made, found.statistic, found.p)


TESTS: dict[str, Callable[[Evidence, Evidence, float], Comparison]] = {
    "paired-influence": _paired_influence,
    "paired-welch": _paired_welch,
    "paired-cv": _paired_repeats("new-patients"),
    "paired-procedure": _paired_repeats("procedure"),
    "sign-flip": _flipped,
    "clustered-mcnemar": _clustered_mcnemar,
    "mcnemar": _mcnemar,
    "paired-bootstrap": _paired_bootstrap,
    "paired-t-over-sites": _paired_sites,
    "sign-flip-sites": _flipped_sites,
    "nadeau-bengio": _paired_resamples,
    "bayle": _paired_bayle,
    "5x2cv": _five_by_two,
}
