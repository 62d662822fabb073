"""Random changes in training: whose they are, and that they are what they are called."""

import numpy as np
import pytest
import torch

from triptych import augmentation
from triptych.augmentation import Augmentation

ROWS = np.array([3, 11, 4])


@pytest.fixture
def heads():
    """Three volumes (3, 1, 14, 12, 10): a ball whose left half is twice as bright."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in (14, 12, 10)), indexing="ij")
    ball = np.where(x**2 + y**2 + z**2 < 0.7, np.where(x < 0, 0.6, 0.3), 0)
    return torch.as_tensor(np.stack([ball, ball * 0.9, ball * 1.1])[:, None], dtype=torch.float32)


def test_no_strength_and_no_flip_change_nothing(heads):
    assert Augmentation(0.0, False, seed=1)(heads, ROWS, 0) is heads


def test_a_row_is_changed_by_its_own_number_whatever_the_batch(heads):
    change = Augmentation(1.0, True, seed=1)
    together = change(heads, ROWS, 5)
    for k in range(3):
        assert torch.equal(change(heads[[k]], ROWS[[k]], 5)[0], together[k])
    assert torch.equal(change(heads.flip(0), ROWS[::-1], 5), together.flip(0))


def test_seed_epoch_and_row_each_make_another_change(heads):
    same = heads[:1].repeat(3, 1, 1, 1, 1)
    one = Augmentation(1.0, False, seed=1)(same, ROWS, 5)
    assert not torch.allclose(one[0], one[1])
    for seed, epoch in ((2, 5), (1, 6)):
        assert not torch.allclose(Augmentation(1.0, False, seed)(same, ROWS, epoch), one)


def test_the_random_numbers_of_torch_are_left_alone(heads):
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    Augmentation(1.0, True, seed=1)(heads, ROWS, 5)
    assert torch.equal(torch.rand(2), expected)


def test_a_flip_exchanges_left_and_right_and_nothing_else(heads):
    change = Augmentation(0.0, True, seed=1)
    kept = flipped = 0
    for epoch in range(8):
        for before, after in zip(heads, change(heads, ROWS, epoch), strict=True):
            kept += torch.allclose(after, before, atol=1e-6)
            flipped += torch.allclose(after, before.flip(1), atol=1e-6)
    assert kept + flipped == 24
    assert 5 < flipped < 19


def test_without_flip_left_stays_left(heads):
    for epoch in range(10):
        changed = Augmentation(1.0, False, seed=1)(heads, ROWS, epoch)
        assert (changed[:, :, :7].sum(dim=(1, 2, 3, 4)) > changed[:, :, 7:].sum(dim=(1, 2, 3, 4))).all()


def test_the_background_stays_dark_and_the_volume_is_another(heads):
    changed = Augmentation(1.0, False, seed=1)(heads, ROWS, 0)
    assert torch.isfinite(changed).all()
    assert (changed[:, :, 0, 0, 0] == 0).all()
    difference = (changed - heads).abs().mean() / heads.mean()
    assert 0.03 < difference < 0.6


def test_a_turn_is_one_of_millimetres(monkeypatch):
    """A bar along the first, longest axis, turned by a right angle about the third, lies along the second and is as long."""
    monkeypatch.setattr(augmentation, "ROTATION", np.pi / 2)
    monkeypatch.setattr(augmentation, "SHIFT", 0.0)
    monkeypatch.setattr(augmentation, "ZOOM", 0.0)

    class Ones:
        def uniform(self, low, high, size):
            return np.zeros(size) if size == 3 else np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])

        def random(self):
            return 1.0

    bar = torch.zeros(1, 1, 24, 16, 9)
    bar[0, 0, 8:16, 7:9, 4] = 1
    theta = augmentation._affine(Ones(), 1.0, False, bar.shape[2:])
    turned = augmentation._moved(bar, theta[None])[0, 0]
    expected = torch.zeros(24, 16, 9)
    expected[11:13, 4:12, 4] = 1
    assert torch.allclose(turned, expected, atol=1e-4)
