import numpy as np
import pytest

from triptych.mri import template


@pytest.mark.parametrize("step", [2.0, 4.0])
def test_the_box_holds_the_whole_brain_and_its_mirror_image(step):
    here = template.load(step)
    assert np.prod(np.array(here.mask.shape)) * step**3 == 160 * 192 * 160
    assert here.mask.sum() * here.voxel_ml == pytest.approx(1883, rel=0.03)
    np.testing.assert_allclose(here.grey, here.grey[::-1], atol=0.01)
    assert here.affine[0, 3] == -80 + step / 2


def test_the_brain_touches_no_side_of_the_box():
    rim = template.load(2.0).mask.copy()
    rim[1:-1, 1:-1, 1:-1] = False
    assert not rim.any()


def test_tissues_are_where_they_should_be():
    here = template.load(2.0)

    def at(array, *mm):
        return array[tuple(np.rint(np.linalg.inv(here.affine) @ [*mm, 1]).astype(int)[:3])]

    assert at(here.white, -28, -10, 30) > 0.9
    assert at(here.grey, -13, 8, 10) > 0.5  # caudate nucleus
    assert at(here.white, -13, 8, 10) < 0.4
