"""The probability that a model is the best: two models are a z test, ties share, noise does not make a winner."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from triptych.errors import DataError, NotEstimableError
from triptych.inference.evidence import compare
from triptych.inference.known import Evidence
from triptych.inference.winner import best_of, probability_best


@pytest.mark.parametrize("df", [np.inf, 4])
@pytest.mark.parametrize("higher", [True, False])
def test_of_two_models_it_is_the_one_sided_p_of_their_difference(df, higher):
    covariance = np.array([[1.0, 0.6], [0.6, 2.0]])
    t = 0.8 / np.sqrt(1 + 2 - 1.2)
    known = stats.norm.cdf(t) if df == np.inf else stats.t.cdf(t, df)
    found = probability_best(np.array([0.8, 0.0]), covariance, df, higher_is_better=higher)
    assert found[0 if higher else 1] == pytest.approx(known, abs=0.012)
    assert found.sum() == pytest.approx(1)


def test_equal_models_share_it():
    found = probability_best(np.zeros(4), np.eye(4), np.inf, higher_is_better=True)
    np.testing.assert_allclose(found, 0.25, atol=0.012)
    known = probability_best(np.array([1.0, 1.0, 0.0]), np.zeros((3, 3)), np.inf, higher_is_better=True)
    assert known.tolist() == [0.5, 0.5, 0.0]


def test_one_model_or_a_missing_value_is_no_contest():
    for values in ([1.0], [1.0, np.nan]):
        with pytest.raises(DataError, match="two or more"):
            probability_best(np.array(values), np.eye(len(values)), np.inf, higher_is_better=True)


def of(loss, **facts):
    loss = np.asarray(loss, float)
    return Evidence(loss.mean(), (loss - loss.mean()) / loss.size, np.ones(loss.size, int), "mean", **facts)


def test_what_two_models_share_does_not_hide_the_better_one():
    """Losses that differ much between patients and little between models: the joint distribution sees it."""
    patient = np.random.default_rng(0).normal(0, 10, 200)
    a, b = of(patient), of(patient + np.random.default_rng(1).normal(0.3, 1, 200))
    assert best_of([a, b], "new-patients", higher_is_better=False)[0] > 0.99
    apart = best_of(
        [a, of(np.random.default_rng(2).permutation(patient) + 0.3)], "new-patients", higher_is_better=False
    )
    assert apart[0] == pytest.approx(0.5, abs=0.2)


def test_over_sites_it_is_the_paired_t():
    random = np.random.default_rng(0)
    sites = random.normal(0, 1, (2, 6)) + np.array([[0.5], [0.0]])
    a, b = (of(np.arange(30.0), by_site=row) for row in sites)
    paired = stats.ttest_rel(*sites)
    found = best_of([a, b], "new-site", higher_is_better=True)[0]
    assert found == pytest.approx(stats.t.cdf(paired.statistic, 5), abs=0.012)
    gap = replace(a, by_site=np.where(np.arange(6) == 0, np.nan, a.by_site))
    rest = stats.ttest_rel(*sites[:, 1:])
    known = stats.t.cdf(rest.statistic, 4)
    assert best_of([gap, b], "new-site", higher_is_better=True)[0] == pytest.approx(known, abs=0.012)


@pytest.mark.parametrize("repeats", [1, 6])
@pytest.mark.parametrize("estimand", ["new-patients", "procedure"])
def test_in_cross_validation_it_is_the_paired_test_by_repeats(estimand, repeats):
    """Normal where the test has a t; what is learned from the same patients makes the winner less sure."""
    random = np.random.default_rng(1)
    loss, folds = random.normal(0, 1, (2, 60)), random.normal(0, 0.02, (2, 5 * repeats))
    loss[0] -= 0.25
    a, b = (of(x, by_fold=f, n_folds=5, n_repeats=repeats) for x, f in zip(loss, folds, strict=True))
    made = compare(a, b, {"new-patients": "paired-cv", "procedure": "paired-procedure"}[estimand], 0.95)
    found = best_of([a, b], estimand, higher_is_better=False)[0]
    assert found == pytest.approx(stats.norm.cdf(-made.interval.value / made.interval.se), abs=0.02)
    assert found < best_of([replace(a, n_folds=1), replace(b, n_folds=1)], "new-patients", higher_is_better=False)[0]


def test_models_of_other_patients_or_sites_are_not_ranked():
    a = of(np.arange(30.0), by_site=np.arange(6.0))
    with pytest.raises(NotEstimableError, match="same rows of the same patients"):
        best_of([a, of(np.arange(29.0))], "new-patients", higher_is_better=True)
    with pytest.raises(NotEstimableError, match="same sites"):
        best_of([a, replace(a, by_site=np.arange(5.0))], "new-site", higher_is_better=True)
    lonely = replace(a, by_site=np.array([1.0, *[np.nan] * 5]))
    with pytest.raises(NotEstimableError, match="1 sites with a value of every model"):
        best_of([a, lonely], "new-site", higher_is_better=True)
