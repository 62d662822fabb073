import nibabel as nib
import numpy as np
import pytest

from triptych.mri.extract import brain_of_stripped, extract, look
from triptych.mri.reading import read
from triptych.mri.volume import dice, resample


def test_the_brain_of_a_head(found, made):
    assert not found.look.stripped
    assert dice(found.mask.values > 0.5, made.truth.mask) > 0.9
    assert found.columns["mri_brain_ml"] == pytest.approx(made.truth.ml["brain"], rel=0.15)


def test_a_stripped_brain_is_seen_and_kept_as_it_is(stripped):
    assert look(stripped).stripped
    mask = brain_of_stripped(stripped)
    assert dice(mask.values > 0.5, stripped.values > 0) > 0.99


def test_position_does_not_matter(scan, found):
    wide = np.pad(scan.values, ((3, 9), (5, 2), (6, 1)), mode="edge")
    moved = extract(scan.of(wide)).values[3:-9, 5:-2, 6:-1] > 0.5
    assert dice(moved, found.mask.values > 0.5) > 0.95


def test_where_there_is_no_head_there_is_no_brain(scan):
    assert not extract(scan.of(np.zeros(scan.values.shape))).values.any()


def test_real_heads_and_real_brains_are_told_apart(data_root):
    heads = sorted((data_root / "mri/ixi/t1w_2mm").glob("*.nii.gz"))[:2]
    brains = sorted((data_root / "mri/ds002748/t1w_2mm").glob("sub-*/anat/*.nii.gz"))[:2]
    if not heads or not brains:
        pytest.skip("no heads of IXI or brains of ds002748 below the data root")
    assert [look(read(path, [])).stripped for path in heads + brains] == [False, False, True, True]


def test_a_real_head_against_its_labels(data_root):
    path = data_root / "mri/ixi/t1w_2mm/IXI013-HH-1212-T1_ds.nii.gz"
    labels = data_root / "mri/ixi/dlmuse_2mm/IXI013-HH-1212-T1_ds_DLMUSE.nii.gz"
    if not path.is_file():
        pytest.skip(f"no {path}")
    scan = read(path, [])
    known = nib.load(labels)
    known = resample(
        scan.of(np.asarray(nib.as_closest_canonical(known).dataobj) > 0), scan.values.shape, scan.affine, order=0
    )
    mask = extract(scan).values > 0.5
    assert dice(mask, known.values > 0.5) > 0.9
