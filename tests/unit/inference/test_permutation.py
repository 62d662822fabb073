"""Permutation of whole units: exact answers, what is kept together, refusals, and simulated level."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import DataError, NotEstimableError
from triptych.inference.permutation import label_permutation, permuted_labels, sign_flip


def rng(seed=0):
    return np.random.default_rng(seed)


# ---- signs ---------------------------------------------------------------------------------------


@given(st.lists(st.integers(-3, 3), min_size=6, max_size=9))
@settings(max_examples=30, deadline=None)
def test_all_flips_are_enumerated(values):
    d = np.array(values, dtype=float)
    if np.count_nonzero(d) < 6:
        return
    flips = [abs(np.dot(signs, d)) >= abs(d.sum()) for signs in product((-1, 1), repeat=d.size)]
    found, turned = sign_flip(d, rng=rng(), level=0.95), sign_flip(-d, rng=rng(), level=0.95)
    assert found.p == pytest.approx(np.mean(flips))
    assert (turned.p, turned.statistic) == (found.p, -found.statistic)


def test_flips_that_tie_but_for_rounding_count():
    for seed in range(20):
        tenths = rng(seed).integers(1, 9, 9) * rng(seed + 99).choice([-1, 1, 1], 9)
        exact = sign_flip(tenths, rng=rng(), level=0.95)
        assert sign_flip(tenths / 10, rng=rng(), level=0.95).p == exact.p


def test_the_smallest_p_is_reached_and_told():
    found = sign_flip(np.ones(6), rng=rng(), level=0.95, name="site")
    assert found.p == found.smallest_p == 2 / 2**6
    assert found.replicates == 64
    many = sign_flip(np.ones(40), rng=rng(), level=0.95, replicates=999)
    assert many.p == many.smallest_p == 1 / 1000
    assert many.replicates == 999


def test_monte_carlo_agrees_with_all_flips():
    d = rng(4).normal(0.25, 1, 14)
    exact = sign_flip(d, rng=rng(), level=0.95)
    assert exact.replicates == 2**14
    tiny = np.r_[d, 1e-9]  # a fifteenth unit that changes nothing
    assert sign_flip(tiny, rng=rng(1), level=0.95).p == pytest.approx(exact.p, abs=0.02)
    assert sign_flip(tiny, rng=rng(1), level=0.95) == sign_flip(tiny, rng=rng(1), level=0.95)


def test_too_few_units_cannot_reach():
    with pytest.raises(NotEstimableError, match=r"5 of 5 sites differ.*0\.0625, it cannot reach 0\.05"):
        sign_flip(np.ones(5), rng=rng(), level=0.95, name="site")
    with pytest.raises(NotEstimableError, match="5 of 30 patients"):
        sign_flip(np.r_[np.ones(5), np.zeros(25)], rng=rng(), level=0.95)
    assert sign_flip(np.ones(5), rng=rng(), level=0.9).p == 0.0625
    with pytest.raises(NotEstimableError, match="do not differ on any patient"):
        sign_flip(np.tile([0.1, 0.2, -0.3], 20), rng=rng(), level=0.95, unit=np.repeat(np.arange(20), 3))
    with pytest.raises(DataError, match="missing in row 1"):
        sign_flip([1, np.nan], rng=rng(), level=0.95)


def test_units_flip_together():
    unit, d = np.repeat(np.arange(8), 5), np.repeat([1.0, 1, 1, 1, 1, 1, 1, -1], 5)
    found = sign_flip(d, rng=rng(), level=0.95, unit=unit)
    assert found.units == 8
    assert found.p == pytest.approx(2 * 9 / 2**8)
    assert sign_flip(d, rng=rng(), level=0.95).p < 0.001  # what forgetting the patients would claim
    order = rng(1).permutation(40)
    assert sign_flip(d[order], rng=rng(), level=0.95, unit=unit[order]) == found


def test_level_with_repeated_scans():
    random, rejected = rng(8), np.zeros(2)
    for _ in range(200):
        unit = np.repeat(np.arange(60), 1 + random.poisson(3, 60))
        y = unit < 30
        noise = np.sqrt(0.8) * random.normal(size=(60, 2))[unit] + np.sqrt(0.2) * random.normal(size=(unit.size, 2))
        right = (1.5 * y[:, None] + noise > 0.75) == y[:, None]
        d = right[:, 0].astype(int) - right[:, 1]
        found = [sign_flip(d, rng=random, level=0.95, unit=u, replicates=399).p for u in (unit, None)]
        rejected += np.array(found) < 0.05
    for level, measured in zip(rejected / 200, (0.046, 0.235), strict=True):
        assert abs(level - measured) < 3 * np.sqrt(measured * (1 - measured) * (1 / 200 + 1 / 800))


# ---- labels --------------------------------------------------------------------------------------


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_whole_units_move_inside_blocks(seed):
    random = rng(seed)
    unit = random.permutation(np.repeat(np.arange(12), random.integers(1, 5, 12)))
    labels, site = random.integers(0, 2, 12)[unit], (np.arange(12) % 3)[unit]
    drawn = permuted_labels(labels, unit, rng=random, replicates=10, block=site)
    for row in drawn:
        per_unit = [set(row[unit == u].tolist()) for u in range(12)]
        assert all(len(found) == 1 for found in per_unit)
        for s in range(3):
            members = [u for u in range(12) if u % 3 == s]
            after = sorted(min(per_unit[u]) for u in members)
            assert after == sorted(labels[unit == u][0] for u in members)


def test_labels_that_vary_move_together_in_order():
    unit = np.array(["a", "b", "a", "c", "b", "c"])
    labels = np.array([1, 3, 2, 5, 4, 6])
    seen = {tuple(row) for row in permuted_labels(labels, unit, rng=rng(), replicates=200)}
    vectors = {"a": (1, 2), "b": (3, 4), "c": (5, 6)}
    for row in seen:
        got = [tuple(np.array(row)[unit == u].tolist()) for u in "abc"]
        assert sorted(got) == sorted(vectors.values())
    assert len(seen) == 6


def test_units_that_cannot_be_exchanged():
    with pytest.raises(DataError, match="unit of row 2 has 1 rows where others of its block have 2"):
        permuted_labels([0, 1, 1], [0, 0, 1], rng=rng(), replicates=2)
    kept_apart = permuted_labels([0, 1, 1], [0, 0, 1], rng=rng(), replicates=2, block=[0, 0, 1])
    assert (kept_apart == [0, 1, 1]).all()
    with pytest.raises(DataError, match="block differs within the unit of row 1"):
        permuted_labels([0, 0], [7, 7], rng=rng(), replicates=2, block=[0, 1])


def test_a_perfect_model_is_seen():
    """scikit-learn permutes inside groups: with one label per patient that changes nothing, and p is 1."""
    unit = np.repeat(np.arange(20), 4)
    labels = (unit < 10).astype(int)
    found = label_permutation(lambda y: float(np.mean(y == (unit < 10))), labels, unit, rng=rng(), level=0.95)
    assert found.statistic == 1
    assert found.p == 1 / 1000
    assert found.smallest_p == 1 / 1000
    again = label_permutation(lambda y: float(np.mean(y == (unit < 10))), labels, unit, rng=rng(), level=0.95)
    assert again == found


def test_too_few_labellings_are_refused():
    unit = np.repeat(np.arange(6), 2)
    with pytest.raises(NotEstimableError, match=r"smallest p .* is 0\.067, it cannot reach 0\.05"):
        label_permutation(np.mean, (unit < 2).astype(int), unit, rng=rng(), level=0.95)
    assert label_permutation(np.mean, (unit < 3).astype(int), unit, rng=rng(), level=0.95).p == 1
    site = (np.arange(6) < 3)[unit]
    with pytest.raises(NotEstimableError, match="is 1, it cannot"):  # the label is the site
        label_permutation(np.mean, site.astype(int), unit, rng=rng(), level=0.95, block=site)
    with pytest.raises(NotEstimableError, match="too few replicates"):
        label_permutation(np.mean, np.arange(12)[::2][unit], unit, rng=rng(), level=0.95, replicates=9)
    with pytest.raises(DataError, match="no value"):
        label_permutation(lambda y: np.nan, (unit < 3).astype(int), unit, rng=rng(), level=0.95)
    with pytest.raises(DataError, match="labels is missing in row 3"):
        label_permutation(np.mean, np.where(np.arange(12) == 3, np.nan, 1), unit, rng=rng(), level=0.95)


def test_level_without_signal():
    """A model that recognises patients: labels of scans permuted would reject far too often."""
    random, rejected = rng(9), np.zeros(2)
    unit = np.repeat(np.arange(30), 4)
    for _ in range(150):
        labels = random.permutation(np.repeat([0, 1], 15))[unit]
        score = random.normal(size=30)[unit] + 0.3 * random.normal(size=120)

        def apart(y, x=score):
            return abs(float(x[y == 1].mean() - x[y == 0].mean()))

        found = [
            label_permutation(apart, labels, u, rng=random, level=0.95, replicates=99).p for u in (unit, np.arange(120))
        ]
        rejected += np.array(found) <= 0.05
    assert rejected[0] / 150 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)
    assert rejected[1] / 150 > 0.2
