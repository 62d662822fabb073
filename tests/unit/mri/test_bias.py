import numpy as np
import pytest

from triptych.mri.bias import correct
from triptych.mri.volume import Volume


def slope(volume, mask):
    """Brightness of the back over the front of the brain, median of each third."""
    y = np.where(mask)[1]
    values = volume.values[mask]
    low, high = np.quantile(y, [0.3, 0.7])
    return np.median(values[y < low]) / np.median(values[y > high])


def test_a_known_field_is_divided_out(stripped):
    mask = stripped.values > 0
    field = np.exp(np.linspace(-0.4, 0.4, mask.shape[1]))[None, :, None]
    bent = stripped.of(stripped.values * field)
    before, even = slope(bent, mask), slope(stripped, mask)
    found = correct(bent, stripped.of(mask))
    assert abs(np.log(slope(found.volume, mask) / even)) < 0.35 * abs(np.log(before / even))
    assert found.range_in(stripped.of(mask)) == pytest.approx(
        np.exp(0.8 * np.ptp(np.where(mask)[1]) / mask.shape[1]), rel=0.3
    )


def test_the_gain_of_the_scanner_changes_no_field(scan):
    once, louder = correct(scan), correct(scan.of(scan.values * 5))
    np.testing.assert_allclose(louder.log_field.values, once.log_field.values, atol=0.02)


def test_the_mean_stays(stripped):
    mask = stripped.values > 0
    found = correct(stripped, stripped.of(mask))
    assert found.volume.values[mask].mean() == pytest.approx(stripped.values[mask].mean(), rel=0.1)
    assert isinstance(found.volume, Volume)
    assert found.volume.values.shape == stripped.values.shape
