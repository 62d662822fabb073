"""Derivatives are a valid BIDS data set, and none outlives its scan."""

import json
from dataclasses import asdict
from pathlib import Path

import nibabel as nib
import pytest
from small_head import OPTIONS

from triptych.bids import validator
from triptych.mri import derivatives
from triptych.mri.processing import process

NAMES = {"sub-1": "sub-1/anat/sub-1_T1w.nii.gz", "sub-2_ses-a_run-02": "sub-2/ses-a/anat/sub-2_ses-a_run-02_T1w.nii.gz"}


@pytest.fixture
def written(found, tmp_path):
    """Two scans: the data set of derivatives, and the folder of their arrays."""
    folder, scans = tmp_path / "derivatives", tmp_path / "scans"
    for name, source in NAMES.items():
        derivatives.write(found, name, folder, scans / name, source)
        (scans / name / derivatives.STATUS).write_text("{}")
    derivatives.describe(folder, "1.0", "../bids")
    return folder, scans


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_bids_validator_finds_no_error(written):
    folder, _ = written
    validator.refuse_errors(issues := validator.validate(folder), folder)
    assert "SIDECAR_KEY_REQUIRED" not in set(issues["code"])
    (folder / "sub-1/anat/sub-1_brain.nii.gz").write_bytes(b"")
    assert (validator.validate(folder)["severity"] == "error").any(), "what has no place in BIDS is seen"


def test_sidecars_say_where_images_come_from(written):
    folder, _ = written
    images = sorted(folder.rglob("*.nii.gz"))
    assert len(images) == 8
    for path in images:
        said = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())
        name = next(name for name in NAMES if path.name.startswith(f"{name}_"))
        assert said["Sources"] == [f"bids:raw:{NAMES[name]}"]
        assert ("SpatialReference" in said) == ("_space-" in path.name)
        assert ("SkullStripped" in said) == path.name.endswith("_T1w.nii.gz")
    assert json.loads((folder / "dataset_description.json").read_text())["DatasetLinks"] == {"raw": "../bids"}


def test_the_path_of_a_scan_in_its_data_set():
    assert derivatives.within(Path("/data/sub-9/bids/sub-1/ses-2/anat/sub-1_ses-2_T1w.nii.gz")) == (
        "sub-1/ses-2/anat/sub-1_ses-2_T1w.nii.gz"
    )
    assert derivatives.within(Path("raw.nii.gz")) == "raw.nii.gz"


def test_nothing_is_left_of_a_scan_that_is_set_aside(written):
    folder, scans = written
    others = {name for name in files(folder) if not name.startswith("sub-1")}
    derivatives.remove("sub-1", folder, scans / "sub-1")
    assert files(folder) == others
    assert files(scans / "sub-1") == {derivatives.STATUS}


def test_nothing_is_left_of_a_scan_that_is_no_longer_in_the_cohort(written):
    folder, scans = written
    kept = {name for name in files(folder) if not name.startswith("sub-2")}
    (scans / "sub-2_ses-a_run-02/bids.json").write_text("{}")
    (folder / "sub-1/anat/.123.sub-1_dseg.nii.gz").write_bytes(b"of a job that was killed")
    derivatives.remove_others(["sub-1"], folder, scans)
    assert files(folder) == kept
    assert not (folder / "sub-2").exists()
    assert files(scans / "sub-2_ses-a_run-02") == {"bids.json"}, "what another job has made stays"
    assert files(scans / "sub-1") == {"t1w.npy", "background.npy", "picture.png", derivatives.STATUS}


@pytest.mark.parametrize("fault", ["a broken file", "set aside before"])
def test_a_scan_that_is_quarantined_later_leaves_nothing(made, tmp_path, fault):
    bids = {"status": "ok", "files": {"t1w": ["raw.nii.gz", ""]}}
    where = (tmp_path, "sub-1", tmp_path / "derivatives", tmp_path / "here", asdict(OPTIONS))
    nib.save(made.image, tmp_path / "raw.nii.gz")
    assert process(bids, *where)["status"] == "ok"
    if fault == "a broken file":
        (tmp_path / "raw.nii.gz").write_bytes(b"")
    else:
        bids = {"status": "quarantined", "reason": "one slice only", "advice": "", "files": {}}
    assert process(bids, *where)["status"] == "quarantined"
    assert files(tmp_path) == {"raw.nii.gz"}
