"""A triangulated sphere whose vertices can be moved: the surface that brain extraction pulls over a brain."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import sparse

SUBDIVISIONS = 4  # of an icosahedron: 2,562 vertices


@dataclass(frozen=True)
class Sphere:
    """Vertices (n, 3) on the unit sphere; faces (m, 3) turned outwards; six neighbours of each vertex, or five and itself (n, 6).

    ``gather`` (n, m) sums what belongs to the faces around each vertex; ``degree`` (n, 1) counts the neighbours.
    """

    vertices: np.ndarray
    faces: np.ndarray
    neighbours: np.ndarray
    degree: np.ndarray
    gather: sparse.csr_array

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """Outward unit normals (n, 3): the mean of the faces around, by their area."""
        a, b, c = (vertices[self.faces[:, k]] for k in range(3))
        found = self.gather @ _cross(b - a, c - a)
        return found / np.maximum(np.sqrt(np.einsum("ij,ij->i", found, found)), 1e-12)[:, None]

    def middles(self, vertices: np.ndarray) -> np.ndarray:
        """Mean of the neighbours of each vertex (n, 3); a missing sixth neighbour is the vertex itself and does not count."""
        total = vertices[self.neighbours].sum(axis=1) - (6 - self.degree) * vertices
        return total / self.degree

    def spacing(self, vertices: np.ndarray) -> float:
        """Mean distance of neighbours."""
        edges = vertices[self.neighbours] - vertices[:, None]
        return float(np.sqrt(np.einsum("ijk,ijk->ij", edges, edges)).sum() / self.degree.sum())

    def points(self, vertices: np.ndarray, step: float) -> np.ndarray:
        """Points (k, 3) on the surface, no further apart than about ``step``."""
        corners = vertices[self.faces]
        longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max()
        n = max(int(np.ceil(longest / step)), 1)
        i, j = np.array([(i, j) for i in range(n + 1) for j in range(n + 1 - i)]).T
        weights = np.stack([i, j, n - i - j], axis=1) / n
        return np.einsum("pk,fkx->fpx", weights, corners).reshape(-1, 3)


@cache
def sphere() -> Sphere:
    """The sphere of ``SUBDIVISIONS``."""
    golden = (1 + 5**0.5) / 2
    corners = [(0.0, s, t * golden) for s in (-1, 1) for t in (-1, 1)]
    vertices = np.array([np.roll(v, k) for k in range(3) for v in corners])
    distance = np.linalg.norm(vertices[:, None] - vertices[None], axis=2)
    near = np.isclose(distance, 2)
    faces = np.array(
        [(i, j, k) for i in range(12) for j in range(i) for k in range(j) if near[i, j] and near[j, k] and near[i, k]]
    )
    vertices = vertices / np.linalg.norm(vertices[0])
    for _ in range(SUBDIVISIONS):
        vertices, faces = _finer(vertices, faces)
    inward = np.einsum("ij,ij->i", _cross(*_sides(vertices, faces)), vertices[faces[:, 0]]) < 0
    faces[inward] = faces[inward][:, ::-1]
    return _with_neighbours(vertices, faces)


def _finer(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each triangle becomes four; the new vertices lie on the sphere."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, where = np.unique(edges, axis=0, return_inverse=True)
    middle = vertices[unique].mean(axis=1)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    ab, bc, ca = where.reshape(3, -1) + len(vertices)
    a, b, c = faces.T
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.vstack([vertices, middle]), np.vstack([np.stack(part, axis=1) for part in parts])


def _with_neighbours(vertices: np.ndarray, faces: np.ndarray) -> Sphere:
    n, m = len(vertices), len(faces)
    gather = sparse.csr_array((np.ones(3 * m), (faces.ravel(), np.repeat(np.arange(m), 3))), shape=(n, m))
    pairs = np.unique(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=0)
    neighbours = np.repeat(np.arange(n)[:, None], 6, axis=1)
    order = np.argsort(pairs[:, 0], kind="stable")
    first = np.searchsorted(pairs[order, 0], np.arange(n))
    place = np.arange(len(pairs)) - np.repeat(first, np.bincount(pairs[:, 0], minlength=n))
    neighbours[pairs[order, 0], place] = pairs[order, 1]
    return Sphere(vertices, faces, neighbours, np.bincount(pairs[:, 0], minlength=n)[:, None].astype(float), gather)


def _sides(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return b - a, c - a


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross products of rows; numpy's own takes four times as long."""
    x = a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1]
    y = a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2]
    z = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return np.stack([x, y, z], axis=1)
