import numpy as np
import pytest
from scipy import ndimage

from triptych.mri import template
from triptych.mri.segment import SHARES, priors, segment


def test_volumes_against_the_truth_on_voxels_thicker_than_the_cortex(found, made):
    for tissue in ("gm", "wm"):
        assert found.columns[f"mri_{tissue}_ml"] == pytest.approx(made.truth.ml[tissue], rel=0.25), tissue
    assert np.all(np.diff(found.tissues.mean) > 0)


def mixed(step, noise=0.03):
    """A brain of 100, 600 and 900 in the template's own tissues, of which voxels at borders hold two; its shares (3, x, y, z)."""
    fine, here = template.load(step / 2), template.load(step)
    fluid = fine.mask & (fine.grey + fine.white < 0.5)
    known = np.stack(
        [fluid, fine.mask & ~fluid & (fine.grey >= fine.white), fine.mask & ~fluid & (fine.grey < fine.white)]
    )
    shape = [n for k in here.mask.shape for n in (k, 2)]
    shares = np.stack([part.astype(float).reshape(shape).mean(axis=(1, 3, 5)) for part in known])
    values = np.tensordot([100, 600, 900], shares, 1) + 900 * noise * np.random.default_rng(1).normal(
        size=here.mask.shape
    )
    return values, shares, shares.sum(axis=0) > 0.5


def test_means_are_those_of_pure_voxels_and_shares_those_of_mixed_ones():
    values, shares, mask = mixed(2.0)
    found = segment(values, mask, template.load(2.0), 2.0)
    np.testing.assert_allclose(found.mean, [100, 600, 900], atol=45)
    assert found.deviation == pytest.approx(np.full(3, 27), rel=0.25)
    for k in (1, 2):
        assert found.volumes[k] == pytest.approx(shares[k].sum(), rel=0.05)
    half = mask & (abs(shares[1] - 0.5) < 0.1) & (abs(shares[2] - 0.5) < 0.1)
    assert found.share[1][half].mean() == pytest.approx(0.5, abs=0.1)


def test_what_is_left_of_the_bias_field_does_not_count():
    """A slope of 24 % from left to right makes grey of white matter on one side, and white of grey on the other."""
    values, shares, mask = mixed(2.0)
    box = template.load(2.0)
    slope = np.exp(np.linspace(-0.12, 0.12, values.shape[0]))[:, None, None]
    even, found = (segment(v, mask, box, 2.0).share[1] for v in (values, values * slope))
    left = slice(None, values.shape[0] // 2)
    assert found[left].sum() == pytest.approx(even[left].sum(), rel=0.02)
    assert np.sqrt(np.mean((found - shares[1])[mask] ** 2)) < 1.1 * np.sqrt(np.mean((even - shares[1])[mask] ** 2))


def test_how_much_fluid_is_left_around_the_brain_does_not_count():
    values, _, mask = mixed(2.0)
    box, values = template.load(2.0), np.where(mask, values, 100)
    some, more = (ndimage.binary_dilation(mask, iterations=k) for k in (2, 4))
    once, again = (segment(values, wide, box, 2.0).volumes for wide in (some, more))
    assert np.count_nonzero(more & ~some) > once[0]
    assert again == pytest.approx(once, rel=0.05)


def test_kinds_of_voxels_are_whole():
    np.testing.assert_allclose(SHARES.sum(axis=1), 1)


def test_brightness_the_other_way_round_is_seen():
    """Fluid brighter than grey, grey brighter than white matter: a T2-weighted scan."""
    box = template.load(4.0)
    assert np.all(np.diff(segment(1 - box.t1, box.mask, box, 4.0).mean) < 0)


def test_the_template_itself():
    box = template.load(4.0)
    tissues = segment(box.t1, box.mask, box, 4.0)
    known = np.argmax([0 * box.grey + 0.3, box.grey, box.white], axis=0)
    grey = (tissues.labels == 2)[box.mask]
    assert (grey == (known == 1)[box.mask]).mean() > 0.8
    whole = tissues.share.sum(axis=0)
    assert np.all((abs(whole - 1) < 1e-5) | (whole == 0)), "all or nothing of a voxel"
    assert not np.any((whole > 0) & ~box.mask)
    assert 0.85 * box.mask.sum() < tissues.volumes.sum() < box.mask.sum()


def test_brightness_and_contrast_change_nothing():
    box = template.load(4.0)
    once = segment(box.t1, box.mask, box, 4.0)
    brighter, paler = (segment(values, box.mask, box, 4.0) for values in (3 * box.t1, box.t1 + 1 / 3))
    assert (once.labels == brighter.labels).mean() > 0.999
    assert (once.labels == paler.labels).mean() > 0.99, "a field is a factor, and finds less to explain"


def test_priors_are_probabilities():
    box = template.load(4.0)
    found = priors(box, box.mask, 4.0)
    np.testing.assert_allclose(found.sum(axis=0), box.mask, atol=1e-5)
    assert found[:, box.mask].min() > 0
