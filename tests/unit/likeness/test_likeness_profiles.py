"""Expression profiles without their unit."""

import numpy as np

from triptych.likeness import profiles


def test_the_unit_does_not_matter():
    counts = np.random.default_rng(0).lognormal(5, 2, (4, 300))
    million = counts / counts.sum(axis=1, keepdims=True) * 1e6
    np.testing.assert_array_equal(profiles.embed(counts), profiles.embed(np.log2(million + 1)))


def test_ranks_are_those_of_the_genes_that_are_known():
    found = profiles.embed(np.array([[3.0, np.nan, 1.0, 2.0], [1.0, 1.0, 5.0, 0.0]]))
    np.testing.assert_allclose(found, [[0.75, np.nan, 0.25, 0.5], [0.5, 0.5, 0.8, 0.2]], rtol=1e-6)
