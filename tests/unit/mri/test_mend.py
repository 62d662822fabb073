"""A lobe that brain extraction left out comes back, what it left of the rest of the head goes; nothing else changes."""

import nibabel as nib
import numpy as np
import pytest
from small_head import OPTIONS

from triptych.mri import extract, template
from triptych.mri.bias import correct
from triptych.mri.chain import preprocess
from triptych.mri.mend import mend
from triptych.mri.reading import read
from triptych.mri.register import to_template
from triptych.mri.volume import Volume, dice
from triptych.phantom import mri as phantom

HERE = np.eye(4)


@pytest.fixture(scope="module")
def box():
    return template.load(2.0)


@pytest.fixture(scope="module")
def pole(box):
    """The left temporal pole in the template's brain."""
    at = np.moveaxis(np.indices(box.mask.shape), 0, -1) @ box.affine[:3, :3].T + box.affine[:3, 3]
    return box.mask & (at[..., 0] < -25) & (at[..., 1] > -20) & (at[..., 1] < 30) & (at[..., 2] < -18)


def test_a_lobe_that_was_cut_off_comes_back(box, pole):
    cut = Volume((box.mask & ~pole).astype(np.float32), box.affine)
    mended = mend(cut, Volume(box.t1 * box.mask, box.affine), HERE, box).values > 0.5
    assert pole.sum() * box.voxel_ml > 20
    assert mended[pole].mean() > 0.9
    assert (mended & ~box.mask).sum() < 0.01 * box.mask.sum()


def test_fluid_does_not_come_back(box, pole):
    cut = Volume((box.mask & ~pole).astype(np.float32), box.affine)
    assert mend(cut, Volume(np.where(pole, 0.1, box.t1) * box.mask, box.affine), HERE, box) is cut


def test_a_mask_that_lacks_nothing_stays(box):
    whole = Volume(box.mask.astype(np.float32), box.affine)
    assert mend(whole, Volume(box.t1, box.affine), HERE, box) is whole


@pytest.mark.slow
def test_a_simulated_head_with_a_wide_fissure():
    """Two fifths of the grey matter of the pole are lost: the surface stops at the fissure, before some 20 ml."""
    made = phantom.head(phantom.Person(110_014, size=0.95, loss=0.4), phantom.SITES[1], voxel=2.0)
    scan = phantom.canonical_truth(made)
    grey = made.truth.probability[1] * scan.voxel_ml
    first = extract.extract(correct(scan).volume).values > 0.5
    mask = preprocess(scan, OPTIONS).mask.values > 0.5
    assert grey[~first].sum() > 10, "else this test shows nothing"
    assert grey[~mask].sum() < 0.6 * grey[~first].sum()


def test_what_lies_far_outside_goes(box):
    neck = np.zeros_like(box.mask)
    neck[45:55, 40:50, :30] = True
    values = Volume(np.where(neck, 0.8, box.t1 * box.mask), box.affine)
    mended = mend(Volume((box.mask | neck).astype(np.float32), box.affine), values, HERE, box).values > 0.5
    assert mended[box.mask].all()
    assert (neck & ~box.mask).sum() * box.voxel_ml > 2
    assert (mended & ~box.mask).sum() < 0.7 * (neck & ~box.mask).sum(), "but for what lies within 5 mm"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["IXI013-HH-1212", "IXI039-HH-1261"])
def test_a_real_head_overlaps_more_with_its_labels(data_root, box, name):
    found = sorted((data_root / "mri/ixi/t1w_2mm").glob(f"{name}*.nii.gz"))
    if not found:
        pytest.skip(f"no head {name} of IXI below the data root")
    scan = read(found[0], [])
    mask = extract.extract(correct(scan).volume)
    corrected = correct(scan, mask).volume
    matrix = to_template(corrected.of(corrected.values * mask.values), mask).matrix
    mended = mend(mask, corrected, matrix, box)
    labels = nib.load(data_root / "mri/ixi/dlmuse_2mm" / found[0].name.replace("_ds", "_ds_DLMUSE"))
    labels = np.asarray(nib.as_closest_canonical(labels).dataobj).squeeze() > 0
    before, after = (dice(labels, m.values > 0.5) for m in (mask, mended))
    assert after > before + 0.003
    assert not (mended.values > mask.values).any(), "nothing is given back"
