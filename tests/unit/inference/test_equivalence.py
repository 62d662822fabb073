"""TOST, non-inferiority and the verdict against known answers and their identities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from triptych.errors import DataError, NotEstimableError
from triptych.inference.comparisons import by_resample
from triptych.inference.equivalence import non_inferiority, tost, verdict
from triptych.inference.intervals import Interval

X = np.array([0.80, 0.85, 0.78, 0.90, 0.83, 0.79, 0.88, 0.84, 0.81, 0.86])
Y = np.array([0.78, 0.82, 0.80, 0.85, 0.80, 0.77, 0.86, 0.80, 0.80, 0.83])
PAIRED = by_resample(X, Y, ratio=0.0, level=0.95).interval


def estimate(value, se, df=30.0):
    return Interval(value, np.nan, np.nan, se, df, "given")


def test_the_known_answers():
    found = tost(PAIRED, 0.05)
    assert found.p == pytest.approx(0.000722381640, abs=1e-12)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.012052361, 0.033947639), abs=1e-9)
    assert found.equivalent
    narrow = tost(PAIRED, 0.03)
    assert narrow.p == pytest.approx(0.135623056041, abs=1e-12)
    assert not narrow.equivalent


@settings(max_examples=150, deadline=None)
@given(st.floats(-1, 1), st.floats(0.01, 1), st.floats(0.01, 1), st.sampled_from([4.0, 30.0, np.inf]))
def test_tost_is_the_90_percent_interval_inside_the_margin(value, se, margin, df):
    found = tost(estimate(value, se, df), margin)
    inside = -margin < found.interval.low and found.interval.high < margin
    assert found.equivalent == inside or found.p == pytest.approx(0.05, abs=1e-9)
    mirrored = tost(estimate(-value, se, df), margin)
    assert mirrored.p == pytest.approx(found.p)
    one, other = (non_inferiority(estimate(v, se, df), margin).p for v in (value, -value))
    assert max(one, other) == pytest.approx(found.p)


def test_non_inferiority_is_one_side():
    found = non_inferiority(estimate(-0.01, 0.01, 40), 0.04)
    assert found.p == pytest.approx(stats.t.sf(3, 40))
    assert found.non_inferior == (found.lower > -0.04)
    # an error score: 0.03 more is worse
    assert non_inferiority(estimate(0.03, 0.01, 40), 0.02, higher_is_better=False).non_inferior is False
    assert non_inferiority(estimate(0.03, 0.01, 40), 0.02).non_inferior is True


@pytest.mark.parametrize(
    ("value", "se", "word", "differs"),
    [
        (0.10, 0.02, "better", True),
        (-0.10, 0.02, "worse", True),
        (0.00, 0.01, "equivalent", False),
        (0.02, 0.005, "equivalent", True),  # real, and too small to matter
        (0.00, 0.10, "undecided", False),  # p is 1, and that is no equivalence
        (0.04, 0.03, "undecided", False),
    ],
)
def test_the_verdict(value, se, word, differs):
    found = verdict(estimate(value, se), 0.05)
    assert (found.word, found.differs) == (word, differs)
    turned = verdict(estimate(-value, se), 0.05, higher_is_better=False)
    assert (turned.word, turned.differs) == (word, differs)


def test_a_margin_that_would_never_be_reached_and_what_is_refused():
    with pytest.raises(DataError, match="margin is 0"):
        tost(PAIRED, 0)
    with pytest.raises(DataError, match="alpha is"):
        verdict(PAIRED, 0.05, alpha=0.6)
    with pytest.raises(NotEstimableError, match="no standard error"):
        tost(estimate(0.1, 0.0), 0.05)


def test_at_the_margin_equivalence_is_claimed_at_most_at_its_level():
    random = np.random.default_rng(3)
    d = random.normal(0.05, 0.1, (4000, 30))
    claims = [tost(estimate(row.mean(), row.std(ddof=1) / np.sqrt(30), 29), 0.05).equivalent for row in d]
    assert 0.03 < np.mean(claims) < 0.065
