import numpy as np
import pytest

from triptych.mri import template
from triptych.mri.segment import priors, segment


def test_volumes_against_the_truth(found, made):
    for tissue in ("gm", "wm"):
        assert found.columns[f"mri_{tissue}_ml"] == pytest.approx(made.truth.ml[tissue], rel=0.12), tissue
    assert np.all(np.diff(found.tissues.mean) > 0)


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
    np.testing.assert_allclose(tissues.probability.sum(axis=0), box.mask, atol=1e-5)
    assert tissues.volumes.sum() == pytest.approx(box.mask.sum())


def test_brightness_and_contrast_change_nothing():
    box = template.load(4.0)
    once = segment(box.t1, box.mask, box, 4.0)
    other = segment(3 * box.t1 + 1, box.mask, box, 4.0)
    assert (once.labels == other.labels).mean() > 0.999


def test_priors_are_probabilities():
    box = template.load(4.0)
    found = priors(box, box.mask, 4.0)
    np.testing.assert_allclose(found.sum(axis=0), box.mask, atol=1e-5)
    assert found[:, box.mask].min() > 0
