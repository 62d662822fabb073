"""Intervals, paired tests and Holm against hand computation, scipy, known answers, and simulated coverage."""

import numpy as np
import pytest
from scipy import stats

from triptych.errors import NotEstimableError
from triptych.inference.comparisons import by_resample, by_site, by_unit, holm
from triptych.inference.intervals import (
    caution,
    few_carry,
    from_influence,
    over_resamples,
    over_sites,
    score_over_sites,
)
from triptych.survival.concordance import harrell

X = np.array([0.80, 0.85, 0.78, 0.90, 0.83, 0.79, 0.88, 0.84, 0.81, 0.86])
Y = np.array([0.78, 0.82, 0.80, 0.85, 0.80, 0.77, 0.86, 0.80, 0.80, 0.83])


# ---- intervals -----------------------------------------------------------------------------------


def test_the_influence_of_a_mean_gives_the_t_interval():
    x = np.random.default_rng(0).normal(3, 2, 25)
    found = from_influence(x.mean(), (x - x.mean()) / 25, level=0.95, scale="identity")
    low, high = stats.t.interval(0.95, 24, x.mean(), stats.sem(x))
    assert (found.value, found.low, found.high) == pytest.approx((x.mean(), low, high), rel=1e-12)
    assert found.se == pytest.approx(stats.sem(x), rel=1e-12)
    assert found.df == 24
    assert "24 degrees of freedom" in found.method


def test_the_logit_interval_by_hand():
    influence = np.resize([0.01, -0.01], 30)
    found = from_influence(0.9, influence, level=0.9, scale="logit")
    se = np.sqrt(30 / 29 * 30 * 1e-4)
    half = stats.t.ppf(0.95, 29) * se / (0.9 * 0.1)
    assert found.se == pytest.approx(se)
    assert found.low == pytest.approx(1 / (1 + np.exp(-(np.log(9) - half))))
    assert found.high == pytest.approx(1 / (1 + np.exp(-(np.log(9) + half))))
    assert 0 < found.low < 0.9 < found.high < 1
    plain = from_influence(0.9, influence, level=0.9, scale="identity")
    assert plain.high - plain.low == pytest.approx(2 * stats.t.ppf(0.95, 29) * se)
    assert "logit" in found.method
    assert "logit" not in plain.method


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_perfect_value_has_an_interval_that_is_finite(value):
    found = from_influence(value, np.full(30, 0.001), level=0.95, scale="logit")
    assert np.isfinite([found.low, found.high]).all()


def test_a_higher_level_is_wider():
    influence = np.resize([0.01, -0.01], 40)
    found = [from_influence(0.7, influence, level=level, scale="logit") for level in (0.8, 0.95, 0.99)]
    widths = [interval.high - interval.low for interval in found]
    assert widths == sorted(widths)
    assert widths[0] < widths[1] < widths[2]


def _ends(interval):
    return np.array([interval.low, interval.high])


def test_sites_are_a_t_interval_over_their_values():
    values = np.array([0.61, 0.7, 0.66, 0.58, 0.72])
    found = over_sites(values, level=0.95)
    assert (found.low, found.high) == pytest.approx(
        stats.t.interval(0.95, 4, values.mean(), stats.sem(values)), rel=1e-12
    )
    assert (found.value, found.df) == (pytest.approx(values.mean()), 4)


def test_scores_of_sites_that_all_vary_alike_are_a_t_interval_on_their_scale():
    values = np.array([0.61, 0.7, 0.66, 0.58, 0.72])
    found = score_over_sites(values, level=0.95, scale="identity")
    assert (*_ends(found), found.df) == pytest.approx((*_ends(over_sites(values, level=0.95)), 4))
    half = stats.t.ppf(0.975, 4) * stats.sem(values) / (values.mean() * (1 - values.mean()))
    odds = np.log(values.mean() / (1 - values.mean())) + half * np.array([-1, 1])
    assert _ends(score_over_sites(values, level=0.95, scale="logit")) == pytest.approx(1 / (1 + np.exp(-odds)))


def test_few_sites_that_carry_the_variance_cost_degrees_of_freedom_and_caution():
    """Nine hospitals of AUC 1 and one of .9: the sum of squares is that of one hospital, as if two had been seen."""
    values = np.array([0.9, *[1.0] * 9])
    found, plain = score_over_sites(values, level=0.95, scale="identity"), over_sites(values, level=0.95)
    squares = np.square(values - values.mean())
    df = 2 * squares.sum() ** 2 / (10 / 9 * np.sum(np.square(squares - squares.mean())))
    assert found.df == pytest.approx(df)
    assert 2 < df < 3
    assert found.se == pytest.approx(plain.se * np.sqrt(1 + 5 * (1 / df - 1 / 9)))
    assert "t over sites with 2.53 degrees of freedom" in found.method
    with pytest.raises(NotEstimableError, match="4 sites are not informative"):
        score_over_sites(values[:4], level=0.95, scale="logit")
    assert score_over_sites(np.ones(5), level=0.95, scale="logit").se == 0


def test_caution_begins_where_too_few_carry_the_variance():
    assert (caution(20, 20), caution(300, 20)) == (1, 1)
    assert caution(19.9, 20) > 1
    assert caution(4, 20) == pytest.approx(np.sqrt(2))


def test_few_carry_counts_by_group():
    """Of two groups of normal values Satterthwaite's degrees of freedom, of k equal errors among many 2k."""
    a, b = (np.square(np.array(x)) for x in ([-1.0, 1.0, -1.0, 1.0], [-3.0, 3.0, -3.0]))
    squares, codes = np.append(a, b), np.repeat([0, 1], [4, 3])
    known = (a.sum() + b.sum()) ** 2 / (a.sum() ** 2 / 3 + b.sum() ** 2 / 2)
    assert few_carry(squares, np.array([4, 3]), codes) == pytest.approx(known)
    errors = np.repeat([1.0, 0.0], [3, 997])
    assert few_carry(errors, np.array([1000]), np.zeros(1000, int)) == pytest.approx(6, rel=0.01)


def test_resamples_by_nadeau_and_bengio():
    found = over_resamples(X - Y, ratio=1 / 9, level=0.95)
    assert (found.low, found.high) == pytest.approx((0.00337048, 0.04262952), abs=5e-9)
    assert found.se == pytest.approx(np.sqrt((1 / 10 + 1 / 9) * np.var(X - Y, ddof=1)), rel=1e-12)
    assert found.df == 9


def test_what_is_too_few_is_refused():
    with pytest.raises(NotEstimableError, match="19 patients are too few"):
        from_influence(0.7, np.ones(19), level=0.95, scale="logit")
    assert from_influence(0.7, np.full(20, 0.01), level=0.95, scale="logit").df == 19
    with pytest.raises(NotEstimableError, match="4 sites are not informative"):
        over_sites(X[:4], level=0.95)
    assert over_sites(X[:5], level=0.95).df == 4
    with pytest.raises(NotEstimableError, match="9 resamples are too few"):
        over_resamples(X[:9], ratio=0.25, level=0.95)
    assert over_resamples(X, ratio=0.25, level=0.95).df == 9


# ---- paired tests --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "t", "p"), [(1 / 9, 2.650580684228, 0.026451010362), (1 / 4, 2.058555367307, 0.069642823257)]
)
def test_the_corrected_t_of_nadeau_and_bengio(ratio, t, p):
    found = by_resample(X, Y, ratio=ratio, level=0.95)
    assert found.statistic == pytest.approx(t, abs=1e-11)
    assert found.p == pytest.approx(p, abs=1e-11)
    assert found.interval.value == pytest.approx(0.023)
    assert found.interval.df == 9


def test_without_the_correction_it_is_the_paired_t_of_scipy():
    found = by_resample(X, Y, ratio=0.0, level=0.95)
    known = stats.ttest_rel(X, Y)
    assert (found.statistic, found.p) == pytest.approx((known.statistic, known.pvalue), rel=1e-10)
    sites = by_site(X, Y, level=0.95)
    assert (sites.statistic, sites.p) == pytest.approx((known.statistic, known.pvalue), rel=1e-10)


def test_units_are_the_paired_t_of_scipy_for_means():
    random = np.random.default_rng(1)
    a = random.normal(size=40)
    b = a + random.normal(0.3, 0.5, 40)
    found = by_unit(a.mean(), b.mean(), (a - a.mean()) / 40, (b - b.mean()) / 40, level=0.95)
    known = stats.ttest_rel(a, b)
    assert (found.statistic, found.p) == pytest.approx((known.statistic, known.pvalue), rel=1e-10)
    assert _ends(found.interval) == pytest.approx(list(known.confidence_interval(0.95)), rel=1e-10)
    turned = by_unit(b.mean(), a.mean(), (b - b.mean()) / 40, (a - a.mean()) / 40, level=0.95)
    assert (turned.statistic, turned.p) == pytest.approx((-found.statistic, found.p))


def test_models_that_never_differ_are_not_compared():
    influence = np.linspace(-1, 1, 30)
    with pytest.raises(NotEstimableError, match="do not differ"):
        by_unit(0.7, 0.7, influence, influence.copy(), level=0.95)
    with pytest.raises(NotEstimableError, match="do not differ"):
        by_site(X[:6], X[:6], level=0.95)
    with pytest.raises(NotEstimableError, match="do not differ"):
        by_resample(X, X, ratio=0.25, level=0.95)


@pytest.mark.parametrize(
    ("p", "corrected"),
    [
        ([0.01, 0.02, 0.03, 0.04], [0.04, 0.06, 0.06, 0.06]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.5, 0.6], [1.0, 1.0]),
        ([0.03], [0.03]),
        ([], []),
        ([0.02, np.nan, 0.01], [0.02, np.nan, 0.02]),  # two were made, not three
    ],
)
def test_holm(p, corrected):
    np.testing.assert_allclose(holm(np.array(p)), corrected, rtol=1e-12)


# ---- do they keep their promise? -----------------------------------------------------------------


def survival(random, n, effects):
    """Outcome and one risk score per effect, all fixed before the data."""
    scores = random.normal(size=(n, len(effects)))
    hidden = random.exponential(np.exp(-scores @ np.array(effects)))
    censored = random.exponential(2.0, n)
    return np.minimum(hidden, censored), hidden <= censored, scores


def test_the_interval_of_harrells_c_covers_the_truth():
    random = np.random.default_rng(20)
    truth = np.mean([harrell(*_one(random, 2000), influence=False).c for _ in range(40)])
    hits = 0
    for _ in range(400):
        found = harrell(*_one(random, 100))
        interval = from_influence(found.c, found.influence, level=0.95, scale="logit")
        hits += interval.low <= truth <= interval.high
    assert 0.92 <= hits / 400 <= 0.98


def _one(random, n):
    time, event, scores = survival(random, n, [0.8])
    return time, event, scores[:, 0]


def test_two_scores_of_equal_worth_are_rarely_told_apart():
    random = np.random.default_rng(30)
    rejected = 0
    for _ in range(400):
        time, event, scores = survival(random, 100, [0.6, 0.6])
        a, b = (harrell(time, event, scores[:, k]) for k in (0, 1))
        rejected += by_unit(a.c, b.c, a.influence, b.influence, level=0.95).p < 0.05
    assert 0.02 <= rejected / 400 <= 0.08


def test_two_scores_of_unequal_worth_are_told_apart():
    time, event, scores = survival(np.random.default_rng(31), 200, [1.0, 0.0])
    a, b = (harrell(time, event, scores[:, k]) for k in (0, 1))
    found = by_unit(a.c, b.c, a.influence, b.influence, level=0.95)
    assert found.p < 1e-6
    assert found.interval.low > 0
