"""A file that cannot be used says why; nothing is mended in silence."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from triptych.errors import DataError
from triptych.mri.reading import read

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])


@pytest.fixture
def values():
    return np.random.default_rng(1).normal(100, 10, (12, 14, 16)).astype(np.float32)


def saved(path, values, affine=AFFINE, **codes):
    image = nib.Nifti1Image(values, affine)
    image.set_sform(affine, codes.get("sform", 1))
    image.set_qform(codes.get("other", affine), codes.get("qform", 1))
    nib.save(image, path)
    return path


def test_a_sound_file(tmp_path, values):
    found = read(saved(tmp_path / "a.nii.gz", values))
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.affine, AFFINE)


def test_a_fourth_axis_of_one_is_no_fourth_axis(tmp_path, values):
    assert read(saved(tmp_path / "a.nii", values[..., None])).values.shape == values.shape


def cut(path, values):
    raw = saved(path, values).read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def plain(path, content):
    path.write_bytes(content)


def with_numbers(values, number):
    spoilt = values.copy()
    spoilt[:2] = number
    return spoilt


FAULTS = {
    "truncated": (lambda p, v: cut(p, v), "cannot be read as a volume"),
    "zero bytes": (lambda p, v: plain(p, b""), "cannot be read as a volume"),
    "text": (lambda p, v: plain(p, gzip.compress(b"version https://git-lfs")), "cannot be read as a volume"),
    "not there": (lambda p, v: None, "cannot be read as a volume"),
    "no number": (lambda p, v: saved(p, with_numbers(v, np.nan)), "hold no number"),
    "infinite": (lambda p, v: saved(p, with_numbers(v, np.inf)), "hold no number"),
    "constant": (lambda p, v: saved(p, np.full_like(v, 7)), "all voxels hold 7"),
    "metres": (lambda p, v: saved(p, v, np.diag([0.002, 0.002, 0.002, 1])), "voxels of 0.002 x 0.002 x 0.002 mm"),
    "4-D": (lambda p, v: saved(p, np.stack([v, v], axis=-1)), "12 x 14 x 16 x 2 voxels are no volume"),
    "2-D": (lambda p, v: saved(p, v[:, :, 0]), "are no volume"),
    "one slice": (lambda p, v: saved(p, v[:, :, :1]), "are no volume"),
    "no affine": (lambda p, v: saved(p, v, sform=0, qform=0), "neither sform nor qform is set"),
    "two affines": (lambda p, v: saved(p, v, other=np.diag([-2.0, 2, 2, 1])), "sform and qform disagree by 48.0 mm"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_file_says_what_is_wrong(tmp_path, values, fault):
    spoil, words = FAULTS[fault]
    path = tmp_path / "a.nii.gz"
    spoil(path, values)
    with pytest.raises(DataError, match=words) as error:
        read(path)
    assert str(path) in str(error.value)


def test_a_huge_field_of_view_is_refused_before_it_is_read(tmp_path, values):
    path = saved(tmp_path / "a.nii", values)
    raw = bytearray(path.read_bytes())
    raw[42:48] = np.array([2000, 2000, 2000], "<i2").tobytes()
    path.write_bytes(raw)
    with pytest.raises(DataError, match="would need more than 5 GB"):
        read(path)


def test_a_sheared_affine(tmp_path, values):
    sheared = AFFINE.copy()
    sheared[0, 1] = 0.5
    image = nib.Nifti1Image(values, sheared)
    image.set_qform(None, 0)
    nib.save(image, tmp_path / "a.nii")
    with pytest.raises(DataError, match="sheared"):
        read(tmp_path / "a.nii")
