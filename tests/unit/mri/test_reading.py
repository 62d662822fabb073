import json

import nibabel as nib
import numpy as np
import pytest

from triptych.bids.verdict import Unusable
from triptych.mri.reading import acquisition, read


@pytest.fixture
def values():
    return np.random.default_rng(1).integers(0, 1000, (40, 44, 48)).astype(np.int16)


def saved(path, values, affine):
    nib.save(nib.Nifti1Image(values, affine), path)
    return path


def test_slope_and_order_of_axes_are_taken_from_the_header(tmp_path, values):
    affine = np.diag([-2.0, 2, 2, 1])
    affine[0, 3] = 78
    path = saved(tmp_path / "a.nii.gz", values, affine)
    image = nib.load(path)
    image.header.set_slope_inter(0.5, 10)
    nib.save(image, tmp_path / "b.nii.gz")
    found = read(tmp_path / "b.nii.gz", [])
    np.testing.assert_allclose(found.values, nib.load(tmp_path / "b.nii.gz").get_fdata()[::-1])
    np.testing.assert_allclose(found.affine, np.diag([2.0, 2, 2, 1]))


def test_a_broken_file_is_told(tmp_path, values):
    path = saved(tmp_path / "a.nii", values, np.eye(4) * [2, 2, 2, 1])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(Unusable, match="cut off"):
        read(path, [])


def test_what_the_sidecar_says_of_the_scanner(tmp_path):
    assert acquisition(tmp_path / "a_T1w.nii.gz") == {"mri_scanner": None, "mri_field": None}
    said = {"Manufacturer": "Maker", "ManufacturersModelName": "One", "MagneticFieldStrength": 3}
    (tmp_path / "a_T1w.json").write_text(json.dumps(said))
    assert acquisition(tmp_path / "a_T1w.nii.gz") == {"mri_scanner": "Maker One", "mri_field": 3.0}


def test_air_is_moved_to_zero_where_something_was_added(tmp_path):
    """A head in noisy air is left as it is; the same, moved, comes back; so does a brain in empty space."""
    random = np.random.default_rng(1)
    inside = np.zeros((40, 40, 40), bool)
    inside[10:30, 10:30, 10:30] = True
    head = np.where(inside, 500, 0) + np.abs(20 * random.normal(size=inside.shape))
    brain = np.where(inside, head, 0)
    affine, notes = np.diag([4.0, 4, 4, 1]), []
    plain = read(saved(tmp_path / "a.nii", head.astype(np.float32), affine), notes)
    np.testing.assert_array_equal(plain.values, head.astype(np.float32))
    assert notes == ["voxels of 4 x 4 x 4 mm are coarse"]
    for offset in (-2000, 4000):
        moved = read(saved(tmp_path / "b.nii", (head + offset).astype(np.float32), affine), notes)
        np.testing.assert_allclose(moved.values, head, atol=1)
        assert f"the darkest intensity was {offset}" in notes.pop()
    found = read(saved(tmp_path / "c.nii", (brain - 2000).astype(np.float32), affine), notes)
    assert np.all(found.values[~inside] == 0)
    np.testing.assert_allclose(found.values, brain, atol=1e-3)
