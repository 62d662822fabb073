"""What a T1-weighted head looks like, as one vector for the image and one for its mirror image.

Made to be the same for two files of one head: another voxel size, a shift, a rotation of some degrees, another contrast curve,
noise, a bias field, a removed face or a left-right flip change it little. Low frequencies of two maps on a coarse grid, centred
on and scaled to the head: where there is tissue, and how bright it is against its surroundings.
"""

import numpy as np
from scipy import ndimage, optimize, spatial, stats
from scipy.fft import dctn

from triptych.errors import DataError

STEP = 4.0  # mm: edge of the cubes that a volume is first reduced to
GRID, REACH = 24, 2.6  # nodes along each axis, and how far they reach: root mean square radii of the head
LOWEST, HIGHEST = 5, 9  # orders of cosines: what is left of a bias field lies in the lower ones of the inside
SOFT = 6.0  # cosines of this order count .6, so that a small turn changes little
MOST = 0.35  # radians: the largest turn that is undone
TALL = 100.0  # mm below the top of the head that are looked at: neck and chin depend on the field of view
EDGE = 16.0  # mm under the surface up to which air may be mixed in
WIDE, FINE = 14.0, 3.0  # mm, standard deviations: of what counts as bias field, and of the smoothing before ranking
LEVEL = 0.35  # of the median brightness of tissue: where air ends
FEWEST = 200  # cubes of STEP mm that a head must fill, at least


def embed(image: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Vectors (2, d), float32: of the volume and of its mirror image.

    Parameters
    ----------
    image
        Intensities (x, y, z); no-numbers count as air.
    affine
        Voxel to millimetres (4, 4), right-anterior-superior.

    Raises
    ------
    DataError
        When it is no volume, is constant, or holds too little that is brighter than air.
    """
    cubes = _cubes(_canonical(np.asarray(image), np.asarray(affine, float)))
    mask, even = _head(cubes)
    maps = [ndimage.gaussian_filter(mask.astype(np.float32), 1), _contrast(even, mask)]
    frame = _frame(maps, mask)
    parts = [_waves(part, frame, orders) for part, orders in zip(maps, (_HULL, _INSIDE), strict=True)]
    vector = np.concatenate(parts)
    mirror = np.where(np.concatenate([_HULL[0], _INSIDE[0]]) % 2, -1, 1)  # odd cosines change their sign in a mirror
    return np.stack([vector, vector * mirror]).astype(np.float32)


def _orders(lowest: int) -> np.ndarray:
    """Orders of the cosines along each axis (3, d), within a shell."""
    return np.array([k for k in np.ndindex((HIGHEST,) * 3) if lowest**2 <= sum(i * i for i in k) < HIGHEST**2]).T


_HULL, _INSIDE = _orders(1), _orders(LOWEST)


def _waves(part: np.ndarray, frame: tuple[np.ndarray, np.ndarray, float], orders: np.ndarray) -> np.ndarray:
    """Cosines (d,) of a map in the frame of the head, at length 1; the higher the order, the less it counts."""
    found = dctn(_on_grid(part, *frame), norm="ortho")[tuple(orders)]
    found = found * np.exp(-0.5 * np.square(orders).sum(axis=0) / SOFT**2)
    return found / (np.linalg.norm(found) or 1.0)


def _canonical(image: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Axes right, anterior, superior, as near as the axes of the file come; and the voxel size in mm (3,)."""
    if image.ndim != 3 or min(image.shape) < 8:
        raise DataError(f"no volume: its shape is {image.shape}")
    _, axes = optimize.linear_sum_assignment(-np.abs(affine[:3, :3]))
    image = np.transpose(image, axes)
    turned = [slice(None, None, -1 if affine[k, axes[k]] < 0 else 1) for k in range(3)]
    size = np.linalg.norm(affine[:3, :3], axis=0)[axes]
    if not (np.isfinite(size).all() and size.min() > 0):
        raise DataError("the affine gives no voxel size")
    return image[tuple(turned)], size


def _cubes(canonical: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Mean intensities of cubes of STEP mm, float32."""
    image, size = canonical
    image = np.nan_to_num(image.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    whole = np.maximum(1, np.floor(STEP / size + 1e-3)).astype(int)  # blocks of voxels are averaged first: cheap
    shape = [n // w * w for n, w in zip(image.shape, whole, strict=True)]
    image = image[tuple(slice(n) for n in shape)]
    image = image.reshape([m for n, w in zip(shape, whole, strict=True) for m in (n // w, w)]).mean(axis=(1, 3, 5))
    zoom = size * whole / STEP
    return (
        image if np.allclose(zoom, 1, atol=0.02) else ndimage.zoom(image, zoom, order=1, grid_mode=True, mode="nearest")
    )


def _head(cubes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hull of the head, bool, and the logarithm of the intensities without the bias field.

    The hull is what is brighter than air, its largest piece, holes and furrows filled, the neck cut off.
    """
    smooth = ndimage.gaussian_filter(cubes, FINE / STEP)
    top = np.quantile(smooth, 0.98)
    if not top > smooth.min():
        raise DataError("the volume is constant")
    rough = smooth > _between(np.clip(smooth, None, top))
    usual = np.median(smooth[rough])
    log = np.log(np.maximum(smooth / usual, 0.1))
    mask = _without_bias(log, rough) > np.log(LEVEL)
    labels, n = ndimage.label(mask)
    if n > 1:
        mask = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    if mask.sum() < FEWEST:
        raise DataError(f"no head: only {int(mask.sum() * (STEP / 10) ** 3)} cm3 are brighter than air")
    wide = np.pad(mask, 4)
    mask = ndimage.binary_fill_holes(ndimage.binary_closing(wide, iterations=3))[4:-4, 4:-4, 4:-4]
    mask[..., : max(0, int(np.flatnonzero(mask.any(axis=(0, 1)))[-1] + 1 - TALL / STEP))] = False
    return mask, _without_bias(log, mask)


def _without_bias(log: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Logarithms without what is bright over a width of WIDE mm within a mask; nothing is known of a field far outside."""
    weight = ndimage.gaussian_filter(inside.astype(np.float32), WIDE / STEP)
    around = ndimage.gaussian_filter(np.where(inside, log, 0), WIDE / STEP) / np.maximum(weight, 1e-6)
    return log - np.where(weight > 0.02, around, 0)


def _between(values: np.ndarray) -> float:
    """The threshold that parts dark from bright best (Otsu 1979)."""
    counts, edges = np.histogram(values, 128)
    middle = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)[:-1]
    above = below[-1] + counts[-1] - below
    sums = np.cumsum(counts * middle)
    gap = sums[:-1] / np.maximum(below, 1) - (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    return float(edges[1 + np.argmax(below * above * gap**2)])


def _contrast(even: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Rank, around 0, of the brightness within the head: no contrast curve changes it; 0 outside and towards the edge."""
    ranks = np.zeros(mask.shape, np.float32)
    ranks[mask] = stats.rankdata(even[mask]) / mask.sum() - 0.5
    return ranks * np.clip(2 * ndimage.gaussian_filter(mask.astype(np.float32), EDGE / 2 / STEP) - 1, 0, 1)


def _frame(maps: list[np.ndarray], mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Rotation (3, 3), centre (3,) and step in cubes of a grid that lies in the head as it lies in every head.

    The centre is that of the head; the left half is the mirror image of the right as nearly as can be; the long axis of the head
    is level.
    """
    where = np.argwhere(mask)
    centre = where.mean(axis=0)
    spread = np.cov((where - centre).T)
    step = 2 * REACH * np.sqrt(np.trace(spread) / 3) / GRID
    (_, yy, yz), zz = spread[1], spread[2, 2]
    pitch = np.clip(0.5 * np.arctan2(2 * yz, yy - zz), -MOST, MOST)

    def asymmetry(turn: np.ndarray) -> float:
        rotation = _rotation(pitch, turn[0], turn[1])
        grids = [_on_grid(part, rotation, centre + rotation[:, 0] * turn[2] * 10, 2 * step, GRID // 2) for part in maps]
        return sum(float(np.square(grid - grid[::-1]).sum() / np.square(grid).sum()) for grid in grids)

    best = optimize.minimize(
        asymmetry,
        np.zeros(3),
        method="Powell",
        bounds=[(-MOST, MOST)] * 3,
        options={"xtol": 0.01, "ftol": 1e-3, "maxfev": 120},
    ).x
    rotation = _rotation(pitch, best[0], best[1])
    return rotation, centre + rotation[:, 0] * best[2] * 10, step


def _rotation(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """Rotation (3, 3) by small angles around left-right, up-down and front-back."""
    return spatial.transform.Rotation.from_euler("xzy", [pitch, yaw, roll]).as_matrix()


def _on_grid(part: np.ndarray, rotation: np.ndarray, centre: np.ndarray, step: float, nodes: int = GRID) -> np.ndarray:
    """Values of a map at the nodes of a grid around a centre."""
    turn = rotation * step
    return ndimage.affine_transform(part, turn, centre - turn @ np.full(3, (nodes - 1) / 2), (nodes,) * 3, order=1)
