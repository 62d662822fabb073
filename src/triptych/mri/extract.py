"""Brain extraction: a surface grows from the middle of the head until it meets what is darker than brain (BET, Smith 2002).

Written from the paper, in numpy, on voxels of 2 mm: the surface's own triangles are 4 mm wide.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from triptych.mri.sphere import sphere
from triptych.mri.volume import Volume, border, coarse, largest, resample

STEP = 2.0  # mm
TALL = 165.0  # mm below the top of the head that are looked at: a long neck would draw the centre down
ROUNDS = 500  # the paper has 1000; on three heads of IXI the overlap with their labels is best between 250 and 500
SHARPEST, ROUNDEST = 3.33, 10.0  # mm: radii of curvature between which the surface is smoothed more and more
DEEP, NEAR = 20.0, 10.0  # mm inward along which the darkest and the brightest voxel are sought
THRESHOLD = 0.5  # between what is dark and the brightest near: where the brain ends
EMPTY, LARGEST = (
    0.97,
    2200.0,
)  # of a stripped scan: least share of one value outside, most ml (docs/mri-preprocessing.md)
LIGHT = 0.1  # of the range of intensities: what is head and not air


@dataclass(frozen=True)
class Look:
    """What a scan looks like before extraction.

    Attributes
    ----------
    stripped
        Whether the skull was removed already.
    head_ml
        Volume of what is brighter than air.
    empty
        Share of the voxels outside that hold exactly the value that most of the image's border holds.
    """

    stripped: bool
    head_ml: float
    empty: float


def look(volume: Volume) -> Look:
    """Tell a brain in empty space from a head."""
    small = coarse(volume, STEP)
    low, high = _range(small.values)
    head = largest(ndimage.binary_opening(small.values > low + LIGHT * (high - low)))
    head = ndimage.binary_fill_holes(head)
    ml = float(head.sum() * small.voxel_ml)
    air = volume.values[resample(small.of(head), volume.values.shape, volume.affine, order=0).values < 0.5]
    empty = float(np.mean(air == border(volume.values))) if air.size else 0.0
    return Look(empty > EMPTY and ml < LARGEST, ml, empty)


def extract(volume: Volume) -> Volume:
    """The brain's mask (0 or 1) on the grid of the scan; nothing where there is no head.

    Parameters
    ----------
    volume
        A head, right-anterior-superior, bias field removed.
    """
    small = coarse(volume, STEP)
    values, voxel = small.values, small.voxel
    low, high = _range(values)
    light = low + LIGHT * (high - low)
    top = _top(values > light, voxel[2])
    below = max(top - int(TALL / voxel[2]), 0)
    head = np.clip(values, low, high) * (values > light)
    head[:, :, :below] = 0
    centre = np.array(ndimage.center_of_mass(head)) * voxel
    radius = float(np.cbrt(3 * np.count_nonzero(head) * np.prod(voxel) / (4 * np.pi)))
    near = sum(
        (np.arange(n).reshape([-1 if k == a else 1 for a in range(3)]) * voxel[k] - centre[k]) ** 2
        for k, n in enumerate(values.shape)
    )
    within = (near < radius**2) & (values > low) & (values < high)
    if not within.any():
        return volume.of(np.zeros(volume.values.shape))
    typical = float(np.median(values[within]))
    surface = _grow(values, voxel, centre, radius / 2, (low, light, typical))
    mask = _filled(surface, values.shape, voxel)
    return back(small.of(mask), volume)


def back(mask: Volume, volume: Volume) -> Volume:
    """A mask on finer voxels; its outermost voxels reach to the border of the image."""
    if mask.values.shape == volume.values.shape:
        return mask
    grown = Volume(np.pad(mask.values, 1, mode="edge"), mask.affine.copy())
    grown.affine[:3, 3] -= mask.affine[:3, :3].sum(axis=1)
    return volume.of(resample(grown, volume.values.shape, volume.affine).values > 0.5)


def brain_of_stripped(volume: Volume) -> Volume:
    """The mask (0 or 1) of a brain whose skull was removed already: what is not empty."""
    mask = ndimage.binary_closing(largest(volume.values != border(volume.values)), iterations=2)
    return volume.of(ndimage.binary_fill_holes(mask))


def _range(values: np.ndarray) -> tuple[float, float]:
    """2nd and 98th percentile; of what is not the darkest value when most of the image is that."""
    low, high = np.percentile(values, [2, 98])
    if high <= low:
        high = np.percentile(values[values > values.min()], 98) if (values > values.min()).any() else low + 1
    return float(low), float(high)


def _top(head: np.ndarray, step: float) -> int:
    """Highest slice in which the head covers a square of 4 cm."""
    areas = ndimage.binary_opening(head).sum(axis=(0, 1))
    wide = np.flatnonzero(areas * step**2 > 1600)
    return int(wide[-1]) + 1 if len(wide) else head.shape[2]


def _grow(
    values: np.ndarray, voxel: np.ndarray, centre: np.ndarray, radius: float, levels: tuple[float, float, float]
) -> np.ndarray:
    """Vertices (n, 3) of the surface in mm from the first voxel, after ``ROUNDS`` moves (Smith 2002, equations 2 to 13)."""
    low, light, typical = levels
    mesh = sphere()
    vertices = centre + radius * mesh.vertices
    middle, steep = (1 / SHARPEST + 1 / ROUNDEST) / 2, 6 / (1 / SHARPEST - 1 / ROUNDEST)
    along = np.arange(0, DEEP + 1e-6, STEP)
    last = np.array(values.shape) - 1
    spacing = mesh.spacing(vertices)
    for k in range(ROUNDS):
        normals = mesh.normals(vertices)
        towards = mesh.middles(vertices) - vertices
        out = np.einsum("ij,ij->i", towards, normals)
        if k % 10 == 0:
            spacing = mesh.spacing(vertices)
        bend = 2 * np.abs(out) / spacing**2  # one over the radius of curvature
        smooth = (1 + np.tanh(steep * (bend - middle))) / 2
        inward = vertices[:, None] - along[None, :, None] * normals[:, None]
        index = np.clip(np.rint(inward / voxel).astype(np.int32), 0, last)
        seen = values[index[..., 0], index[..., 1], index[..., 2]]
        dark = np.maximum(low, np.minimum(typical, seen.min(axis=1)))
        bright = np.minimum(typical, np.maximum(light, seen[:, along <= NEAR].max(axis=1)))
        edge = (bright - low) * THRESHOLD + low
        push = 0.05 * 2 * (dark - edge) / (bright - low) * spacing
        vertices = vertices + 0.5 * (towards - out[:, None] * normals) + ((smooth * out) + push)[:, None] * normals
    return vertices


def _filled(vertices: np.ndarray, shape: tuple[int, ...], voxel: np.ndarray) -> np.ndarray:
    """Voxels inside a closed surface and on it."""
    points = np.rint(sphere().points(vertices / voxel, 0.7)).astype(int) + 1
    shell = np.zeros(np.array(shape) + 2, bool)
    shell[tuple(np.clip(points, 0, np.array(shell.shape) - 1).T)] = True
    return ndimage.binary_fill_holes(shell)[1:-1, 1:-1, 1:-1]
