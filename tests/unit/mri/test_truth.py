"""Simulated heads of realistic voxels: volumes and a planted loss of grey matter against the truth."""

import numpy as np
import pytest

from triptych.mri import regions, template
from triptych.mri.chain import Options, preprocess
from triptych.mri.columns import numbered
from triptych.phantom import mri as phantom

pytestmark = pytest.mark.slow
LOSS = 0.4
TOLERANCE = {"gm": 0.1, "wm": 0.1, "csf": 0.25}


def seen(loss, skull):
    """A head of 2 mm: truth, columns."""
    made = phantom.head(phantom.Person(21, size=0.95, loss=loss), phantom.SITES[2], voxel=2.0, skull=skull)
    return made.truth.ml, preprocess(phantom.canonical_truth(made), Options()).columns


@pytest.fixture(scope="module", params=[True, False], ids=["skull", "stripped"])
def pair(request):
    return seen(0.0, request.param), seen(LOSS, request.param)


def there():
    """The region on the left in whose grey matter the loss was planted, and its mirror image."""
    box, labels = template.load(2.0), regions.parcels(100, 2.0)
    places = np.argwhere(labels > 0) @ box.affine[:3, :3].T + box.affine[:3, 3]
    near = np.linalg.norm(places - phantom.PLACE, axis=1) < 12
    region = int(np.bincount(labels[labels > 0][near]).argmax())
    return region, region + 50


def test_volumes(pair):
    for truth, columns in pair:
        for tissue, most in TOLERANCE.items():
            assert columns[f"mri_{tissue}_ml"] == pytest.approx(truth[tissue], rel=most), tissue


def test_the_planted_loss_is_found_where_it_was_planted(pair):
    (whole, before), (less, after) = pair
    left, right = (after[numbered(k)] / before[numbered(k)] for k in there())
    assert left == pytest.approx(1 - LOSS, abs=0.15)
    assert right == pytest.approx(1, abs=0.07)
    lost = before["mri_gm_ml"] - after["mri_gm_ml"]
    assert lost == pytest.approx(whole["gm"] - less["gm"], rel=0.6), "1 to 2 % of all grey matter"
