import numpy as np
import pytest

from triptych.mri.sphere import sphere


def test_a_closed_surface():
    mesh = sphere()
    n, m = len(mesh.vertices), len(mesh.faces)
    assert (n, m) == (2562, 5120)
    edges = np.sort(np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]]), axis=1)
    _, times = np.unique(edges, axis=0, return_counts=True)
    assert np.all(times == 2), "each edge belongs to two triangles"
    assert n - len(times) + m == 2  # Euler
    assert np.bincount(mesh.degree.astype(int).ravel()).tolist() == [0, 0, 0, 0, 0, 12, 2550]


def test_normals_point_outwards_and_neighbours_are_near():
    mesh = sphere()
    moved = 30 * mesh.vertices + [5, 6, 7]
    assert np.einsum("ij,ij->i", mesh.normals(moved), mesh.vertices).min() > 0.99
    np.testing.assert_allclose(np.linalg.norm(mesh.middles(moved) - moved, axis=1).max(), 0, atol=0.3)
    assert mesh.spacing(moved) == pytest.approx(30 * mesh.spacing(mesh.vertices))


def test_points_cover_the_surface():
    points = sphere().points(sphere().vertices * 20, 0.7)
    radius = np.linalg.norm(points, axis=1)
    assert 19.9 < radius.min() <= radius.max() <= 20.0001
    voxels = np.unique(np.rint(points).astype(int), axis=0)
    assert len(voxels) > 4 * np.pi * 20**2  # no hole
