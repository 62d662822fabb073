"""The interval or the paired test that a method, by its name, makes of what is known of a score.

`triptych.choice` says which method answers which question; this module only knows how each is computed. Methods that need what
the evidence does not hold refuse, with the reason.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from triptych.errors import DataError, NotEstimableError, did_you_mean
from triptych.inference import bootstrap, cross_validation, intervals, proportions
from triptych.inference.comparisons import Comparison
from triptych.inference.intervals import Interval
from triptych.inference.known import REPLICATES, Evidence, by_repeat, losses, replicates, resampled, stratified_se
from triptych.inference.paired import TESTS

ENOUGH = 20.0  # degrees of freedom from which the variance between patients is known well enough
__all__ = ["INTERVALS", "TESTS", "Evidence", "compare", "interval"]


def interval(evidence: Evidence, method: str, level: float) -> Interval:
    """The interval of a value by the method of that name.

    Raises
    ------
    NotEstimableError
        Too little data for the method, or evidence that it cannot use, with the reason.
    DataError
        A method that there is not.
    """
    found = _known(INTERVALS, method)(evidence, level)
    if not found.se > 1e-14 and method != "wilson" and not found.method.startswith("Wilson"):
        raise NotEstimableError(
            f"a value of {found.value:g} to which every patient, site or fold contributes alike has no interval: "
            "its variance would be 0, which is not to be believed"
        )
    if evidence.scale == "logit":  # such values lie between 0 and 1
        return replace(found, low=max(found.low, 0.0), high=min(found.high, 1.0))
    return found


def compare(a: Evidence, b: Evidence, method: str, level: float) -> Comparison:
    """The paired test of two models, first minus second, by the method of that name; errors as of `interval`.

    Raises
    ------
    NotEstimableError
        Also where the two models were not tested on the same patients, or never differ.
    """
    if a.people != b.people or not np.array_equal(a.rows, b.rows):
        raise NotEstimableError("the two models were not tested on the same rows of the same patients")
    return _known(TESTS, method)(a, b, level)


def _known(methods: dict, name: str) -> Callable:
    if name not in methods:
        raise DataError(f"no method {name!r}{did_you_mean(name, methods)}")
    return methods[name]


def _influence_t(evidence: Evidence, level: float) -> Interval:
    if evidence.family == "proportion":
        return proportions.ratio_of_sums(*_counted(evidence), level=level)
    return intervals.from_influence(evidence.value, evidence.influence, level=level, scale=evidence.scale)


def _counted(evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Right rows and rows of the patients that have any that count (positives, for a sensitivity)."""
    has = evidence.rows > 0
    return np.clip(evidence.sums[has], 0, evidence.rows[has]), evidence.rows[has].astype(float)


def _influence_welch(evidence: Evidence, level: float) -> Interval:
    intervals.enough_units(int(np.sum(evidence.rows > 0)))
    se, df = stratified_se(evidence)
    if evidence.family == "proportion" and not se > 0:  # all rows right, or all wrong
        return _influence_t(evidence, level)
    if evidence.family == "ratio" and evidence.strata is not None:
        _refuse_a_class_without_variance(evidence.influence, evidence.strata)
    if not _errors_weigh_alike(evidence):
        se *= intervals.caution(df, ENOUGH)
    method = f"influence function by patient, variances by class, t with {df:.0f} degrees of freedom"
    return intervals.student(evidence.value, se, df, level=level, scale=evidence.scale, method=method)


def _errors_weigh_alike(evidence: Evidence) -> bool:
    """Whether no patient errs much more than another: right and wrong do not, and hardly the ranks of patients with one row."""
    return evidence.family == "proportion" or (evidence.family == "rank" and evidence.single)


def _refuse_a_class_without_variance(influence: np.ndarray, strata: np.ndarray) -> None:
    """NotEstimableError where all patients of one class are alike (all right), and those of another are not."""
    for own in np.unique(strata):
        if not np.abs(influence[strata == own]).max() > 1e-14:
            raise NotEstimableError(
                f"all {int(np.sum(strata == own))} patients of one class are alike, so that nothing tells how sure its share of "
                "the score is; intervals that took it for sure held the truth in 21 to 86 %"
            )


def _repeated(estimand: str) -> Callable[[Evidence, float], Interval]:
    def made(evidence: Evidence, level: float) -> Interval:
        people = _influence_t(evidence, level)
        if people.method.startswith("Wilson"):  # all rows right, or all wrong: no repeat differs either
            return people
        own = evidence.influence[evidence.rows > 0]
        weights = cross_validation.interval_weights(evidence.family, estimand)
        se, df = cross_validation.repeated_se(own, by_repeat(evidence), evidence.n_folds, weights)
        method = f"influence function by patient and variance between repeats, t with {df:.0f} degrees of freedom"
        return intervals.student(evidence.value, se, df, level=level, scale=evidence.scale, method=method)

    return made


def _wilson(evidence: Evidence, level: float) -> Interval:
    if evidence.family != "proportion":
        raise NotEstimableError("Wilson's interval is for proportions")
    if not evidence.single:
        raise NotEstimableError("Wilson's interval needs one row per patient")
    right, rows = _counted(evidence)
    # sums of influences are whole but for rounding
    return proportions.modified_wilson(round(float(right.sum()), 9), float(rows.sum()), level=level)


def _bootstrapped(kind: str) -> Callable[[Evidence, float], Interval]:
    def made(evidence: Evidence, level: float) -> Interval:
        bootstrap.refuse_few(evidence.people, "patient", kind)
        found = replicates(evidence)
        if kind == "bca":
            accelerate = _acceleration(evidence.influence)
            low, high = bootstrap.bca_limits(evidence.value, found, accelerate, level=level)
        else:
            low, high = bootstrap.percentile_limits(found, level=level)
        name = "BCa" if kind == "bca" else kind
        method = f"bootstrap of {evidence.people} patients, {name}, {found.size} replicates"
        return Interval(evidence.value, low, high, float(found.std(ddof=1)), np.inf, method)

    return made


def _acceleration(influence: np.ndarray) -> float:
    """BCa's acceleration by the infinitesimal jackknife (Efron 1987, equation 6.6)."""
    square = float(np.sum(influence**2))
    return float(np.sum(influence**3)) / (6 * square**1.5) if square > 0 else 0.0


def _over_sites(evidence: Evidence, level: float) -> Interval:
    return intervals.score_over_sites(evidence.sites, level=level, scale=evidence.scale)


def _bootstrap_sites(evidence: Evidence, level: float) -> Interval:
    values = evidence.sites
    bootstrap.refuse_few(values.size, "site", "percentile")
    counts = bootstrap.draw_counts(values.size, replicates=REPLICATES, rng=np.random.default_rng(evidence.seed))
    found = counts @ values / values.size
    low, high = bootstrap.percentile_limits(found, level=level)
    method = f"bootstrap of {values.size} sites, percentile, {REPLICATES} replicates"
    return Interval(float(values.mean()), low, high, float(found.std(ddof=1)), np.inf, method)


def _nadeau_bengio(evidence: Evidence, level: float) -> Interval:
    values = resampled(evidence)
    known = values[np.isfinite(values)]
    found = intervals.over_resamples(known, ratio=evidence.ratio, level=level)
    lost = values.size - known.size
    return replace(found, method=f"{found.method}; {lost} without a value") if lost else found


def _bayle(evidence: Evidence, level: float) -> Interval:
    return cross_validation.bayle(losses(evidence), level=level)


INTERVALS: dict[str, Callable[[Evidence, float], Interval]] = {
    "influence-t": _influence_t,
    "influence-welch": _influence_welch,
    "influence-t-cv": _repeated("new-patients"),
    "influence-t-procedure": _repeated("procedure"),
    "wilson": _wilson,
    "bootstrap-percentile": _bootstrapped("percentile"),
    "bootstrap-bca": _bootstrapped("bca"),
    "t-over-sites": _over_sites,
    "bootstrap-sites": _bootstrap_sites,
    "nadeau-bengio": _nadeau_bengio,
    "bayle": _bayle,
}
