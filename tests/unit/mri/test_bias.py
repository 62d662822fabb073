import numpy as np
import pytest

from triptych.mri.bias import correct


@pytest.fixture(scope="module")
def bent(stripped):
    """A brain whose front is 1.8 times as bright as its back, by a field that is known."""
    return stripped.of(stripped.values * np.exp(np.linspace(-0.4, 0.4, stripped.values.shape[1]))[None, :, None])


@pytest.fixture(scope="module")
def corrected(bent):
    return correct(bent, bent.of(bent.values > 0))


def slope(values, mask):
    """Logarithm of the brightness of the front over that of the back of the brain."""
    y = np.where(mask)[1]
    low, high = np.quantile(y, [0.3, 0.7])
    return np.log(np.median(values[mask][y > high]) / np.median(values[mask][y < low]))


def test_a_known_field_is_divided_out(bent, corrected):
    mask = bent.values > 0
    assert slope(bent.values, mask) > 0.4
    assert abs(slope(corrected.volume.values, mask)) < 0.1
    assert 1.9 < corrected.range_in(bent.of(mask)) < 3, "at least what was put in; the phantom has a field of its own"
    assert corrected.volume.values[mask].mean() == pytest.approx(bent.values[mask].mean(), rel=0.1)


def test_the_gain_of_the_scanner_changes_no_field(bent, corrected):
    louder = correct(bent.of(bent.values * 5), bent.of(bent.values > 0))
    np.testing.assert_allclose(louder.log_field.values, corrected.log_field.values, atol=0.02)
