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
