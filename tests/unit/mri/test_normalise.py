import numpy as np

from triptych.mri.normalise import MOST, normalise


def test_gain_and_offset_do_not_matter():
    random = np.random.default_rng(1)
    values = random.gamma(5, 100, (12, 12, 12))
    mask = random.random((12, 12, 12)) < 0.5
    once = normalise(values, mask)
    np.testing.assert_allclose(normalise(3.7 * values + 250, mask), once, atol=1e-5)
    assert np.all(once[~mask] == 0)
    inside = once[mask]
    assert inside.min() == 0
    assert inside.max() <= MOST
    assert np.percentile(inside, 99) == np.float32(1)


def test_what_lies_outside_the_brain_does_not_matter():
    random = np.random.default_rng(2)
    values, mask = random.random((8, 8, 8)), np.zeros((8, 8, 8), bool)
    mask[2:6, 2:6, 2:6] = True
    other = np.where(mask, values, 1e6)
    np.testing.assert_array_equal(normalise(values, mask), normalise(other, mask))
