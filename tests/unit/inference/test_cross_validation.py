"""Bayle, nested cross-validation and 5x2cv against hand computation and R, refusals, and a simulation."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from triptych.errors import DataError, NotEstimableError
from triptych.inference.cross_validation import (
    bates_nested,
    bayle,
    compare_bayle,
    five_by_two_f,
    five_by_two_t,
    mean_plus_minus_sd,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "inference.json").read_text())["five_by_two"]
D = np.array([[0.02, 0.05], [0.01, -0.01], [0.04, 0.03], [0.00, 0.02], [0.06, 0.01]])


def test_bayle_by_hand():
    losses = np.random.default_rng(0).exponential(size=80)
    found = bayle(losses, level=0.9, unit=np.arange(80))
    se = np.sqrt(np.mean((losses - losses.mean()) ** 2) / 80)
    assert (found.low, found.high) == pytest.approx(stats.norm.interval(0.9, losses.mean(), se), rel=1e-12)
    assert (found.value, found.se) == pytest.approx((losses.mean(), se))


def test_bayle_compares_by_differences():
    random = np.random.default_rng(1)
    a = random.exponential(size=100)
    b = a + random.normal(0.2, 0.5, 100)
    found, turned = compare_bayle(a, b, level=0.95), compare_bayle(b, a, level=0.95)
    z = np.mean(a - b) / (np.std(a - b) / 10)
    assert (found.statistic, found.p) == pytest.approx((z, 2 * stats.norm.sf(abs(z))), rel=1e-10)
    assert (turned.statistic, turned.p) == pytest.approx((-found.statistic, found.p))
    assert found.interval.se < bayle(a, level=0.95).se


def test_bayle_refuses():
    with pytest.raises(NotEstimableError, match="19 rows are too few"):
        bayle(np.ones(19), level=0.95)
    with pytest.raises(NotEstimableError, match=r"one row per patient.*row 3"):
        bayle(np.ones(30), level=0.95, unit=np.r_[0, 1, 2, 3, 3, 4:29])
    with pytest.raises(NotEstimableError, match="do not differ"):
        compare_bayle(np.arange(30.0), np.arange(30.0), level=0.95)
    with pytest.raises(DataError, match="losses is missing in row 1"):
        bayle([0, np.nan], level=0.95)
    with pytest.raises(DataError, match="losses_b has 29 rows"):
        compare_bayle(np.ones(30), np.ones(29), level=0.95)


def test_bates_by_hand():
    random = np.random.default_rng(2)
    losses = random.random(100) < 0.25
    inner, outer = random.normal(0.26, 0.02, (5, 10)), random.normal(0.25, 0.13, (5, 10))
    variance = np.full((5, 10), 0.25 * 0.75 / 10) * 0.3
    mse = np.mean([(inner[r, k] - outer[r, k]) ** 2 for r in range(5) for k in range(10)]) - np.mean(variance)
    plain = np.std(losses, ddof=1) / 10
    se = np.sqrt(0.9 * mse)
    assert plain < se < np.sqrt(10) * plain
    value = inner.mean() - (1 + 8 / 10) * (inner.mean() - losses.mean())
    found = bates_nested(inner, outer, variance, losses, level=0.95)
    assert (found.low, found.high) == pytest.approx(stats.norm.interval(0.95, value, se), rel=1e-12)
    assert (found.value, found.se) == pytest.approx((value, se), rel=1e-12)


def test_bates_is_clipped_on_both_sides():
    losses = np.resize([0.0, 0, 1], 90)
    plain = np.std(losses, ddof=1) / np.sqrt(90)
    flat = np.full((3, 5), 0.3)
    assert bates_nested(flat, flat, np.full((3, 5), 9.0), losses, level=0.95).se == pytest.approx(plain)
    far = bates_nested(flat, flat + 5, np.zeros((3, 5)), losses, level=0.95)
    assert far.se == pytest.approx(np.sqrt(5) * plain)


def test_bates_refuses():
    flat = np.full((3, 5), 0.3)
    with pytest.raises(DataError, match=r"outer has shape \(3, 4\)"):
        bates_nested(flat, flat[:, :4], flat, np.ones(50), level=0.95)
    hole = flat.copy()
    hole[1, 2] = np.nan
    with pytest.raises(DataError, match="outer_variance is missing in row 1"):
        bates_nested(flat, flat, hole, np.ones(50), level=0.95)
    with pytest.raises(NotEstimableError, match="3 folds"):
        bates_nested(flat[:, :2], flat[:, :2], flat[:, :2], np.ones(50), level=0.95)
    with pytest.raises(NotEstimableError, match="20 rows"):
        bates_nested(flat, flat, flat, np.ones(10), level=0.95)


def test_five_by_two_as_in_r():
    t, f = five_by_two_t(D), five_by_two_f(D)
    assert (t.statistic, t.p) == pytest.approx((GOLDEN["t"], GOLDEN["p_t"]), rel=1e-12)
    assert (f.statistic, f.p) == pytest.approx((GOLDEN["f"], GOLDEN["p_f"]), rel=1e-12)
    turned = five_by_two_t(-D)
    assert (turned.statistic, turned.p) == (-t.statistic, t.p)
    assert five_by_two_f(-D) == f


def test_five_by_two_refuses():
    with pytest.raises(DataError, match="five repeats"):
        five_by_two_t(D.T)
    with pytest.raises(DataError, match="row 0"):
        five_by_two_f(np.full((5, 2), np.nan))
    with pytest.raises(NotEstimableError, match="do not vary"):
        five_by_two_t(np.full((5, 2), 0.1))


def test_the_spread_of_folds_is_no_interval():
    with pytest.raises(NotEstimableError, match=r"over 10 folds is no interval.*1\.00"):
        mean_plus_minus_sd(np.ones(10))


# ---- does it keep its promise? (table 3.3: LDA, n = 100, p = 5, 10 folds) ---------------------------


def lda(x, y):
    means = [x[y == c].mean(axis=0) for c in (0, 1)]
    centred = x - np.where(y[:, None] == 1, means[1], means[0])
    w = np.linalg.solve(centred.T @ centred / (len(x) - 2), means[1] - means[0])
    return w, w @ (means[0] + means[1]) / 2


def test_bayle_covers_the_risk_of_the_fold_models():
    random, hits, shift = np.random.default_rng(30), 0, 0.75
    for _ in range(200):
        y = np.arange(100) % 2
        x = random.normal(size=(100, 5))
        x[:, 0] += 2 * shift * y - shift
        fold = random.permutation(100) % 10
        losses, risks = np.empty(100), []
        for k in range(10):
            w, cut = lda(x[fold != k], y[fold != k])
            losses[fold == k] = (x[fold == k] @ w > cut) != y[fold == k]
            size = np.linalg.norm(w)
            risks.append(np.mean(stats.norm.sf((shift * w[0] + np.array([-cut, cut])) / size)))
        found = bayle(losses, level=0.95)
        hits += found.low <= np.mean(risks) <= found.high
    assert abs(hits / 200 - 0.943) < 3 * np.sqrt(0.943 * 0.057 * (1 / 200 + 1 / 300))
