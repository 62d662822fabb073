import hashlib
import json
import subprocess
import sys
from dataclasses import asdict

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from small_head import OPTIONS, VOXEL

from triptych.mri.arrays import brain
from triptych.mri.joining import ScanResult, quality_table
from triptych.mri.page import page
from triptych.mri.processing import process
from triptych.mri.template import SPACE
from triptych.phantom import mri as phantom
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
        "sub-1_desc-brain_mask.json",
        "sub-1_desc-brain_mask.nii.gz",
        f"sub-1_from-T1w_to-{SPACE}_mode-image_xfm.json",
        f"sub-1_from-T1w_to-{SPACE}_mode-image_xfm.txt",
        f"sub-1_space-{SPACE}_desc-brain_mask.json",
        f"sub-1_space-{SPACE}_desc-brain_mask.nii.gz",
        f"sub-1_space-{SPACE}_desc-preproc_T1w.json",
        f"sub-1_space-{SPACE}_desc-preproc_T1w.nii.gz",
        f"sub-1_space-{SPACE}_dseg.json",
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


def test_an_error_that_nobody_foresaw_sets_the_scan_aside_and_is_in_the_log(tmp_path, capsys):
    bids = {"status": "ok", "files": {"t1w": [f"{'long' * 80}.nii.gz", ""]}}  # the name of no file can be so long
    status = process(bids, tmp_path, "sub-1", tmp_path / "derivatives", tmp_path / "here", asdict(OPTIONS))
    assert status["status"] == "quarantined"
    assert status["reason"].startswith("unexpected error: OSError: [Errno 36] File name too long")
    assert "log" in status["advice"]
    log = capsys.readouterr().err
    assert "Traceback" in log
    assert "processing.py" in log


LITTLE_MEMORY = """
import json, resource, sys
from pathlib import Path
from triptych.mri.processing import process
size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 100 * 2**20, size + 100 * 2**20))
here = Path(sys.argv[1])
bids = {"status": "ok", "files": {"t1w": ["raw.nii", ""]}}
print(json.dumps(process(bids, here, "sub-1", here / "derivatives", here / "here", {})))
"""


def test_too_little_memory_sets_the_scan_aside(tmp_path):
    values = np.random.default_rng(1).integers(0, 999, (256, 256, 240)).astype(np.int16)  # 30 MB, and 60 MB as float32
    nib.save(nib.Nifti1Image(values, np.eye(4)), tmp_path / "raw.nii")
    done = subprocess.run([sys.executable, "-c", LITTLE_MEMORY, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    status = json.loads(done.stdout)
    assert status["status"] == "quarantined"
    assert "MemoryError" in status["reason"]
    assert "Traceback" in done.stderr


@pytest.mark.parametrize("offset", [-2000, 30000])
def test_something_added_to_all_intensities_changes_nothing(done, made, tmp_path, offset):
    """Air is about 0 before, and far from it after: some conversions to unsigned or Hounsfield-like numbers do that."""
    moved = made.image.get_fdata(dtype=np.float32) + np.float32(offset)
    nib.save(nib.Nifti1Image(moved, made.image.affine, made.image.header), tmp_path / "raw.nii.gz")
    status = processed(tmp_path)
    assert status["status"] == "ok", status["reason"]
    assert "moved by as much" in " ".join(status["notes"]["said"])
    before, after = np.load(done[0] / "here/t1w.npy"), np.load(tmp_path / "here/t1w.npy")
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.99
    assert status["columns"]["mri_gm_ml"] == pytest.approx(done[1]["columns"]["mri_gm_ml"], rel=0.03)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.float64])
def test_intensities_of_eight_bytes(done, made, tmp_path, dtype):
    values = made.image.get_fdata()
    values = values.astype(dtype) if dtype is np.float64 else np.round(values * 10).astype(dtype)
    image = nib.Nifti1Image(values, made.image.affine, dtype=dtype)
    image.header.set_xyzt_units("mm")
    nib.save(image, tmp_path / "raw.nii.gz")
    assert nib.load(tmp_path / "raw.nii.gz").get_data_dtype() == dtype
    status = processed(tmp_path)
    assert status["status"] == "ok", status["reason"]
    before, after = np.load(done[0] / "here/t1w.npy"), np.load(tmp_path / "here/t1w.npy")
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.99


def flair(made):
    """The same head as a FLAIR scan shows it: no fluid, grey matter brighter than white; its name says T1w."""
    fluid, grey, white = made.truth.probability
    outside = phantom.canonical_truth(made).values / 800
    values = np.where(made.truth.mask, 0.1 * fluid + 1.0 * grey + 0.7 * white, 0.6 * outside)
    values += 0.03 * np.abs(np.random.default_rng(1).normal(size=values.shape))
    image = nib.Nifti1Image((800 * values).astype(np.float32), phantom.canonical_truth(made).affine)
    image.header.set_xyzt_units("mm")
    return image


@pytest.mark.parametrize("skull", [True, False], ids=["head", "stripped"])
def test_a_flair_scan_named_t1w_is_set_aside_by_its_pixels(tmp_path, skull):
    head = phantom.head(phantom.Person(3), phantom.SITES[1], voxel=VOXEL, skull=skull)
    nib.save(flair(head), tmp_path / "raw.nii.gz")
    status = processed(tmp_path)
    assert status["status"] == "quarantined"
    assert "T1-weighted" in status["reason"]


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
