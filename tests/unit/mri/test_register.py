import numpy as np
import pytest

from triptych.mri import template
from triptych.mri.register import judge, to_itk_transform, to_template
from triptych.mri.volume import FLIP
from triptych.phantom import mri as phantom


def test_the_affine_is_recovered(found, made, corners):
    """Corners of a box of 16 x 19 x 16 cm, which the brain does not reach."""
    apart = np.linalg.norm((found.registration.matrix @ corners - made.truth.matrix @ corners)[:3], axis=0)
    assert apart.mean() < 5
    assert found.registration.scale == pytest.approx(np.linalg.det(made.truth.matrix), rel=0.06)
    assert found.registration.dice > 0.93


def test_a_stripped_brain_is_found_better(stripped, corners):
    truth = phantom.head(phantom.Person(4), phantom.SITES[0], voxel=4.0, skull=False).truth
    mask = stripped.of(stripped.values > 0)
    got = to_template(stripped, mask, step=4.0)
    apart = np.linalg.norm((got.matrix @ corners - truth.matrix @ corners)[:3], axis=0)
    assert apart.mean() < 4
    again = to_template(stripped, mask, step=4.0)
    np.testing.assert_array_equal(got.matrix, again.matrix)


def test_a_failed_registration_has_a_low_score(stripped):
    mask, box = stripped.of(stripped.values > 0), template.load(4.0)
    turned = np.eye(4)
    turned[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    turned[:3, 3] = [0, 40, 60]
    assert judge(turned, stripped, mask, box).dice < 0.85
    away = np.eye(4)
    away[0, 3] = 500
    nowhere = judge(away, stripped, mask, box)
    assert (nowhere.dice, nowhere.correlation) == (0, 0)


def test_the_matrix_as_a_transform_of_itk():
    matrix = np.eye(4)
    matrix[:3] = [[1.1, 0.1, 0, 4], [-0.1, 0.9, 0.05, -3], [0, 0, 1.05, 7]]
    place = np.array([10.0, -20, 30, 1])
    moved = to_itk_transform(matrix).TransformPoint((FLIP @ place)[:3].tolist())
    np.testing.assert_allclose(FLIP[:3, :3] @ moved, (matrix @ place)[:3])
