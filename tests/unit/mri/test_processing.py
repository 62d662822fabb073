import hashlib
import json
from dataclasses import asdict

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from small_head import OPTIONS

from triptych.mri.arrays import brain
from triptych.mri.joining import ScanResult, quality_table
from triptych.mri.page import page
from triptych.mri.processing import process
from triptych.mri.template import SPACE
from triptych.tables import read, write


@pytest.fixture(scope="module")
def done(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    nib.save(made.image, folder / "raw.nii.gz")
    return folder, processed(folder)


def processed(folder, name="sub-1"):
    """The status of the scan ``raw.nii.gz`` of a folder."""
    bids = {"status": "ok", "files": {"t1w": ["raw.nii.gz", ""]}}
    return process(bids, folder, name, folder / "derivatives", folder / "here", asdict(OPTIONS))


def test_files_are_named_as_bids_wants_and_known_by_their_checksums(done):
    folder, status = done
    assert status["status"] == "ok", status["reason"]
    assert sorted(path.name for path in (folder / "derivatives/sub-1/anat").iterdir()) == [
        "sub-1_desc-brain_mask.nii.gz",
        f"sub-1_from-T1w_to-{SPACE}_mode-image_xfm.txt",
        f"sub-1_space-{SPACE}_desc-brain_mask.nii.gz",
        f"sub-1_space-{SPACE}_desc-preproc_T1w.nii.gz",
        f"sub-1_space-{SPACE}_dseg.nii.gz",
    ]
    for path, sha in status["files"].values():
        with open(path, "rb") as stream:
            assert hashlib.file_digest(stream, "sha256").hexdigest() == sha
    assert json.loads(json.dumps(status)) == status
    assert status["notes"]["steps"]["brain extraction"]["cpu_s"] > 0


def test_the_derivatives_lie_in_mni_space(done):
    folder, _ = done
    image = nib.load(folder / "derivatives/sub-1/anat" / f"sub-1_space-{SPACE}_desc-preproc_T1w.nii.gz")
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (4, 4)
    assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
    array = np.load(folder / "here" / "t1w.npy", mmap_mode="r")
    np.testing.assert_allclose(array, image.get_fdata(), atol=1e-3)


def test_the_picture_shows_three_rows(done):
    with Image.open(done[0] / "here" / "picture.png") as picture:
        shown = np.asarray(picture)
    assert shown.shape[2] == 3
    red = (shown == [255, 70, 60]).all(axis=2)
    assert red.sum() > 500, "the outline of the brain"
    rows = np.array_split(shown[22:], 3)
    assert all(row.max(axis=2).mean() > 10 for row in rows)


def test_the_same_scan_gives_the_same_array(done, found):
    np.testing.assert_array_equal(np.load(done[0] / "here" / "t1w.npy"), brain(found.brain.values))
    np.testing.assert_array_equal(np.load(done[0] / "here" / "background.npy"), found.background)


def test_a_broken_file_is_a_status_and_leaves_no_array(done, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "t1w.npy").write_bytes(b"of a former run")
    (tmp_path / "raw.nii.gz").write_bytes(b"")
    status = processed(tmp_path)
    assert (status["status"], status["reason"]) == ("quarantined", "an empty file (0 bytes)")
    assert status["files"] == {}
    assert not (tmp_path / "here" / "t1w.npy").exists()


def no_head(kind):
    """An image of 40 x 40 x 40 voxels that shows no head."""
    random = np.random.default_rng(1)
    values = random.integers(1, 200, (40, 40, 40)).astype(np.int16)
    if kind == "a spot":
        values[:18], values[:, 22:], values[:, :, :15] = 0, 0, 0
        values[22:], values[:, :18], values[:, :, 25:] = 0, 0, 0
    if kind == "a slope":
        values = np.broadcast_to(np.arange(40, dtype=np.int16), values.shape)
    return nib.Nifti1Image(values, np.diag([4.0, 4, 4, 1]))


@pytest.mark.parametrize("kind", ["noise", "a spot", "a slope"])
def test_what_is_no_head_is_set_aside(tmp_path, kind):
    nib.save(no_head(kind), tmp_path / "raw.nii.gz")
    status = processed(tmp_path)
    assert status["status"] == "quarantined"
    assert status["reason"]
    assert "t1w" not in status["files"]


def test_what_was_set_aside_before_stays_aside(tmp_path):
    bids = {"status": "quarantined", "reason": "one slice only", "advice": "give the whole volume", "files": {}}
    status = process(bids, None, "sub-1", tmp_path / "d", tmp_path / "here", asdict(OPTIONS))
    assert [status[key] for key in ("status", "reason", "advice")] == [*bids.values()][:3]


def test_the_page_shows_scans_reasons_and_pictures(done, tmp_path):
    _, status = done
    broken = {"status": "quarantined", "reason": "cut <short>", "advice": "", "files": {}, "columns": {}, "notes": {}}
    results = [ScanResult("1", "ses-1", "sub-1", "a", status), ScanResult("2", "ses-1", "sub-2", "b", broken)]
    said = pd.DataFrame(
        {"name": ["sub-1", "sub-9"], "notes": ["scl_slope is 0 | voxels of <4> mm are coarse", "no scan of these"]}
    )
    write(quality_table(results, said), tmp_path / "quality.tsv")
    html = page("heads", read(tmp_path / "quality.tsv"), results, done[0])
    assert "2 scans, 1 used" in html
    assert "cut &lt;short&gt;" in html
    assert 'src="here/picture.png"' in html
    assert "brain extraction" in html
    assert html.count("scl_slope is 0; voxels of &lt;4&gt; mm are coarse") == 2, "in a table, and below its picture"
    assert "no scan of these" not in html
