"""One small head, made and preprocessed once."""

import numpy as np
import pytest
from small_head import OPTIONS, VOXEL

from triptych.mri.chain import preprocess
from triptych.mri.template import HIGH, LOW
from triptych.phantom import mri as phantom


@pytest.fixture(scope="session")
def made():
    """A head of 4 mm with skull, of a scanner that stores it from right to left."""
    return phantom.head(phantom.Person(3), phantom.SITES[1], voxel=VOXEL)


@pytest.fixture(scope="session")
def scan(made):
    return phantom.canonical_truth(made)


@pytest.fixture(scope="session")
def found(scan):
    return preprocess(scan, OPTIONS)


@pytest.fixture(scope="session")
def stripped():
    """The brain of another person in empty space."""
    return phantom.canonical_truth(phantom.head(phantom.Person(4), phantom.SITES[0], voxel=VOXEL, skull=False))


@pytest.fixture
def corners():
    """The corners of the template's box, mm, homogeneous (4, 8)."""
    return np.array([[*np.where([x, y, z], HIGH, LOW), 1] for x in (0, 1) for y in (0, 1) for z in (0, 1)]).T
