"""Proportions and McNemar's tests against R, identities, refusals, and simulated coverage."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr

from triptych.errors import DataError, NotEstimableError
from triptych.inference.checks import numbers, unit_codes, unit_sums
from triptych.inference.comparisons import by_unit
from triptych.inference.proportions import (
    clopper_pearson,
    clustered_mcnemar,
    design_effect,
    mcnemar,
    modified_wilson,
    ratio_influence,
    ratio_of_sums,
    wilson,
    wilson_design_effect,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "inference.json").read_text())
seeds = st.integers(0, 10**6)


def ends(interval):
    return interval.low, interval.high


# ---- one row per unit ----------------------------------------------------------------------------


@pytest.mark.parametrize("k", range(4))
def test_one_proportion_as_in_r(k):
    x, n = [(81, 263), (15, 148), (0, 20), (1, 29)][k]
    assert ends(wilson(x, n, level=0.95)) == pytest.approx(GOLDEN["proportions"][k]["wilson"], abs=1e-12)
    exact = clopper_pearson(x, n, level=0.95)
    assert ends(exact) == pytest.approx(GOLDEN["proportions"][k]["clopper_pearson"], abs=1e-10)
    printed = [
        (0.2553, 0.3662, 0.2527, 0.3676),
        (0.0624, 0.1605, 0.0578, 0.1617),
        (0, 0.1611, 0, 0.1684),
        (0.0061, 0.1718, 0.0009, 0.1776),
    ]
    assert (*ends(wilson(x, n, level=0.95)), *ends(exact)) == pytest.approx(printed[k], abs=5e-5)


@given(n=st.integers(1, 400), share=st.floats(0, 1), level=st.floats(0.5, 0.999))
def test_wilson_stays_inside_and_mirrors(n, share, level):
    x = round(share * n)
    found, turned = wilson(x, n, level=level), wilson(n - x, n, level=level)
    assert 0 <= found.low <= x / n <= found.high <= 1
    assert found.low < found.high  # the normal interval, a default elsewhere, is a point at 0 and at n
    assert ends(turned) == pytest.approx((1 - found.high, 1 - found.low), abs=1e-12)


@pytest.mark.parametrize(("x", "n"), [(3, 2), (-1, 5), (0, 0), (np.nan, 3)])
@pytest.mark.parametrize("function", [wilson, modified_wilson, clopper_pearson])
def test_what_is_no_proportion(function, x, n):
    with pytest.raises(DataError, match="no proportion"):
        function(x, n, level=0.95)


@pytest.mark.parametrize(("x", "n"), [(1, 5), (2, 50), (1, 51), (3, 51)])
def test_few_rows_that_are_right_or_wrong_get_the_limit_of_a_poisson_count(x, n):
    """Half the quantile of chi-squared with 2x degrees of freedom is the count of which x and more are seen in 5 %."""
    few, plain = modified_wilson(x, n, level=0.95), wilson(x, n, level=0.95)
    assert stats.poisson.sf(x - 1, few.low * n) == pytest.approx(0.05)
    assert (few.low < plain.low, few.high) == (True, pytest.approx(plain.high))
    many, plain = modified_wilson(n - x, n, level=0.95), wilson(n - x, n, level=0.95)
    assert many.high == pytest.approx(1 - few.low)
    assert (many.low, many.value, many.se) == (plain.low, plain.value, plain.se)
    assert many.method == f"modified Wilson on {n} rows"


@pytest.mark.parametrize(("x", "n"), [(0, 5), (5, 5), (3, 50), (47, 50), (4, 51), (47, 51), (81, 263)])
def test_other_counts_are_left_to_wilson(x, n):
    assert modified_wilson(x, n, level=0.95) == wilson(x, n, level=0.95)


@pytest.mark.parametrize("n", [5, 10, 30, 51, 100])
def test_one_wrong_row_no_longer_costs_the_promise(n):
    """Shares of such intervals that hold a proportion, summed over all counts, for every proportion."""
    proportion, x = np.append(np.geomspace(1e-4, 0.05, 400), np.linspace(0.05, 0.5, 200)), np.arange(n + 1)

    def lowest(function):
        made = np.array([ends(function(int(count), n, level=0.95)) for count in x])
        holds = (made[:, :1] <= proportion) & (proportion <= made[:, 1:])
        return (stats.binom.pmf(x[:, None], n, proportion) * holds).sum(axis=0).min()

    assert lowest(wilson) < 0.87
    assert lowest(modified_wilson) > 0.905


# ---- ratios over units ---------------------------------------------------------------------------


@given(seeds)
@settings(max_examples=25)
def test_singletons_have_the_plain_variance(seed):
    s = np.random.default_rng(seed).random(50) < 0.7
    s[:2] = 0, 1
    found, p = ratio_of_sums(s, np.ones(50), level=0.95), s.mean()
    assert found.value == pytest.approx(p)
    assert found.se**2 == pytest.approx(p * (1 - p) / 49, rel=1e-12)
    assert design_effect(s, np.ones(50)).deff == pytest.approx(50 / 49, rel=1e-12)
    assert np.isnan(design_effect(s, np.ones(50)).icc)


def test_the_logit_t_interval_by_hand():
    random = np.random.default_rng(3)
    k = random.integers(1, 6, 30)
    s = random.binomial(k, 0.8)
    th = s.sum() / k.sum()
    se = np.sqrt(30 / 29 * np.sum((s - th * k) ** 2)) / k.sum()
    half = stats.t.ppf(0.975, 29) * se / (th * (1 - th))
    expected = 1 / (1 + np.exp(-(np.log(th / (1 - th)) + np.array([-half, half]))))
    found = ratio_of_sums(s, k, level=0.95)
    assert (found.se, found.df) == (pytest.approx(se, rel=1e-12), 29)
    assert ends(found) == pytest.approx(expected, rel=1e-12)
    raw = ratio_of_sums(s, k, level=0.95, scale="identity")
    assert raw.high - raw.low == pytest.approx(2 * stats.t.ppf(0.975, 29) * se, rel=1e-12)


@given(seeds, st.integers(2, 5))
@settings(max_examples=25)
def test_rows_repeated_in_their_unit_tell_nothing_new(seed, m):
    random = np.random.default_rng(seed)
    right, unit = random.random(60) < 0.6, random.integers(0, 25, 60)
    unit[:25] = np.arange(25)
    right[:2] = 0, 1
    once = ratio_of_sums(*unit_sums(right, unit), level=0.95)
    more = ratio_of_sums(*unit_sums(np.repeat(right, m), np.repeat(unit, m)), level=0.95)
    assert (more.se, *ends(more)) == pytest.approx((once.se, *ends(once)), rel=1e-10)
    order = random.permutation(60)
    named = np.array([f"p{99 - u}" for u in unit])
    again = ratio_of_sums(*unit_sums(right[order], named[order]), level=0.95)
    assert ends(again) == pytest.approx(ends(once), rel=1e-10)
    assert design_effect(*unit_sums(np.repeat(right, m), np.repeat(unit, m))).deff == pytest.approx(
        m * design_effect(*unit_sums(right, unit)).deff
    )


def test_full_dependence_leaves_one_row_per_unit():
    s = np.repeat([0, 4], [10, 30])
    found = design_effect(s, np.full(40, 4))
    assert found.deff == pytest.approx(4 * 40 / 39)
    assert found.n_eff == pytest.approx(39)
    assert found.icc == 1
    made = wilson_design_effect(s, np.full(40, 4), level=0.95)
    assert ends(made) == pytest.approx(ends(wilson(0.75 * 39, 39, level=0.95)))
    assert "39.0 effective rows" in made.method


def test_the_correlation_explains_the_design_effect_of_unequal_units():
    k = np.array([1, 2, 3, 6] * 10)
    s = np.random.default_rng(0).binomial(k, 0.5)
    found = design_effect(s, k)
    assert found.deff == pytest.approx(1 + (np.sum(k**2) / k.sum() - 1) * found.icc) or found.icc in (0, 1)
    random = np.random.default_rng(1)
    k = 1 + random.poisson(3, 20_000)
    alike = random.random(20_000) < 0.5  # half of the units answer as one, the others row by row
    s = np.where(alike, k * (random.random(20_000) < 0.7), random.binomial(k, 0.7))
    assert design_effect(s, k).icc == pytest.approx(0.5, abs=0.03)


def test_a_share_next_to_none_is_clipped():
    s = np.full(30, 1e-4)
    s[:2] = 0, 2e-4
    found = ratio_of_sums(s, np.ones(30), level=0.95)
    assert found.value == pytest.approx(1e-4)
    edge = 0.5 / 30
    half = stats.t.ppf(0.975, 29) * found.se / (edge * (1 - edge))
    assert found.high == pytest.approx(1 / (1 + np.exp(-(np.log(edge / (1 - edge)) + half))), rel=1e-9)


@pytest.mark.parametrize("right", [0, 1])
def test_rows_all_alike_have_no_interval_of_width_zero(right):
    k = np.full(25, 4)
    for made in (ratio_of_sums(right * k, k, level=0.95), wilson_design_effect(right * k, k, level=0.95)):
        assert made.value == right
        assert ends(made) == ends(wilson(25 * right, 25, level=0.95))
        assert "25 patients" in made.method
    with pytest.raises(NotEstimableError, match="alike"):
        design_effect(right * k, k)


def test_units_too_few_or_wrong():
    with pytest.raises(NotEstimableError, match=r"19 patients are too few.*at least 20"):
        ratio_of_sums(np.ones(19), np.full(19, 2), level=0.95)
    with pytest.raises(NotEstimableError, match="4 sites"):
        ratio_of_sums(np.ones(4), np.full(4, 2), level=0.95, unit="site")
    with pytest.raises(DataError, match="k is 0 in row 3; leave out"):
        ratio_influence(np.zeros(5), [1, 1, 1, 0, 1])
    with pytest.raises(DataError, match="s is 3 of 2 in row 1"):
        ratio_of_sums([1, 3], [2, 2], level=0.95)
    with pytest.raises(DataError, match="s has 2 rows where there must be 3"):
        ratio_influence([1, 3], [2, 2, 2])


def test_columns_and_labels_are_checked():
    with pytest.raises(DataError, match="x is missing in row 1"):
        numbers([0, np.nan], "x")
    with pytest.raises(DataError, match="x is infinite in row 0"):
        numbers([np.inf, 0], "x")
    with pytest.raises(DataError, match=r"shape \(0,\)"):
        numbers([], "x")
    with pytest.raises(DataError, match="missing in row 2"):
        unit_codes(np.array(["a", "b", None], dtype=object), 3)
    with pytest.raises(DataError, match="missing in row 0"):
        unit_codes([np.nan, 1.0], 2)
    with pytest.raises(DataError, match="3 rows"):
        unit_codes([1, 2], 3)


# ---- McNemar -------------------------------------------------------------------------------------


def test_mcnemar_as_in_r():
    found = mcnemar(86, 150)
    for name, value in GOLDEN["mcnemar"].items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-11), name
    assert (found.chi2, found.chi2_corrected) == pytest.approx((17.35593220339, 16.81779661017), abs=1e-9)
    assert (found.p_exact, found.p_mid) == pytest.approx((3.7159361e-05, 2.8933895e-05), abs=1e-11)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_does_not_know_who_is_first(a, b):
    if a + b == 0:
        return
    found = mcnemar(a, b)
    assert found == mcnemar(b, a)
    assert found.p_exact == pytest.approx(stats.binomtest(a, a + b).pvalue, rel=1e-9)
    assert 0 < found.p_mid <= found.p_exact <= 1
    assert found.p_chi2 <= found.p_corrected  # two tests, two names: elsewhere the corrected one is a silent default


def test_mid_p_counts_what_was_seen_by_one_half():
    for a, b in ((3, 3), (2, 4), (0, 6)):
        seen = stats.binom.pmf(np.arange(7), 6, 0.5)
        as_far, farther = np.abs(np.arange(7) - 3) == abs(a - 3), np.abs(np.arange(7) - 3) > abs(a - 3)
        assert mcnemar(a, b).p_mid == pytest.approx(seen[farther].sum() + seen[as_far].sum() / 2)


def test_clustered_mcnemar_of_singletons_is_mcnemar():
    d = np.repeat([1, -1, 0], [86, 150, 794 + 570])
    found = clustered_mcnemar(d, np.ones(1600), level=0.95)
    assert found.statistic**2 == pytest.approx(17.3559322034, abs=1e-9)
    assert found.p == pytest.approx(GOLDEN["mcnemar"]["p_chi2"], rel=1e-9)
    assert found.interval.value == pytest.approx(-64 / 1600)
    turned = clustered_mcnemar(-d, np.ones(1600), level=0.95)
    assert (turned.statistic, turned.p) == (-found.statistic, found.p)
    assert ends(turned.interval) == pytest.approx((-found.interval.high, -found.interval.low))


def test_clustered_mcnemar_refuses():
    with pytest.raises(NotEstimableError, match="do not differ on any patient"):
        clustered_mcnemar(np.zeros(30), np.ones(30), level=0.95)
    with pytest.raises(NotEstimableError, match="19 patients"):
        clustered_mcnemar(np.ones(19), np.ones(19), level=0.95)
    with pytest.raises(DataError, match="row 2"):
        clustered_mcnemar([0, 1, 2], [1, 1, 1], level=0.95)
    with pytest.raises(NotEstimableError, match="do not differ on any row"):
        mcnemar(0, 0)
    with pytest.raises(DataError, match="no counts"):
        mcnemar(-1, 3)


def test_influences_of_two_ratios_fit_the_paired_test():
    random = np.random.default_rng(5)
    unit = np.repeat(np.arange(40), 3)
    right = random.random((120, 2)) < [0.9, 0.6]
    (a, ia), (b, ib) = (ratio_influence(*unit_sums(right[:, j], unit)) for j in (0, 1))
    found = by_unit(a, b, ia, ib, level=0.95)
    d, k = unit_sums(right[:, 0].astype(int) - right[:, 1], unit)
    assert ends(found.interval) == pytest.approx(ends(clustered_mcnemar(d, k, level=0.95).interval), rel=1e-12)


# ---- do they keep their promise? (cells of table 3.1: 50 patients, rho .8) ------------------------


def test_coverage_with_repeated_scans():
    random, hits = np.random.default_rng(20), np.zeros(3)
    truth = ndtr(0.75)
    for _ in range(200):
        k = 1 + random.poisson(3, 50)
        unit = np.repeat(np.arange(50), k)
        y = unit < 25
        patient = random.normal(size=50)[unit]
        score = 1.5 * y + np.sqrt(0.8) * patient + np.sqrt(0.2) * random.normal(size=unit.size)
        s, k = unit_sums((score > 0.75) == y, unit)
        made = (
            ratio_of_sums(s, k, level=0.95),
            wilson_design_effect(s, k, level=0.95),
            wilson(s.sum(), k.sum(), level=0.95),
        )
        hits += [interval.low <= truth <= interval.high for interval in made]
    for covered, measured in zip(hits / 200, (0.960, 0.945, 0.730), strict=True):
        assert abs(covered - measured) < 3 * np.sqrt(measured * (1 - measured) * (1 / 200 + 1 / 1000))
