"""Faces removed in one class only: the control that sees what lies outside the brain tells the classes, and only then."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from triptych import plugins
from triptych.controls import USE
from triptych.mri import arrays
from triptych.phantom import mri as phantom
from triptych.tables import Examples

VOXEL = 6.0  # mm
NEAR = 8.0  # mm around the brain that a program for removing faces leaves alone


def without_face(scan, mask):
    """All in front and below of the brain's middle is 0, but for the brain and what lies near it."""
    _, y, z = (np.tensordot(scan.affine[k, :3], np.indices(scan.values.shape), 1) + scan.affine[k, 3] for k in range(3))
    near = ndimage.distance_transform_edt(~mask, sampling=VOXEL) <= NEAR
    return scan.of(np.where((y > 0) & (z < 0) & ~near, 0, scan.values))


@pytest.fixture(scope="module")
def heads():
    """Forty heads of three sites: scan, brain, affine."""
    made = [phantom.head(phantom.Person(k), phantom.SITES[k % 3], voxel=VOXEL) for k in range(40)]
    return [(phantom.canonical_truth(head), head.truth.mask, head.truth.matrix) for head in made]


def auc_of_background(heads, y, removed, folder):
    """AUC of the control on the second half, learned from the first."""
    paths = []
    for k, (scan, mask, matrix) in enumerate(heads):
        scan = without_face(scan, mask) if removed[k] else scan
        paths.append(str(folder / f"{k}.npy"))
        np.save(paths[-1], arrays.background(scan, matrix, float(np.percentile(scan.values[mask], 99))))
    table = pd.DataFrame({"cohort": "c", "participant_id": [f"p{k}" for k in range(len(heads))], "session_id": "ses-1"})
    rows = Examples(
        table.assign(y=y, mri_background=paths), {"control-background": ["mri_background"]}, "classification"
    )
    control = plugins.load("models", USE["background"])
    train, test = rows.take(np.arange(20)), rows.take(np.arange(20, 40))
    fitted = control.fit(train, control.Options(), blocks=["control-background"], seed=1, device="cpu")
    return roc_auc_score(test.y, fitted.predict(test)["score"])


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_faces_removed_in_one_class_are_found(heads, tmp_path, share):
    y = (np.random.default_rng(1).permutation(40) < 40 * share).astype(int)
    assert auc_of_background(heads, y, y == 1, tmp_path) > 0.95


def test_faces_removed_in_all_or_none_tell_nothing(heads, tmp_path):
    random = np.random.default_rng(2)
    found = [
        auc_of_background(heads, random.permutation(40) % 2, np.full(40, removed), tmp_path)
        for removed in (False, True, False, True)
    ]
    assert abs(np.mean(found) - 0.5) < 0.2
