from dataclasses import replace

import numpy as np
import pytest
from small_head import OPTIONS

from triptych.mri.chain import preprocess
from triptych.mri.columns import COLUMNS, QUALITY
from triptych.mri.quality import distances, faults, on_border
from triptych.mri.volume import Volume

GOOD = {
    "mri_qc_dice": 0.95,
    "mri_qc_fit": 0.5,
    "mri_qc_margin": 0.3,
    "mri_qc_scale": 0.9,
    "mri_qc_shear": 1.1,
}
MEANS = np.array([0.2, 0.5, 0.9])


def test_a_sound_scan_has_every_measure_and_no_fault(found):
    assert found.faults == []
    assert set(QUALITY) <= set(found.columns)
    assert set(found.columns) - {c for c in found.columns if c.startswith("mri_roi_")} <= set(COLUMNS)
    assert all(np.isfinite(value) for value in found.columns.values())
    assert set(found.steps) >= {"bias field", "brain extraction", "registration", "tissues"}
    assert found.steps["registration"]["peak_mb"] > 50


@pytest.mark.parametrize(
    ("change", "ml", "means", "words"),
    [
        ({"mri_qc_dice": 0.6}, 1500, MEANS, "registration failed: the brain and the template's overlap by Dice 0.60"),
        ({}, 90, MEANS, "the brain mask holds 90 ml"),
        ({}, 1500, MEANS[::-1], "not those of a T1-weighted scan"),
        ({"mri_qc_fit": 0.2, "mri_qc_margin": 0.15}, 1500, MEANS, "failed: correlation 0.20 with the template, 0.05"),
        ({"mri_qc_fit": 0.2, "mri_qc_margin": -0.05}, 1500, MEANS, "0.25 with the template upside down"),
        (
            {"mri_qc_margin": -0.2},
            1500,
            MEANS,
            "the orientation is wrong, or the registration: the brain fits the template upside",
        ),
        (
            {"mri_qc_margin": 0.05},
            1500,
            MEANS,
            "failed: correlation 0.50 with the template, 0.45 with the template upside",
        ),
        ({"mri_qc_scale": 3.0}, 1500, MEANS, "stretches the volume 3.00 times"),
    ],
)
def test_each_fault_is_told(change, ml, means, words):
    assert faults(GOOD, 1500, MEANS, 0.85, "upside down") == []
    assert words in faults({**GOOD, **change}, ml, means, 0.85, "upside down")[0].reason


def test_a_brain_that_is_none_is_caught():
    """A ball of noise: it is laid on the template, and its score is low."""
    shape = (44, 44, 44)
    x = np.stack(np.meshgrid(*[np.arange(n) - 21.5 for n in shape], indexing="ij"))
    inside = np.abs(x).max(axis=0) < 14
    values = np.where(inside, 100 + 20 * np.random.default_rng(1).normal(size=shape), 0).astype(np.float32)
    found = preprocess(Volume(values, np.diag([4.0, 4, 4, 1])), replace(OPTIONS, skull="stripped"))
    assert found.faults


def test_border():
    mask = np.zeros((10, 10, 10), bool)
    mask[3:7, 3:7, 3:7] = True
    assert on_border(mask) == 0
    mask[:, 3:7, 3:7] = True
    assert 0.1 < on_border(mask) < 0.5


def test_the_odd_one_is_farthest():
    random = np.random.default_rng(1)
    table = random.normal(size=(40, 5))
    table[7, 2] = 30
    table[:, 4] = 1.0  # says nothing
    table[3, 0] = np.nan
    distance, z = distances(table)
    assert distance.argmax() == 7
    assert np.nanargmax(np.abs(z[7])) == 2
    assert np.isfinite(distance).all()
    np.testing.assert_allclose(distances(table * 3 + 5)[0], distance)
