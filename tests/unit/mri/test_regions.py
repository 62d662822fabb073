import nibabel as nib
import numpy as np
import pytest

from triptych.errors import DataError
from triptych.mri import regions, template

BOX = template.load(4.0)


def test_regions_are_numbered_by_side_and_mirrored():
    labels = regions.parcels(10, 4.0)
    assert set(np.unique(labels)) == set(range(11))
    x = np.argwhere(labels > 0)[:, 0]
    left = labels[labels > 0] <= 5
    assert (x[left] < 20).all()
    assert (x[~left] >= 20).all()
    mirrored = np.where(labels > 5, labels - 5, np.where(labels > 0, labels + 5, 0))[::-1]
    assert (mirrored == labels).mean() > 0.99
    back = [np.argwhere(labels == k)[:, 1].mean() for k in range(1, 6)]
    assert back == sorted(back)


def test_regions_hold_all_grey_matter_and_are_alike_in_size():
    labels = regions.parcels(10, 4.0)
    volumes = regions.volumes(labels, BOX.grey)
    assert sum(volumes.values()) > 0.98 * BOX.grey.sum()
    assert max(volumes.values()) < 4 * min(volumes.values())


def test_a_planted_loss_is_found_where_it_is():
    labels = regions.parcels(10, 4.0)
    less = np.where(labels == 3, 0.8 * BOX.grey, BOX.grey)
    before, after = regions.volumes(labels, BOX.grey), regions.volumes(labels, less)
    assert {k: after[k] / before[k] for k in before} == pytest.approx({k: 0.8 if k == 3 else 1 for k in before})


def test_an_atlas_of_the_users_own(tmp_path):
    shape, affine = template.grid(2.0, template.WIDE_LOW, template.WIDE_HIGH)
    labels = np.zeros(shape, np.int16)
    labels[: shape[0] // 2], labels[shape[0] // 2 :] = 7, 2001
    nib.save(
        nib.Nifti1Image(labels[::-1], affine @ np.diag([-1, 1, 1, 1.0]) + _shift(affine, shape)), tmp_path / "a.nii.gz"
    )
    found = regions.atlas(tmp_path / "a.nii.gz", 4.0)
    assert set(np.unique(found)) == {7, 2001}
    assert (found[: len(found) // 2] == 7).all()


def _shift(affine, shape):
    """The same places with the first axis counted from the right."""
    move = np.zeros((4, 4))
    move[0, 3] = affine[0, 0] * (shape[0] - 1)
    return move


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((20, 20, 20), 0.5, np.float32), "whole numbers"),
        (np.zeros((20, 20, 20), np.int16), "covers less than 5 %"),
        (None, "cannot be read"),
    ],
)
def test_an_atlas_that_is_none(tmp_path, values, words):
    path = tmp_path / "a.nii.gz"
    if values is None:
        path.write_bytes(b"text")
    else:
        nib.save(nib.Nifti1Image(values, np.diag([4.0, 4, 4, 1])), path)
    with pytest.raises(DataError, match=words):
        regions.atlas(path, 4.0)
