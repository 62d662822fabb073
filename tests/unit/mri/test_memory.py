"""What the largest scans take: however many voxels, the job of one scan stays below what the profiles give it."""

import json
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest

from triptych.mri.volume import bounded, canonical, resample
from triptych.phantom import mri as phantom

MOST_MB = 2000
PROCESS = """
import json, resource, sys
from pathlib import Path
from triptych.mri.processing import process
here = Path(sys.argv[1])
bids = {"status": "ok", "files": {"t1w": ["raw.nii", ""]}}
said = process(bids, here, "sub-1", here / "derivatives", here / "here", {})
# each step forgets the peak of the one before
peaks = [step["peak_mb"] for step in said["notes"].get("steps", {}).values()]
said["peak_mb"] = max(*peaks, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(json.dumps(said))
"""


def large(path, shape, voxel):
    """A head on a fine grid, int16, with noise in every voxel."""
    head = phantom.canonical_truth(phantom.head(phantom.Person(3), phantom.SITES[0], voxel=2.0))
    affine = np.diag([*voxel, 1.0])
    middle = head.affine @ [*(np.array(head.values.shape) - 1) / 2, 1]
    affine[:3, 3] = middle[:3] - (np.array(shape) - 1) / 2 * np.array(voxel)
    values, random = resample(head, shape, affine).values, np.random.default_rng(1)
    for part in values:
        part += 20 * np.abs(random.standard_normal(part.shape, np.float32))
    image = nib.Nifti1Image(values.astype(np.int16), affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "voxel"), [((156, 512, 512), (1.2, 0.45, 0.45)), ((400, 512, 512), (0.5, 0.5, 0.5))], ids=str
)
def test_the_memory_of_a_large_scan_is_bounded(tmp_path, shape, voxel):
    large(tmp_path / "raw.nii", shape, voxel)
    done = subprocess.run([sys.executable, "-c", PROCESS, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["status"] == "ok", said["reason"]
    assert 300 < said["peak_mb"] < MOST_MB
    assert [said["columns"][f"mri_voxel_{axis}"] for axis in "xyz"] == pytest.approx(voxel), "those of the file"
    mask = nib.load(tmp_path / "derivatives/sub-1/anat/sub-1_desc-brain_mask.nii.gz")
    raw = nib.load(tmp_path / "raw.nii")
    assert mask.shape == shape
    np.testing.assert_allclose(mask.affine, raw.affine, atol=1e-4)


def test_a_scan_is_made_coarser_only_where_it_has_too_many_voxels():
    values = np.random.default_rng(1).random((40, 60, 60)).astype(np.float32)
    fine = canonical(values, np.diag([3.0, 1, 1, 1]))
    assert bounded(fine, values.size) is fine
    small = bounded(fine, 50_000)
    assert small.values.size <= 50_000
    assert small.voxel[0] == pytest.approx(3), "the finest axes first"
    assert 1 < small.voxel[1] < 3
    np.testing.assert_allclose(small.voxel * small.values.shape, [120, 60, 60], rtol=0.04)
