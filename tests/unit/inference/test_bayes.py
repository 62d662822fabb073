"""Bayesian comparisons against baycomp's formula (known answers) and their own symmetries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import DataError, NotEstimableError
from triptych.inference.bayes import correlated_t, signed_rank
from triptych.inference.comparisons import by_resample

X = np.array([0.80, 0.85, 0.78, 0.90, 0.83, 0.79, 0.88, 0.84, 0.81, 0.86])
Y = np.array([0.78, 0.82, 0.80, 0.85, 0.80, 0.77, 0.86, 0.80, 0.80, 0.83])


def three(posterior):
    return posterior.first, posterior.rope, posterior.second


def test_the_known_answer():
    found = correlated_t(X, Y, rho=1 / 10, rope=0.01)
    assert three(found.probability) == pytest.approx((0.915839699892, 0.082061331095, 0.002098969012), abs=1e-12)


def test_without_a_rope_it_is_the_corrected_t_of_nadeau_and_bengio():
    found = correlated_t(X, Y, rho=1 / 10)
    frequentist = by_resample(X, Y, ratio=1 / 9, level=0.95)
    assert found.probability.second == pytest.approx(frequentist.p / 2, rel=1e-10)
    assert found.probability.rope == pytest.approx(0, abs=1e-15)
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (frequentist.interval.low, frequentist.interval.high), rel=1e-10
    )


scores = st.lists(st.floats(0, 1).map(lambda v: round(v, 3)), min_size=10, max_size=20)


@settings(max_examples=80, deadline=None)
@given(scores, st.floats(0, 0.2), st.floats(0.01, 0.5))
def test_swapping_swaps_and_all_sum_to_one(values, rope, rho):
    a = np.array(values)
    b = np.linspace(0.3, 0.7, a.size)
    if np.std(a - b) < 1e-6:
        return
    one, other = correlated_t(a, b, rho=rho, rope=rope), correlated_t(b, a, rho=rho, rope=rope)
    assert sum(three(one.probability)) == pytest.approx(1)
    assert three(one.probability) == pytest.approx(three(other.probability)[::-1], abs=1e-12)
    turned = correlated_t(a, b, rho=rho, rope=rope, higher_is_better=False)
    assert three(turned.probability) == pytest.approx(three(other.probability), abs=1e-12)
    wider = correlated_t(a, b, rho=rho, rope=rope + 0.1)
    assert wider.probability.rope >= one.probability.rope - 1e-12


def test_the_signed_rank_over_data_sets():
    random = np.random.default_rng(2)
    a = random.uniform(0.6, 0.9, 14)
    found = signed_rank(a + 0.05, a, rope=0.01, draws=4000)
    assert found.first > 0.99
    even = signed_rank(a + np.resize([0.05, -0.05], 14), a, rope=0.01, draws=20_000)
    assert even.first == pytest.approx(even.second, abs=0.02)
    close = signed_rank(a + np.resize([0.001, -0.001], 14), a, rope=0.01, draws=2000)
    assert close.rope > 0.99
    swapped = signed_rank(a, a + 0.05, rope=0.01, draws=4000)
    assert swapped.second == pytest.approx(found.first, abs=1e-12)
    assert sum(three(even)) == pytest.approx(1)


def test_what_is_refused():
    with pytest.raises(NotEstimableError, match="9 resamples are too few"):
        correlated_t(X[:9], Y[:9], rho=0.1)
    with pytest.raises(NotEstimableError, match="no spread"):
        correlated_t(X, X - 0.5, rho=0.1)
    with pytest.raises(DataError, match="rho is 1"):
        correlated_t(X, Y, rho=1)
    with pytest.raises(DataError, match="rope is"):
        correlated_t(X, Y, rho=0.1, rope=-0.1)
    with pytest.raises(DataError, match="row 3"):
        correlated_t(np.where(np.arange(10) == 3, np.nan, X), Y, rho=0.1)
    with pytest.raises(DataError, match="one length"):
        correlated_t(X, Y[:9], rho=0.1)
    with pytest.raises(NotEstimableError, match="share their training data"):
        signed_rank(X, Y, rows="folds")
    with pytest.raises(NotEstimableError, match="4 data sets"):
        signed_rank(X[:4], Y[:4])
