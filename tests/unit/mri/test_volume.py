import nibabel as nib
import numpy as np
import pytest

from triptych.mri.volume import canonical, coarse, dice, from_itk, largest, resample, to_itk

AFFINE = np.array([[2.0, 0, 0, -10], [0, 2, 0, -30], [0, 0, 3, 5], [0, 0, 0, 1]])


@pytest.fixture
def lopsided():
    """No two voxels alike, no symmetry."""
    return canonical(np.arange(6 * 7 * 8, dtype=np.float32).reshape(6, 7, 8), AFFINE)


@pytest.mark.parametrize("axes", ["RAS", "LAS", "PSR", "IAL", "LPI"])
def test_any_order_of_axes_comes_back_exactly(lopsided, axes):
    there = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(AFFINE), nib.orientations.axcodes2ornt(tuple(axes))
    )
    stored = nib.Nifti1Image(lopsided.values, AFFINE).as_reoriented(there)
    assert axes == "".join(nib.aff2axcodes(stored.affine))
    back = canonical(stored.get_fdata(), stored.affine)
    np.testing.assert_array_equal(back.values, lopsided.values)
    np.testing.assert_array_equal(back.affine, lopsided.affine)


def test_simple_itk_sees_the_same_places(lopsided):
    image = to_itk(lopsided)
    place = np.array(image.TransformIndexToPhysicalPoint([1, 2, 3]))
    np.testing.assert_allclose(place * [-1, -1, 1], (AFFINE @ [1, 2, 3, 1])[:3])
    assert image.GetPixel(1, 2, 3) == lopsided.values[1, 2, 3]
    np.testing.assert_array_equal(from_itk(image, lopsided).values, lopsided.values)


def test_resampling_to_the_same_grid_changes_nothing(lopsided):
    # voxels of 2 x 2 x 3 mm on themselves: nothing is coarser, so nothing is smoothed
    np.testing.assert_allclose(resample(lopsided, (6, 7, 8), AFFINE).values, lopsided.values, atol=1e-4)


def test_a_matrix_moves_what_is_seen(lopsided):
    shift = np.eye(4)
    shift[0, 3] = 2  # the grid's origin shows what lies 2 mm further right: one voxel
    moved = resample(lopsided, (5, 7, 8), AFFINE, shift)
    np.testing.assert_allclose(moved.values, lopsided.values[1:], atol=1e-4)


def test_coarse_voxels_keep_the_middle_and_the_mean():
    values = np.zeros((40, 40, 40), np.float32)
    values[12:20, 16:24, 20:28] = 1
    fine = canonical(values, np.diag([1.0, 1, 1, 1]))
    small = coarse(fine, 4)
    assert small.values.shape == (10, 10, 10)

    def middle(volume):
        where = np.argwhere(volume.values > -1)
        weights = volume.values.ravel()
        return volume.affine @ [*(where * weights[:, None]).sum(axis=0) / weights.sum(), 1]

    np.testing.assert_allclose(middle(small), middle(fine), atol=0.02)
    assert small.values.sum() * small.voxel_ml == pytest.approx(fine.values.sum() * fine.voxel_ml, rel=0.02)


def test_a_coarse_volume_stays_as_it_is(lopsided):
    assert coarse(lopsided, 1.0) is lopsided


def test_masks():
    mask = np.zeros((9, 9, 9), bool)
    mask[1:3, 1:3, 1:3] = mask[5, 5, 5] = True
    assert largest(mask).sum() == 8
    assert dice(mask, mask) == 1
    assert dice(mask, ~mask) == 0
    assert dice(mask & False, mask & False) == 0
