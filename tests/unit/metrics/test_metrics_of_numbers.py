"""Metrics of numbers: peers, units, and what the mean of the rows gets."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_held import numbers
from sklearn.metrics import mean_absolute_error, r2_score

from triptych.errors import NotEstimableError
from triptych.metrics._held import HeldNumbers
from triptych.plugins import load


def value(name, held):
    return load("metrics", name).contributions(held)[0]


@st.composite
def rows(draw):
    n = draw(st.integers(3, 20))
    some = st.lists(st.integers(-100, 100), min_size=n, max_size=n)
    y = draw(some.filter(lambda v: len(set(v)) > 1))
    return HeldNumbers(np.array(y, float), np.array(draw(some), float), np.arange(n) % 2)


@settings(max_examples=60, deadline=None)
@given(rows())
def test_values_are_those_of_scikit_learn(held):
    assert value("mae", held) == pytest.approx(mean_absolute_error(held.y, held.predicted), abs=1e-12)
    assert value("r2", held) == pytest.approx(r2_score(held.y, held.predicted), rel=1e-12, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(rows(), st.floats(0.01, 1000), st.floats(-1000, 1000))
def test_another_unit(held, scale, shift):
    """An error is in the unit of the outcome; explained variance has none."""
    other = replace(held, y=held.y * scale + shift, predicted=held.predicted * scale + shift)
    assert value("mae", other) == pytest.approx(scale * value("mae", held), rel=1e-9, abs=1e-9)
    assert value("r2", other) == pytest.approx(value("r2", held), rel=1e-7, abs=1e-7)


def test_the_mean_explains_nothing_and_the_truth_everything():
    held = numbers()
    assert value("r2", replace(held, predicted=np.full(120, held.y.mean()))) == pytest.approx(0, abs=1e-12)
    assert value("r2", replace(held, predicted=held.y)) == 1.0
    assert value("r2", replace(held, predicted=2 * held.y.mean() - held.y)) == pytest.approx(-3.0, rel=1e-12)
    assert value("mae", replace(held, predicted=held.y)) == 0.0
    assert value("mae", replace(held, predicted=held.y + 2.5)) == pytest.approx(2.5, rel=1e-12)


def test_the_variance_of_a_mean_error_is_that_of_a_mean():
    held = numbers()
    error = np.abs(held.predicted - held.y)
    influence = load("metrics", "mae").contributions(held)[1]
    assert np.square(influence).sum() == pytest.approx(error.var() / 120, rel=1e-12)


def test_explained_variance_by_the_delta_method():
    """1 - e/o has the variance (e/o)^2 (var e / e^2 + var o / o^2 - 2 cov / (e o)) / n for means e and o."""
    held = numbers()
    error, own = np.square(held.predicted - held.y), np.square(held.y - held.y.mean())
    e, o, cov = error.mean(), own.mean(), np.cov(error, own, ddof=0)
    expected = (e / o) ** 2 * (cov[0, 0] / e**2 + cov[1, 1] / o**2 - 2 * cov[0, 1] / (e * o)) / 120
    influence = load("metrics", "r2").contributions(held)[1]
    assert np.square(influence).sum() == pytest.approx(expected, rel=1e-10)


def test_no_variance_to_explain():
    held = replace(numbers(), y=np.full(120, 5.0))
    with pytest.raises(NotEstimableError, match=r"^the outcome is the same in all these rows$"):
        value("r2", held)
    assert np.isfinite(value("mae", held))
