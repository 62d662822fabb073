"""AUC with DeLong's and Obuchowski's covariance against pROC, brute force, identities, and simulated coverage."""

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr, ndtri

from triptych.errors import DataError, NotEstimableError
from triptych.inference.auc import auc_interval, compare_aucs, delong, obuchowski, placements, row_influence
from triptych.inference.comparisons import by_unit
from triptych.inference.intervals import from_influence

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "inference.json").read_text())["asah"]
NAMES = ("wfns", "s100b", "ndka")
seeds = st.integers(0, 10**6)


@pytest.fixture(scope="module")
def asah():
    """Outcome (113,) and the three scores (113, 3); the rows stay in R, where their licence is."""
    code = 'd <- get(data(aSAH, package="pROC")); d$wfns <- as.numeric(d$wfns); d$y <- as.integer(d$outcome == "Poor");'
    code += (
        'write.csv(format(d[, c("y", "wfns", "s100b", "ndka")], digits=17, trim=TRUE), row.names=FALSE, quote=FALSE)'
    )
    made = shutil.which("Rscript") and subprocess.run(
        ["Rscript", "-e", code], capture_output=True, text=True, timeout=60
    )
    if not made or made.returncode:
        pytest.skip("no Rscript with pROC (Debian: r-base-core r-cran-proc) to read aSAH from")
    rows = list(csv.DictReader(io.StringIO(made.stdout)))
    return np.array([float(r["y"]) for r in rows]), np.array([[float(r[n]) for n in NAMES] for r in rows])


def data(seed, n=60, units=25, columns=2):
    """Tied scores, mixed clusters of unequal size, both classes in several clusters."""
    random = np.random.default_rng(seed)
    y, cluster = random.random(n) < 0.4, random.integers(0, units, n)
    y[:6] = [1, 0, 1, 0, 1, 0]
    cluster[:units] = np.arange(units)
    return y.astype(float), random.integers(0, 8, (n, columns)) + 1.5 * y[:, None], cluster


def same(a, b, rel=1e-10):
    np.testing.assert_allclose(a.values, b.values, rtol=rel)
    np.testing.assert_allclose(a.covariance, b.covariance, rtol=rel, atol=1e-15)


# ---- pROC ----------------------------------------------------------------------------------------


def test_delong_as_in_proc(asah):
    found = delong(*asah)
    for j, name in enumerate(NAMES):
        assert found.values[j] == pytest.approx(GOLDEN[name]["auc"], abs=1e-12)
        assert found.covariance[j, j] == pytest.approx(GOLDEN[name]["variance"], abs=1e-12)
        wald = found.values[j] + ndtri(0.975) * np.sqrt(found.covariance[j, j]) * np.array([-1, 1])
        assert wald == pytest.approx(GOLDEN[name]["ci"], abs=1e-12)


@pytest.mark.parametrize(("a", "b"), [(0, 1), (0, 2), (2, 1)])
def test_paired_delong_as_in_proc(asah, a, b):
    areas, known = delong(*asah), GOLDEN[f"{NAMES[a]}_{NAMES[b]}"]
    assert areas.covariance[a, b] == pytest.approx(known["covariance"], abs=1e-12)
    found = compare_aucs(areas, a, b, level=0.95)
    assert (found.statistic, found.p) == pytest.approx((known["z"], known["p"]), abs=1e-10)
    assert (found.interval.low, found.interval.high) == pytest.approx(known["ci"], abs=1e-10)


def test_obuchowski_known_answers(asah):
    y, scores = asah
    for step, column, variance, z in (
        (2, 0, 0.0014501138746310, 1.9811941870),
        (3, 1, 0.0036186674816366, 1.9079731846),
    ):
        areas, known = obuchowski(y, scores[:, :2], np.arange(113) // step), GOLDEN[f"obuchowski_{step}"]
        assert areas.covariance[column, column] == pytest.approx(variance, abs=1e-12)
        assert np.diag(areas.covariance) == pytest.approx(known["variance"], abs=1e-12)
        found = compare_aucs(areas, level=0.95)
        assert found.statistic == pytest.approx(known["z"], abs=1e-10)
        assert found.statistic == pytest.approx(z, abs=1e-9)


@pytest.mark.parametrize(("m", "shrunk"), [(2, 0.000727494), (4, 0.000361911)])
def test_asah_repeated(asah, m, shrunk):
    y, wfns = asah[0], asah[1][:, 0]
    rows = np.repeat(np.arange(113), m)
    assert obuchowski(y[rows], wfns[rows], rows).covariance[0, 0] == pytest.approx(0.0014699147, abs=5e-11)
    assert delong(y[rows], wfns[rows]).covariance[0, 0] == pytest.approx(shrunk, abs=5e-10)


# ---- identities ----------------------------------------------------------------------------------


def brute(y, scores, cluster):
    """Obuchowski (1997) pair by pair."""
    pos, neg, ids = y == 1, y == 0, np.unique(cluster)
    psi = (scores[pos][:, None] > scores[neg][None]) + 0.5 * (scores[pos][:, None] == scores[neg][None])
    area, m, n = psi.mean(axis=(0, 1)), pos.sum(), neg.sum()
    v10, v01 = psi.mean(axis=1), psi.mean(axis=0)
    a = np.array([(v10[cluster[pos] == i] - area).sum(axis=0) for i in ids])
    b = np.array([(v01[cluster[neg] == i] - area).sum(axis=0) for i in ids])
    i10, i01, k = len(np.unique(cluster[pos])), len(np.unique(cluster[neg])), len(ids)
    s11 = k / (k - 1) * a.T @ b
    s10, s01 = i10 / ((i10 - 1) * m) * a.T @ a, i01 / ((i01 - 1) * n) * b.T @ b
    return area, s10 / m + s01 / n + (s11 + s11.T) / (m * n)


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_equals_brute_force(seed):
    y, scores, cluster = data(seed)
    found = obuchowski(y, scores, cluster)
    values, covariance = brute(y, scores, cluster)
    np.testing.assert_allclose(found.values, values, rtol=1e-12)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-9, atol=1e-15)
    assert np.linalg.eigvalsh(found.covariance).min() > -1e-15
    assert found.values[0] == pytest.approx(
        stats.mannwhitneyu(scores[y == 1, 0], scores[y == 0, 0]).statistic / (y.sum() * (1 - y).sum())
    )


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_what_changes_nothing(seed):
    y, scores, cluster = data(seed)
    random = np.random.default_rng(seed)
    plain, order = obuchowski(y, scores, cluster), random.permutation(y.size)
    single = obuchowski(y, scores, np.arange(y.size))
    assert np.abs(single.covariance - delong(y, scores).covariance).max() == 0
    same(plain, obuchowski(y[order], scores[order], cluster[order]))
    same(plain, obuchowski(y, scores, np.array([f"who {97 - c}" for c in cluster])))
    same(plain, obuchowski(y, np.exp(scores / 3) - 7, cluster))
    same(plain, obuchowski(1 - y, -scores, cluster))
    negated = obuchowski(y, -scores, cluster)
    np.testing.assert_allclose(negated.values, 1 - plain.values, rtol=1e-12)
    np.testing.assert_allclose(negated.covariance, plain.covariance, rtol=1e-9, atol=1e-15)
    m = int(random.integers(2, 5))
    same(plain, obuchowski(np.repeat(y, m), np.repeat(scores, m, axis=0), np.repeat(cluster, m)), rel=1e-9)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_swapped_models_turn_the_sign(seed):
    y, scores, cluster = data(seed)
    areas = obuchowski(y, scores, cluster)
    found, turned = compare_aucs(areas, 0, 1, level=0.9), compare_aucs(areas, 1, 0, level=0.9)
    assert found.statistic == -turned.statistic
    assert found.p == turned.p
    assert (found.interval.low, found.interval.high) == (-turned.interval.high, -turned.interval.low)


def test_the_sign_of_z_says_who_is_better():
    y = np.repeat([0, 1], 30)
    random = np.random.default_rng(0)
    scores = np.column_stack([y + random.normal(size=60), random.normal(size=60)])
    assert compare_aucs(delong(y, scores), level=0.95).statistic > 2


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_influences_fit_the_house(seed):
    y, scores, cluster = data(seed)
    areas = obuchowski(y, scores, cluster)
    value, rows = row_influence(y, scores[:, 0])
    np.testing.assert_allclose(np.bincount(cluster, rows), areas.influence[:, 0], atol=1e-15)
    assert abs(areas.influence.sum()) < 1e-12
    house = from_influence(value, areas.influence[:, 0], level=0.95, scale="logit")
    assert house.se == pytest.approx(np.sqrt(areas.covariance[0, 0]), rel=0.05)
    paired = by_unit(*areas.values, *areas.influence.T, level=0.95)
    assert paired.statistic == pytest.approx(compare_aucs(areas, level=0.95).statistic, rel=0.05)


def test_the_influence_is_the_change_by_a_row():
    y, scores, _ = data(11)
    value, influence = row_influence(y, scores[:, 0])
    t = 1e-6

    def weighted(i):
        w = np.ones(y.size)
        w[i] += t
        pairs = np.outer(w[y == 1], w[y == 0])
        a, b = scores[y == 1, 0][:, None], scores[y == 0, 0][None]
        return float(np.sum(pairs * ((a > b) + 0.5 * (a == b))) / pairs.sum())

    np.testing.assert_allclose([(weighted(i) - value) / t for i in range(y.size)], influence, atol=1e-6)


def test_many_rows_are_quick_and_placements_are_shares():
    random = np.random.default_rng(2)
    y, score = random.random(300_000) < 0.3, random.normal(size=300_000)
    assert delong(y, score).values[0] == pytest.approx(0.5, abs=0.01)
    v10, v01 = placements(y, score)
    assert v10.min() >= 0
    assert v10.max() <= 1
    assert v10.mean() == pytest.approx(v01.mean(), rel=1e-9)


# ---- intervals and refusals ----------------------------------------------------------------------


def test_the_interval_by_hand_stays_inside():
    y = np.repeat([0, 1], [15, 15])
    score = np.arange(30.0)
    score[[14, 15]] = score[[15, 14]]  # one pair of 225 in the wrong order: the Wald interval passes 1
    areas = delong(y, score)
    found = auc_interval(areas, level=0.95)
    value, se = areas.values[0], np.sqrt(areas.covariance[0, 0])
    assert value + 1.96 * se > 1
    half = stats.t.ppf(0.975, 28) * se / (value * (1 - value))
    expected = 1 / (1 + np.exp(-(np.log(value / (1 - value)) + np.array([-half, half]))))
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-12)
    assert (found.df, found.value) == (28, value)
    assert found.high < 1
    assert found.method.startswith("DeLong by row")


def test_minima():
    y = np.array([1, 1, 0, 0, 0] * 4)
    score = np.random.default_rng(0).normal(size=20)
    assert auc_interval(delong(y, score), level=0.95).df == 18
    with pytest.raises(NotEstimableError, match=r"19 rows are too few.*at least 20"):
        auc_interval(delong(y[1:], score[1:]), level=0.95)
    with pytest.raises(NotEstimableError, match="10 patients are too few"):
        compare_aucs(obuchowski(y, np.column_stack([score, -score]), np.arange(20) // 2), level=0.95)
    with pytest.raises(NotEstimableError, match="1 patient with a positive row is too few"):
        obuchowski([1, 1, 0, 0, 0], score[:5], [0, 0, 1, 2, 3])
    with pytest.raises(NotEstimableError, match="AUC of 1 without"):
        auc_interval(delong(y, y), level=0.95)
    with pytest.raises(NotEstimableError, match="do not differ"):
        compare_aucs(delong(y, np.column_stack([score, np.exp(score)])), level=0.95)


def test_bad_rows_are_named():
    with pytest.raises(DataError, match="scores is missing in row 2"):
        delong([0, 1, 1], [1, 2, np.nan])
    with pytest.raises(DataError, match="y is 2 in row 1"):
        delong([0, 2, 1], [1, 2, 3])
    with pytest.raises(DataError, match="one class only: every row is 1"):
        delong([1, 1], [1, 2])
    with pytest.raises(DataError, match="3 rows"):
        delong([0, 1, 1], [1, 2])
    with pytest.raises(DataError, match="cluster has shape"):
        obuchowski([0, 1, 1], [1, 2, 3], [1, 2])
    assert delong([0, 0, 1, 1], [-np.inf, 0, 0, np.inf]).values[0] == 0.875


# ---- do they keep their promise? (cells of tables 3.1 and 4.1) -------------------------------------


def scans(random, patients, columns):
    unit = np.repeat(np.arange(patients), 1 + random.poisson(3, patients))
    y = unit < patients // 2
    noise = np.sqrt(0.8) * random.normal(size=(patients, columns))[unit]
    return y, 1.5 * y[:, None] + noise + np.sqrt(0.2) * random.normal(size=(unit.size, columns)), unit


def test_coverage_with_repeated_scans():
    random, hits, truth = np.random.default_rng(21), np.zeros(2), ndtr(1.5 / np.sqrt(2))
    for _ in range(200):
        y, score, unit = scans(random, 50, 1)
        made = [auc_interval(a, level=0.95) for a in (obuchowski(y, score, unit), delong(y, score))]
        hits += [interval.low <= truth <= interval.high for interval in made]
    for covered, measured in zip(hits / 200, (0.947, 0.656), strict=True):
        assert abs(covered - measured) < 3 * np.sqrt(measured * (1 - measured) * (1 / 200 + 1 / 1000))


def test_equal_models_are_told_apart_only_by_the_test_that_forgets_patients():
    random, rejected = np.random.default_rng(22), np.zeros(2)
    for _ in range(200):
        y, scores, unit = scans(random, 60, 2)
        both = obuchowski(y, scores, unit), delong(y, scores)
        rejected += [compare_aucs(areas, level=0.95).p < 0.05 for areas in both]
    for level, measured in zip(rejected / 200, (0.058, 0.347), strict=True):
        assert abs(level - measured) < 3 * np.sqrt(measured * (1 - measured) * (1 / 200 + 1 / 800))
