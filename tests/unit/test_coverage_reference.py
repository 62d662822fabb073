"""Simulated studies agree with reference cells that were simulated elsewhere, within Monte-Carlo error."""

import numpy as np
import pytest
from scipy import special, stats

from triptych.coverage import learners
from triptych.coverage.cells import Cell
from triptych.coverage.measure import measure
from triptych.coverage.observed import split
from triptych.coverage.scans import Hospitals
from triptych.coverage.scans import World as Scanned
from triptych.inference import auc, intervals, proportions
from triptych.inference.cross_validation import bayle
from triptych.inference.permutation import sign_flip


def rng(seed=0):
    return np.random.default_rng(seed)


# ---- reference cells: simulated elsewhere, 1,000 to 2,000 (cross-validation 300) replicates each


def agrees(hits, known, replicates=1000):
    """Within four Monte-Carlo errors of both."""
    error = np.sqrt(known * (1 - known) * (1 / len(hits) + 1 / replicates))
    assert abs(np.mean(hits) - known) < 4 * error, (np.mean(hits), known)


@pytest.mark.parametrize(
    ("icc", "known"),
    [(0.8, (0.730, 0.960, 0.656, 0.947)), (0.0, (0.947, 0.950, 0.947, 0.946))],
    ids=["icc .8", "icc 0"],
)
def test_repeated_scans_as_in_the_reference(icc, known):
    """50 patients: Wilson and DeLong by scan, ratio of sums and Obuchowski by patient."""
    random, world, hits = rng(1), Scanned(0.5, 1.5, "random", icc), [[] for _ in known]
    accuracy, area = world.accuracy, special.ndtr(1.5 / np.sqrt(2))
    assert (accuracy, area) == pytest.approx((0.773, 0.856), abs=6e-4)
    for _ in range(250):
        scans = world.draw(50, random)
        held = scans.classified(random)
        right = held.predicted == held.y
        made = [
            proportions.wilson(right.sum(), right.size, level=0.95),
            proportions.ratio_of_sums(np.bincount(scans.unit, right), np.bincount(scans.unit), level=0.95),
            auc.auc_interval(auc.delong(held.y, held.score), level=0.95),
            auc.auc_interval(auc.obuchowski(held.y, held.score, scans.unit), level=0.95),
        ]
        for k, one in enumerate(made):
            hits[k].append(one.low <= (accuracy if k < 2 else area) <= one.high)
    for one, share in zip(hits, known, strict=True):
        agrees(one, share)


def test_new_sites_as_in_the_reference():
    """Ten sites: Wilson on all patients .677, t over sites .941; target is the mean over all sites, .730."""
    random = rng(2)
    middle = 1.09  # logit of an accuracy whose mean over sites is .730
    hospitals = Hospitals(Scanned(0.5, 2 * special.ndtri(special.expit(middle))), 40)
    truth = np.mean(special.expit(middle + 0.7 * special.ndtri((np.arange(2000) + 0.5) / 2000)))
    assert truth == pytest.approx(0.730, abs=0.002)
    pooled, by_site = [], []
    for _ in range(300):
        scans, site, _ = hospitals.draw(10, random)
        held = scans.classified(random, None, hospitals.gain(random.normal(size=10))[site])
        right = (held.predicted == held.y).astype(float)
        one = proportions.wilson(right.sum(), right.size, level=0.95)
        pooled.append(one.low <= truth <= one.high)
        one = intervals.over_sites(np.bincount(site, right) / np.bincount(site), level=0.95)
        by_site.append(one.low <= truth <= one.high)
    agrees(pooled, 0.677, 2000)
    agrees(by_site, 0.941, 2000)


def test_cross_validation_as_in_the_reference():
    """LDA, 100 patients, 5 inputs, ten folds once: t over folds .937, Bayle .943, Nadeau-Bengio .987 of the folds' own mean."""
    random, training = rng(3), learners.Training(Scanned(0.5, 1.3), 5, True)
    hits = [[], [], []]
    for _ in range(150):
        sample = training.draw(100, random)
        fold = split(sample.patients, 10, random)
        models = [learners.train(sample, fold != k, True) for k in range(10)]
        truth = np.mean([learners.truth(model, training)["accuracy"] for model in models])
        held = learners.held(sample, models, fold, True)
        right = (held.predicted == held.y).astype(float)
        of_fold = np.bincount(fold, right) / np.bincount(fold)
        half = stats.t.ppf(0.975, 9) * of_fold.std(ddof=1) / np.sqrt(10)
        for k, (low, high) in enumerate(
            [
                (of_fold.mean() - half, of_fold.mean() + half),
                (lambda one: (one.low, one.high))(bayle(right, level=0.95)),
                (lambda one: (one.low, one.high))(intervals.over_resamples(of_fold, ratio=1 / 9, level=0.95)),
            ]
        ):
            hits[k].append(low <= truth <= high)
    for one, known in zip(hits, (0.937, 0.943, 0.987), strict=True):
        agrees(one, known, 300)


def test_two_equal_models_as_in_the_reference():
    """60 patients: McNemar by scan rejects .239, sign-flip by patient .046; DeLong .347, Obuchowski .058."""
    random, world, hits = rng(4), Scanned(0.5, 1.5, "random", 0.8), [[], [], [], []]
    for _ in range(200):
        scans = world.draw(60, random)
        one, two = (scans.classified(random, random.normal(size=60)[scans.unit]) for _ in range(2))
        d = (one.predicted == one.y).astype(int) - (two.predicted == two.y)
        both = np.column_stack([one.score, two.score])
        p = [
            proportions.mcnemar(int(np.sum(d == 1)), int(np.sum(d == -1))).p_exact,
            sign_flip(np.bincount(scans.unit, d), rng=random, level=0.95, replicates=499).p,
            auc.compare_aucs(auc.delong(one.y, both), level=0.95).p,
            auc.compare_aucs(auc.obuchowski(one.y, both, scans.unit), level=0.95).p,
        ]
        for k, value in enumerate(p):
            hits[k].append(value <= 0.05)
    for one, known in zip(hits, (0.239, 0.046, 0.347, 0.058), strict=True):
        agrees(one, known, 800)


def test_without_a_signal_influences_alone_are_too_sure():
    """AUC of useless discriminants, 5 folds: doubling the variance between patients is what it takes (see `repeated_se`)."""
    rows = measure(Cell("classification", "cross-validation", 100, 0.5, 0.0, folds=5, repeats=2), 100, seed=1)
    found = {(row["scenario"], row["metric"], row["method"]): row for row in rows}
    own = found["cross-validation", "auc", "influence-t-cv"]
    assert own["share"] > 0.88  # three Monte-Carlo errors below .95
    plain = found["procedure", "auc", "nadeau-bengio"]
    assert plain["width"] < 0.95 * own["width"]
