"""Forecasts of one model in each repeat: units that match between repeats, survival at the own time, means over repeats."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_waist import classes, curves_of, waist

from triptych.errors import NotEstimableError
from triptych.forecasts import Classes, Followed, averaged, forecasts, interval
from triptych.inference.estimate import Estimate


def of(table, model="a"):
    return table[table["model"] == model]


def test_units_have_the_same_codes_in_all_repeats():
    table = of(classes(repeats=3, scans=2)).sample(frac=1, random_state=4)
    found = forecasts(table, None, None)
    assert [type(one) for one in found] == [Classes] * 3
    for one in found:
        assert one.p.size == 120
        np.testing.assert_array_equal(np.unique(one.unit), np.arange(60))
    # the class of a person is the same in every repeat, so codes that moved would show
    first = {unit: y for unit, y in zip(found[0].unit, found[0].y, strict=True)}
    assert all(first[unit] == y for one in found for unit, y in zip(one.unit, one.y, strict=True))


def test_the_curve_nearest_to_the_horizon_counts():
    table = of(waist(repeats=1))
    curves = curves_of(table)
    (found,) = forecasts(table, curves, 1.1)
    np.testing.assert_array_equal(found.p, 1 - curves["1.0"])
    assert found.last == 1.5


def test_survival_at_the_own_time_is_linear_between_the_times_of_the_curve():
    table = of(waist(repeats=1)).head(4).assign(time=[0.25, 0.5, 1.25, 9.0])
    curves = curves_of(table)
    (found,) = forecasts(table, curves, 1.0)
    first, middle, last = (curves[t].to_numpy() for t in ("0.5", "1.0", "1.5"))
    expected = [(1 + first[0]) / 2, first[1], (middle[2] + last[2]) / 2, last[3]]
    np.testing.assert_allclose(found.own, expected, atol=1e-14)


def test_why_there_is_no_forecast():
    table = of(waist())
    with pytest.raises(NotEstimableError, match="no horizon"):
        forecasts(table, curves_of(table), None)
    for curves in (None, curves_of(table) * np.nan, curves_of(table)[["1.0"]]):
        with pytest.raises(NotEstimableError, match="a risk but no survival probabilities"):
            forecasts(table, curves, 1.0)
    scores = of(classes())
    with pytest.raises(NotEstimableError, match="a score but no probabilities"):
        forecasts(scores.drop(columns="p"), None, None)
    with pytest.raises(NotEstimableError, match="a score but no probabilities"):
        forecasts(scores.assign(p=np.nan), None, None)


def test_people_are_counted_once():
    (one,) = forecasts(of(classes(repeats=1, scans=3)), None, None)
    positive, negative = one.outcomes
    assert positive + negative == 60
    assert one.rarer == min(positive, negative)
    table = of(waist(repeats=1))
    both = table.loc[table.index.repeat(2)].reset_index(drop=True)
    (followed,) = forecasts(both, curves_of(both), 1.0)
    early = (table["time"] <= 1) & (table["event"] == 1)
    assert followed.outcomes == (early.sum(), (table["time"] > 1).sum())
    assert followed.rarer == table["event"].sum()


def test_without_censoring_the_two_kinds_agree():
    """Everyone followed beyond the horizon: the event by then is a class."""
    table = of(waist(n=300, repeats=1)).assign(event=1)
    (followed,) = forecasts(table, curves_of(table), 1.0)
    y = (table["time"] <= 1).to_numpy(float)
    same = Classes(followed.p, followed.unit, followed.fold, y)
    for name in ("brier", "log_ratio"):
        a, b = getattr(followed, name)(), getattr(same, name)()
        assert a.value == pytest.approx(b.value, abs=1e-12)
        np.testing.assert_allclose(a.influence, b.influence, atol=1e-12)
    assert followed.brier_of_one_risk() == pytest.approx(same.brier_of_one_risk(), abs=1e-12)
    assert followed.error(5).value == pytest.approx(same.error(5).value, abs=1e-12)
    a, b = followed.net_benefit(0.4), same.net_benefit(0.4)
    assert (a.model.value, a.treat_all.value) == pytest.approx((b.model.value, b.treat_all.value), abs=1e-12)
    for mine, theirs in zip(followed.groups(4), same.groups(4), strict=True):
        assert mine["n"] == theirs["n"]
        assert (mine["predicted"], mine["observed"]) == pytest.approx((theirs["predicted"], theirs["observed"]))


def test_limits_of_a_group_allow_for_several_rows_per_person():
    """Every row twice: the same groups, observed shares and (nearly) limits; three distinct predictions make the groups."""
    table = of(classes(n=240, repeats=1))
    (once,) = forecasts(table.assign(p=np.tile([0.2, 0.5, 0.8], 80)), None, None)
    twice = Classes(*(np.repeat(values, 2) for values in (once.p, once.unit, once.fold, once.y)))
    table = of(waist(n=240, repeats=1)).assign(risk=np.tile([-1.0, 0.0, 1.0], 80))
    both = table.loc[table.index.repeat(2)].reset_index(drop=True)
    (followed,), (doubled,) = forecasts(table, curves_of(table), 1.0), forecasts(both, curves_of(both), 1.0)
    for single, double in ((once, twice), (followed, doubled)):
        assert len(single.groups(3)) == 3
        for one, two in zip(single.groups(3), double.groups(3), strict=True):
            assert two["n"] == 2 * one["n"]
            assert two["observed"] == pytest.approx(one["observed"], abs=1e-12)
            assert two["high"] - two["low"] == pytest.approx(one["high"] - one["low"], rel=0.1)


def test_d_calibration_wants_one_row_per_person():
    table = of(waist(repeats=1))
    both = table.loc[table.index.repeat(2)].reset_index(drop=True)
    (followed,) = forecasts(both, curves_of(both), 1.0)
    assert isinstance(followed, Followed)
    with pytest.raises(NotEstimableError, match="independent rows"):
        followed.d_calibration()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_the_mean_over_repeats_keeps_each_person(seed, repeats):
    random = np.random.default_rng(seed)
    units = [np.sort(random.permutation(9)[: random.integers(2, 9)]) for _ in range(repeats)]
    estimates = [Estimate(float(random.normal()), random.normal(size=codes.size)) for codes in units]
    found = averaged(estimates, units)
    assert found.value == pytest.approx(np.mean([one.value for one in estimates]))
    assert found.influence.size == np.unique(np.concatenate(units)).size
    assert found.influence.sum() == pytest.approx(sum(one.influence.sum() for one in estimates) / repeats)


def test_the_same_repeat_twice_is_the_repeat():
    one = Estimate(0.3, np.array([0.1, -0.2, 0.1]))
    twice = averaged([one, one], [np.arange(3)] * 2)
    np.testing.assert_allclose(twice.influence, one.influence)
    assert twice.value == one.value


def test_repeats_that_differ_and_a_single_repeat_widen_the_interval():
    mean = Estimate(0.5, np.random.default_rng(0).normal(size=60) / 60)
    plain = interval(mean, [0.5], 1, 0.95)
    assert plain == mean.interval(level=0.95)
    alike, apart, single = (interval(mean, values, 5, 0.95) for values in ([0.5] * 4, [0.4, 0.6, 0.45, 0.55], [0.5]))
    assert alike.se == pytest.approx(plain.se)
    assert alike.se < apart.se <= single.se
    assert "variance between repeats" in apart.method
    with pytest.raises(NotEstimableError, match="19 patients are too few"):
        interval(Estimate(0.5, mean.influence[:19]), [0.5], 5, 0.95)
