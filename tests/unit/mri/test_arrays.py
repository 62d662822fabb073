import numpy as np

from triptych.mri import arrays, template
from triptych.mri.volume import resample


def test_the_background_holds_no_brain(found, scan):
    assert found.background.dtype == np.float16
    _, affine = template.grid(arrays.COARSE, template.WIDE_LOW, template.WIDE_HIGH)
    box = template.load(4.0)
    brain = resample(found.brain.of(box.mask), found.background.shape, affine).values > 0.02
    assert not found.background[brain].any()
    assert (found.background > 0.3).sum() > 100, "scalp and neck are there"


def test_a_stripped_brain_has_no_background(stripped):
    assert arrays.background(stripped, np.eye(4), 500.0).max() < 0.2


def test_what_models_read(found):
    array = arrays.brain(found.brain.values)
    assert array.dtype == np.float16
    assert array.shape == (40, 48, 40)
    assert array.flags["C_CONTIGUOUS"]
    assert 0 <= array.min() <= array.max() <= 1.5
