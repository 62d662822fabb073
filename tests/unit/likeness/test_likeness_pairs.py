"""Rows that show one subject: found with their copies, not among strangers that look alike."""

import numpy as np
import pytest

from triptych.errors import NotEstimableError
from triptych.likeness.pairs import find


def strangers(n=60, d=200, kinds=3, seed=0):
    """Rows of some kinds: alike within a kind, as tumours are."""
    random = np.random.default_rng(seed)
    return random.normal(size=(kinds, d))[random.integers(kinds, size=n)] + random.normal(size=(n, d))


def named(found):
    return set(zip(found.first.tolist(), found.second.tolist(), strict=True))


def test_copies_are_found_whatever_their_scale():
    x = strangers()
    noise = np.random.default_rng(1).normal(size=x.shape)
    both = np.vstack([x, 3 * x[:4] + 0.5 * noise[:4]])
    found = find(both, np.arange(64))
    assert named(found) == {(k, 60 + k) for k in range(4)}
    assert (found.score >= found.threshold).all()
    assert found.threshold > found.strangers
    assert (np.diff(found.score) <= 0).all()


def test_several_copies_of_one_are_found_though_no_pair_stands_out():
    x = strangers()
    both = np.vstack([x, x[7] + 0.3 * np.random.default_rng(2).normal(size=(3, 200))])
    found = find(both, np.arange(63))
    assert named(found) == {(a, b) for a in (7, 60, 61, 62) for b in (60, 61, 62) if a < b}


@pytest.mark.parametrize("kinds", [1, 3, 8])
def test_strangers_are_left_in_peace(kinds):
    alarms = [len(find(strangers(kinds=kinds, seed=seed), np.arange(60)).first) > 0 for seed in range(40)]
    assert np.mean(alarms) <= 0.05


def test_rows_of_one_subject_are_not_compared():
    x = strangers()
    found = find(np.vstack([x, x[:3]]), np.concatenate([np.arange(60), np.arange(3)]))
    assert not len(found.first)


def test_any_view_will_do():
    x = np.random.default_rng(5).normal(size=(60, 200))
    views = np.stack([x, x[:, ::-1]], axis=1)
    both = np.vstack([views, views[:2, ::-1]])
    assert named(find(both, np.arange(62))) == {(0, 60), (1, 61)}
    assert not named(find(both[:, 0], np.arange(62))), "without the mirror image nothing is alike"


def test_each_origin_is_measured_from_its_own_mean():
    x = strangers(n=80)
    moved = x[40:] + 5 * np.random.default_rng(3).normal(size=200)
    copies = np.vstack([x[:40], moved, x[:3] + moved.mean(axis=0) - x[40:].mean(axis=0)])
    origin = np.array([0] * 40 + [1] * 43)
    assert named(find(copies, np.arange(83), origin)) == {(0, 80), (1, 81), (2, 82)}


def test_only_what_both_rows_know_is_compared():
    x = strangers(d=400)
    part = np.where(np.random.default_rng(4).random((3, 400)) < 0.4, x[:3], np.nan)
    assert named(find(np.vstack([x, part]), np.arange(63))) == {(0, 60), (1, 61), (2, 62)}


def test_the_blocks_of_a_large_product_make_no_difference(monkeypatch):
    both = np.vstack([strangers(), strangers()[:5]])
    whole = find(both, np.arange(65))
    monkeypatch.setattr("triptych.likeness.pairs.BLOCK", 7)
    pieces = find(both, np.arange(65))
    assert named(pieces) == named(whole) == {(k, 60 + k) for k in range(5)}
    assert pieces.threshold == pytest.approx(whole.threshold, abs=1e-4)


def test_few_subjects_cannot_be_judged():
    with pytest.raises(NotEstimableError, match=r"^12 subjects: fewer than the 20 that it takes"):
        find(strangers(n=40), np.arange(40) % 12)


def test_rows_of_which_nothing_is_known_are_like_nobody():
    found = find(np.vstack([strangers(), np.full((2, 200), np.nan)]), np.arange(62))
    assert not len(found.first)
