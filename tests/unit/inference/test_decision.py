"""Net benefit by hand, its identities, the survival version without censoring, and influences as derivatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import DataError, NotEstimableError
from triptych.inference.decision import decision_curve, decision_curve_by, net_benefit, net_benefit_by


def data(seed, n=80):
    random = np.random.default_rng(seed)
    p = random.uniform(0.02, 0.98, n).round(2)
    hidden, censored = random.exponential(-1 / np.log1p(-p)), random.exponential(3, n)
    return np.minimum(hidden, censored), hidden <= censored, hidden <= 1, p, random.integers(0, 30, n)


def test_by_hand():
    y, p = np.array([1, 0, 1, 0, 1, 0, 0, 0, 0, 0]), np.array([0.9, 0.8, 0.5, 0.25, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1])
    found = net_benefit(y, p, 0.25)
    assert found.model.value == pytest.approx(2 / 10 - 2 / 10 / 3)  # 0.25 is at the threshold, and so positive
    assert found.treat_all.value == pytest.approx(0.3 - 0.7 / 3)
    assert found.gain.value == pytest.approx(found.model.value - found.treat_all.value)
    assert found.positive == 0.4


def test_treating_all_is_worth_nothing_at_the_prevalence():
    _, _, y, p, _ = data(0)
    assert net_benefit(y, p, y.mean()).treat_all.value == pytest.approx(0, abs=1e-15)
    with_none = net_benefit(y, np.zeros(y.size), 0.3)
    assert with_none.model.value == 0
    assert np.all(with_none.model.influence == 0)
    with_all = net_benefit(y, np.ones(y.size), 0.3)
    assert with_all.gain.value == 0
    assert net_benefit(y, y.astype(float), 0.3).model.value == pytest.approx(y.mean())  # nothing is better


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 0.95))
def test_without_censoring_both_versions_agree(seed, threshold):
    time, _, _, p, units = data(seed)
    y = time <= 1
    binary = net_benefit(y, p, threshold, units)
    seen = np.ones(y.size, dtype=bool)
    try:
        found = net_benefit_by(time, seen, p, 1, threshold, units)
    except NotEstimableError:
        return
    for one, other in ((binary.model, found.model), (binary.treat_all, found.treat_all), (binary.gain, found.gain)):
        assert one.value == pytest.approx(other.value, abs=1e-12)
        np.testing.assert_allclose(one.influence, other.influence, atol=1e-12)


def test_the_influence_of_the_survival_version_is_the_jackknife():
    time, event, _, p, _ = data(3, 300)
    found = net_benefit_by(time, event, p, 1, 0.4)
    for row in (0, 5, 17, 200):
        keep = np.arange(300) != row
        without = net_benefit_by(time[keep], event[keep], p[keep], 1, 0.4)
        for one, other in ((found.model, without.model), (found.gain, without.gain)):
            assert one.value - other.value == pytest.approx(one.influence[row], rel=0.03, abs=2e-5)


def test_the_interval_by_unit_and_a_monotone_curve_for_treating_all():
    time, event, y, p, units = data(4, 200)
    grid = np.linspace(0.1, 0.6, 6)
    for curve in (decision_curve(y, p, grid, units), decision_curve_by(time, event, p, 1, grid, units)):
        assert np.all(np.diff(curve.treat_all) < 0)
        assert curve.model.shape == (6,)
        interval = curve.at[2].model.interval()
        assert interval.df == np.unique(units).size - 1
        assert interval.low < curve.model[2] < interval.high


def test_a_threshold_without_a_value_keeps_its_reason():
    time, event, p = np.array([1.0, 2, 5, 6]), np.array([1, 0, 1, 0]), np.array([0.9, 0.9, 0.2, 0.1])
    curve = decision_curve_by(time, event, p, 4, [0.05, 0.5, 0.95])
    assert np.isnan(curve.model).tolist() == [False, True, False]
    assert "no one was followed until 4" in str(curve.at[1])
    assert curve.model[2] == 0  # no one is positive


def test_coverage_with_repeated_rows():
    random = np.random.default_rng(7)
    hits = np.zeros(2)
    for _ in range(300):
        z = np.repeat(random.normal(0, 1, 60), 4)
        p = 1 / (1 + np.exp(-z))
        y = np.repeat(random.random(60), 4) < p
        positive = 1 / (1 + np.exp(-(wide := np.linspace(-5, 5, 4001)))) >= 0.3
        worth = 1 / (1 + np.exp(-wide)) - (1 - 1 / (1 + np.exp(-wide))) * 0.3 / 0.7
        truth = np.sum(worth * positive * np.exp(-(wide**2) / 2)) / np.sum(np.exp(-(wide**2) / 2))
        for k, units in enumerate((np.repeat(np.arange(60), 4), None)):
            interval = net_benefit(y, p, 0.3, units).model.interval()
            hits[k] += interval.low <= truth <= interval.high
    assert hits[0] / 300 > 0.915
    assert hits[1] / 300 < 0.8


@pytest.mark.parametrize("threshold", [0, 1, np.nan])
def test_what_is_refused(threshold):
    with pytest.raises(DataError, match="threshold is"):
        net_benefit([0, 1], [0.2, 0.3], threshold)
    with pytest.raises(DataError, match="p is 3 in row 1"):
        net_benefit_by([1, 2], [0, 1], [0.2, 3], 1, 0.5)
