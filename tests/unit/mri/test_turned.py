"""Brains that lie otherwise than their header says are found, whatever their outline."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from small_head import OPTIONS

from triptych.mri import template
from triptych.mri.chain import preprocess
from triptych.mri.quality import FITS, MARGIN
from triptych.mri.turned import fit
from triptych.mri.volume import Volume

BOX = template.load(4.0)
FLIPS = {"upside down": (2,), "back to front": (1,), "upside down and back to front": (1, 2)}


def turned(scan, way):
    """A scan whose header is wrong: voxels flipped, or axes exchanged, and the affine as if nothing had happened."""
    if way in FLIPS:
        return scan.of(np.flip(scan.values, FLIPS[way]))
    return Volume(np.ascontiguousarray(scan.values.swapaxes(*way)), scan.affine)


def test_the_template_fits_itself_as_it_is_and_in_either_handedness():
    whole = Volume(BOX.t1 * BOX.mask, BOX.affine)
    found = fit(whole)
    assert found.upright > 0.99
    assert found.margin > 3 * MARGIN
    assert fit(whole.of(whole.values[::-1])).margin == pytest.approx(found.margin, abs=0.02)
    assert fit(whole.of(3 * whole.values)).margin == pytest.approx(found.margin, abs=1e-4)


@pytest.mark.parametrize("way", FLIPS)
def test_which_way_it_is_turned(way):
    whole = Volume(BOX.t1 * BOX.mask, BOX.affine)
    found = fit(turned(whole, way))
    assert found.way == way
    assert found.margin < -MARGIN


def test_every_way_in_which_axes_can_be_exchanged():
    whole = Volume(BOX.t1 * BOX.mask, BOX.affine)
    for order in itertools.permutations(range(3)):
        if order != (0, 1, 2):
            values = np.zeros(BOX.mask.shape)
            part = whole.values.transpose(order)[: values.shape[0], : values.shape[1], : values.shape[2]]
            values[tuple(map(slice, part.shape))] = part
            assert fit(whole.of(values)).margin < MARGIN, order


def ball(kind):
    """A ball that is brighter inside, or a cube of noise, in empty space."""
    shape = (44, 44, 44)
    away = np.stack(np.meshgrid(*[np.arange(n) - 21.5 for n in shape], indexing="ij"))
    random = np.random.default_rng(1)
    if kind == "ball":
        radius = np.sqrt(np.square(away).sum(axis=0))
        values = np.where(radius < 17, 1000 - 40 * radius + 5 * random.normal(size=shape), 0)
    else:
        values = np.where(np.abs(away).max(axis=0) < 14, 100 + 20 * random.normal(size=shape), 0)
    return Volume(values.astype(np.float32), np.diag([4.0, 4, 4, 1]))


@pytest.mark.parametrize("kind", ["ball", "cube"])
def test_what_looks_the_same_from_all_sides_fits_in_no_way_best(kind):
    found = preprocess(ball(kind), replace(OPTIONS, skull="stripped"))
    assert found.columns["mri_qc_margin"] < MARGIN
    assert found.faults


def test_right_heads_fit_by_far_best_as_they_are(found):
    assert found.columns["mri_qc_margin"] > 2 * MARGIN
    assert found.columns["mri_qc_fit"] > 1.5 * FITS


def test_a_brain_upside_down_is_set_aside(stripped):
    found = preprocess(turned(stripped, "upside down"), OPTIONS)
    assert "the brain fits the template upside down" in found.faults[0].reason


@pytest.mark.slow
@pytest.mark.parametrize("way", ["back to front", "upside down and back to front", (0, 1), (0, 2), (1, 2)], ids=str)
def test_a_brain_turned_otherwise_is_set_aside(stripped, way):
    assert "the template" in preprocess(turned(stripped, way), OPTIONS).faults[0].reason


@pytest.mark.slow
@pytest.mark.parametrize("way", [*FLIPS, (0, 1), (0, 2)], ids=str)
def test_a_head_turned_otherwise_is_set_aside(scan, way):
    assert "the template" in preprocess(turned(scan, way), OPTIONS).faults[0].reason
