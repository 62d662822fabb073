"""Bootstrap of whole units against R's boot, brute force, refusals, and simulated coverage."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr

from triptych.errors import DataError, NotEstimableError
from triptych.inference.auc import auc_interval, delong, obuchowski
from triptych.inference.bootstrap import (
    acceleration,
    auc_bootstrap,
    auc_replicates,
    bca_limits,
    cluster_bootstrap,
    draw_counts,
    label_strata,
    percentile_limits,
)
from triptych.inference.checks import unit_sums
from triptych.inference.proportions import ratio_of_sums

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "inference.json").read_text())["city"]
U = np.array([138, 93, 61, 179, 48, 37, 29, 23, 30, 2.0])
X = np.array([143, 104, 69, 260, 75, 63, 50, 48, 111, 50.0])


def repeated(seed, patients=60):
    random = np.random.default_rng(seed)
    unit = np.repeat(np.arange(patients), random.integers(1, 6, patients))
    return unit, random.normal(size=patients)[unit] + 0.3 * random.normal(size=unit.size)


# ---- BCa -----------------------------------------------------------------------------------------


def ratios(counts):
    return counts @ X / (counts @ U)


def test_bca_of_city():
    counts = draw_counts(10, replicates=50_000, rng=np.random.default_rng(1))
    value = float(ratios(np.ones((1, 10)))[0])
    assert value == pytest.approx(GOLDEN["value"])
    assert value == pytest.approx(1.5203, abs=5e-5)
    known = GOLDEN["seed_1_20000"]
    low, high = bca_limits(value, ratios(counts), known["acceleration"], level=0.95)
    assert low == pytest.approx(known["bca"][0], abs=0.01)
    assert high == pytest.approx(known["bca"][1], abs=0.05)
    assert low == pytest.approx(GOLDEN["seed_1_999"]["bca"][0], abs=0.01)  # its upper end is noise


def test_bca_of_city_with_the_jackknife_is_that_of_scipy():
    """R's boot takes the acceleration from a regression, .011 here, where the jackknife has -.011."""
    counts = draw_counts(10, replicates=50_000, rng=np.random.default_rng(1))
    found = bca_limits(X.sum() / U.sum(), ratios(counts), acceleration(ratios(1 - np.eye(10))), level=0.95)
    other = stats.bootstrap(
        (X, U),
        lambda x, u, axis=-1: x.sum(axis) / u.sum(axis),
        paired=True,
        n_resamples=50_000,
        rng=np.random.default_rng(2),
        method="BCa",
    ).confidence_interval
    assert found[0] == pytest.approx(other.low, abs=0.01)
    assert found[1] == pytest.approx(other.high, abs=0.04)  # ten units: few replicates lie up there
    assert found == pytest.approx(GOLDEN["seed_1_20000"]["bca"], abs=0.08)


def test_bca_without_bias_and_skew_is_the_percentile_interval():
    replicates = np.linspace(-1, 1, 2001)
    assert bca_limits(0.0, replicates, 0.0, level=0.9) == pytest.approx(
        percentile_limits(replicates, level=0.9), abs=1e-9
    )
    assert acceleration(np.linspace(-1, 1, 21)) == pytest.approx(0, abs=1e-12)
    assert acceleration(np.zeros(9)) == 0
    with pytest.raises(NotEstimableError, match="one side"):
        bca_limits(2.0, replicates, 0.0, level=0.9)


def test_acceleration_of_one_stratum_and_of_two_equal_ones():
    jackknife = np.random.default_rng(0).exponential(size=30)
    d = jackknife.mean() - jackknife
    a = np.sum(d**3) / (6 * np.sum(d**2) ** 1.5)
    assert acceleration(jackknife) == pytest.approx(a, rel=1e-12)
    two = acceleration(np.tile(jackknife, 2), np.repeat(["a", "b"], 30))
    assert two == pytest.approx(a / np.sqrt(2), rel=1e-12)


def test_acceleration_of_unequal_strata_is_that_of_the_influences():
    random = np.random.default_rng(1)
    parts = random.exponential(size=8), random.exponential(size=40)
    leave = [
        *(np.delete(parts[0], i).mean() - parts[1].mean() for i in range(8)),
        *(parts[0].mean() - np.delete(parts[1], i).mean() for i in range(40)),
    ]
    d = np.r_[(parts[0] - parts[0].mean()) / 8, -(parts[1] - parts[1].mean()) / 40]
    found = acceleration(np.array(leave), np.repeat([0, 1], [8, 40]))
    assert found == pytest.approx(np.sum(d**3) / (6 * np.sum(d**2) ** 1.5), rel=1e-10)


# ---- resampling ----------------------------------------------------------------------------------


def test_draws_keep_the_size_of_each_stratum():
    strata = np.repeat([1, 2, 3], [20, 30, 1])
    counts = draw_counts(51, replicates=40, rng=np.random.default_rng(0), strata=strata)
    assert (counts[:, :20].sum(axis=1) == 20).all()
    assert (counts[:, 20:50].sum(axis=1) == 30).all()
    assert (counts[:, 50] == 1).all()
    np.testing.assert_array_equal(label_strata([0, 0, 1, 1, 0], [5, 5, 7, 9, 9]), [1, 2, 3])


@pytest.mark.parametrize("kind", ["percentile", "bca"])
def test_rows_and_weights_give_the_same_interval(kind):
    unit, x = repeated(1)
    settings_ = {"level": 0.95, "replicates": 400, "kind": kind}
    by_rows = cluster_bootstrap(lambda rows: x[rows].mean(), unit, rng=np.random.default_rng(5), **settings_)
    by_weights = cluster_bootstrap(
        lambda w: w @ x / w.sum(axis=1), unit, rng=np.random.default_rng(5), weighted=True, **settings_
    )
    assert (by_rows.low, by_rows.high) == pytest.approx((by_weights.low, by_weights.high), rel=1e-9)
    assert by_rows.value == pytest.approx(x.mean())
    assert "60 patients" in by_rows.method
    again = cluster_bootstrap(lambda rows: x[rows].mean(), unit, rng=np.random.default_rng(5), **settings_)
    assert again == by_rows


def test_whole_patients_are_drawn():
    """Rows drawn alone (elsewhere the default) would forget that scans of a patient are alike."""
    unit, x = repeated(2, 100)
    rng = np.random.default_rng(0)
    made = cluster_bootstrap(lambda w: w @ x / w.sum(axis=1), unit, level=0.95, rng=rng, weighted=True)
    alone = cluster_bootstrap(lambda w: w @ x / w.sum(axis=1), np.arange(x.size), level=0.95, rng=rng, weighted=True)
    robust = ratio_of_sums(*unit_sums(x, unit), level=0.95, scale="identity")
    assert made.se == pytest.approx(robust.se, rel=0.06)
    assert alone.se < 0.7 * made.se
    assert (made.low, made.high) == pytest.approx((robust.low, robust.high), abs=0.25 * robust.se)


def test_refusals():
    rng, x = np.random.default_rng(0), np.arange(60.0)

    def made(n, **more):
        return cluster_bootstrap(lambda rows: x[rows].mean(), np.arange(n), level=0.95, rng=rng, replicates=200, **more)

    with pytest.raises(NotEstimableError, match=r"49 patients .*at least 50.* 20 patients .* bca interval covered .92"):
        made(49)
    with pytest.raises(NotEstimableError, match=r"30 patients .* percentile interval covered .87 to .91"):
        made(30, kind="percentile")
    with pytest.raises(NotEstimableError, match=r"19 sites .*at least 20.* 10 sites .* covered .90"):
        made(19, unit="site")
    with pytest.raises(NotEstimableError, match=r"with 3 sites .* covered .73"):
        made(3, unit="site", kind="percentile")
    with pytest.raises(NotEstimableError, match="basic bootstrap is refused"):
        made(60, kind="basic")
    with pytest.raises(DataError, match="kind is 'normal'"):
        made(60, kind="normal")
    with pytest.raises(DataError, match="unit is 'row'"):
        made(60, unit="row")
    with pytest.raises(DataError, match="10 bootstrap replicates are too few"):
        cluster_bootstrap(lambda rows: 0.0, np.arange(60), level=0.95, rng=rng, replicates=10)
    assert made(20, unit="site").low < 9.5


def test_replicates_without_a_value_are_counted():
    rng = np.random.default_rng(0)

    def rare(rows):
        if not (rows < 3).any():
            raise NotEstimableError("no row of the rare class")
        return float(rows.mean())

    with pytest.raises(NotEstimableError, match=r"no value in \d+ of 400"):
        cluster_bootstrap(rare, np.arange(60), level=0.95, rng=rng, replicates=400)
    strata = np.repeat([0, 1], [3, 57])
    assert cluster_bootstrap(rare, np.arange(60), level=0.95, rng=rng, replicates=400, strata=strata).low < 29.5
    with pytest.raises(NotEstimableError, match="on the data themselves"):
        cluster_bootstrap(lambda rows: np.nan, np.arange(60), level=0.95, rng=rng)

    def seldom(rows):
        return np.nan if not (rows < 6).any() else float(rows.mean())

    made = cluster_bootstrap(seldom, np.arange(60), level=0.95, rng=rng, replicates=2000)
    assert "without a value" in made.method
    with pytest.raises(NotEstimableError, match="without one of the patients"):
        cluster_bootstrap(
            lambda rows: float(rows.mean()) if 0 in rows or rows.size != 59 else np.nan,
            np.arange(60),
            level=0.95,
            rng=rng,
            replicates=200,
        )


# ---- AUC as one product --------------------------------------------------------------------------


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_products_are_aucs_of_the_rows_drawn(seed):
    random = np.random.default_rng(seed)
    cluster = random.permutation(np.r_[np.arange(12), random.integers(0, 12, 20)])
    y, scores = random.random(32) < 0.4, random.integers(0, 6, (32, 2)).astype(float)
    y[:4] = [0, 1, 0, 1]
    counts = draw_counts(12, replicates=8, rng=random)
    found = auc_replicates(y, scores, cluster, counts)
    for row, values in zip(counts, found, strict=True):
        rows = np.repeat(np.arange(32), row[cluster])
        if len(set(y[rows])) < 2:
            assert np.isnan(values).all()
            continue
        pos, neg = scores[rows[y[rows]]], scores[rows[~y[rows]]]
        psi = (pos[:, None] > neg[None]) + 0.5 * (pos[:, None] == neg[None])
        np.testing.assert_allclose(values, psi.mean(axis=(0, 1)), rtol=1e-12)
    np.testing.assert_allclose(auc_replicates(y, scores, cluster, np.ones((1, 12)))[0], delong(y, scores).values)


def test_the_bootstrap_of_an_auc_agrees_with_obuchowski():
    random = np.random.default_rng(3)
    unit = np.repeat(np.arange(120), 3)
    y = unit < 50
    score = 1.3 * y + random.normal(size=120)[unit] + 0.4 * random.normal(size=360)
    exact = auc_interval(obuchowski(y, score, unit), level=0.95)
    for kind in ("percentile", "bca"):
        made = auc_bootstrap(y, score, unit, level=0.95, rng=random, kind=kind)
        assert made.value == pytest.approx(exact.value)
        assert (made.low, made.high) == pytest.approx((exact.low, exact.high), abs=0.015)
        assert "stratified" in made.method
    worse = score + random.normal(size=360)
    apart = auc_bootstrap(y, score, unit, level=0.95, rng=random, other=worse)
    assert apart.value == pytest.approx(exact.value - obuchowski(y, worse, unit).values[0])
    assert apart.se < auc_bootstrap(y, worse, unit, level=0.95, rng=random).se * 1.5
    with pytest.raises(NotEstimableError, match="40 patients"):
        auc_bootstrap(np.arange(40) < 20, np.arange(40.0), None, level=0.95, rng=random)


# ---- does it keep its promise? (table 3.1, 50 patients, rho .8) -------------------------------------


def test_coverage_with_repeated_scans():
    random, hits = np.random.default_rng(23), np.zeros(2)
    for _ in range(200):
        unit = np.repeat(np.arange(50), 1 + random.poisson(3, 50))
        y = unit < 25
        score = 1.5 * y + np.sqrt(0.8) * random.normal(size=50)[unit] + np.sqrt(0.2) * random.normal(size=unit.size)
        auc = auc_bootstrap(y, score, unit, level=0.95, rng=random, replicates=500)
        right = ((score > 0.75) == y).astype(float)
        accuracy = cluster_bootstrap(
            lambda w, x=right: w @ x / w.sum(axis=1), unit, level=0.95, rng=random, replicates=500, weighted=True
        )
        hits += [auc.low <= ndtr(1.5 / np.sqrt(2)) <= auc.high, accuracy.low <= ndtr(0.75) <= accuracy.high]
    for covered, measured in zip(hits / 200, (0.917, 0.949), strict=True):
        assert abs(covered - measured) < 3 * np.sqrt(measured * (1 - measured) * (1 / 200 + 1 / 1000))
