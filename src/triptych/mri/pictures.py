"""The picture by which a person judges one scan: the brain's outline, the template's edges, the tissues."""

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from triptych.mri import template
from triptych.mri.chain import Preprocessed
from triptych.mri.volume import Volume, coarse, resample

RED, CYAN = (255, 70, 60), (80, 220, 255)
TISSUE = np.array([[0, 0, 0], [70, 130, 230], [240, 170, 60], [245, 245, 235]], np.uint8)  # none, fluid, grey, white
ROWS = (
    "brain mask on the scan",
    "the template's edges on the registered brain",
    "fluid (blue), grey (orange) and white matter",
)
AXIAL, CORONAL, SAGITTAL = (
    (0.15, 0.3, 0.45, 0.6, 0.75, 0.9),
    (0.4, 0.65),
    (0.35, 0.55),
)  # places, as shares of the brain
TILE = 116  # voxels of 2 mm: width and height of a tile
STEP = 2.0


def picture(found: Preprocessed, title: str) -> Image.Image:
    """Three rows of slices, from bottom to top, back to front and left to right; left is left."""
    scan, mask = coarse(found.scan, STEP), coarse(found.mask, STEP)
    scan, mask = _even(scan), _even(mask)
    box = template.load(STEP)
    brain = resample(found.brain, box.mask.shape, box.affine)
    labels = resample(found.brain.of(found.tissues.labels), box.mask.shape, box.affine, order=0)
    edges = [(box.mask, CYAN), (box.white > 0.5, CYAN)]
    rows = [
        _row(_grey(scan.values), mask.values > 0.5, [(mask.values > 0.5, RED)]),
        _row(_grey(brain.values), box.mask, edges),
        _row(TISSUE[np.round(labels.values).astype(int)], box.mask, []),
    ]
    height = rows[0].shape[0]
    page = Image.new("RGB", (rows[0].shape[1], 3 * height + 22))
    pen = ImageDraw.Draw(page)
    pen.text((6, 5), title, fill=(255, 255, 255))
    for k, (row, words) in enumerate(zip(rows, ROWS, strict=True)):
        page.paste(Image.fromarray(row), (0, 22 + k * height))
        pen.text((6, 24 + k * height), words, fill=(255, 255, 120))
    return page


def _even(volume: Volume) -> Volume:
    """Voxels of 2 mm along each axis, so that slices are not stretched."""
    if np.allclose(volume.voxel, STEP, atol=0.05):
        return volume
    shape = tuple(np.maximum(np.round(np.array(volume.values.shape) * volume.voxel / STEP), 1).astype(int))
    affine = volume.affine.copy()
    affine[:3, :3] *= STEP / volume.voxel
    return resample(volume, shape, affine)


def _grey(values: np.ndarray) -> np.ndarray:
    """Grey levels, three channels, uint8."""
    high = np.percentile(values[values > 0], 99.5) if (values > 0).any() else 1.0
    level = np.clip(values / max(high, 1e-6), 0, 1) * 255
    return np.repeat(level[..., None].astype(np.uint8), 3, axis=-1)


def _row(colours: np.ndarray, mask: np.ndarray, outlines: list[tuple[np.ndarray, tuple[int, int, int]]]) -> np.ndarray:
    """Slices side by side (height, width, 3)."""
    tiles = []
    for axis, shares in ((2, AXIAL), (1, CORONAL), (0, SAGITTAL)):
        extent = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        first, last = (extent[0], extent[-1]) if len(extent) else (0, mask.shape[axis] - 1)
        for share in shares:
            k = round(first + share * (last - first))
            tile = _tile(colours.take(k, axis=axis))
            for outline, colour in outlines:
                tile[_edge(_tile(outline.take(k, axis=axis)))] = colour
            tiles.append(tile)
    return np.concatenate(tiles, axis=1)


def _tile(plane: np.ndarray) -> np.ndarray:
    """A slice turned so that up is up, cut or padded to a square around its middle, twice as large."""
    plane = np.rot90(plane)
    out = np.zeros((TILE, TILE, *plane.shape[2:]), plane.dtype)
    take, put = zip(*[_centred(n) for n in plane.shape[:2]], strict=True)
    out[put] = plane[take]
    return out.repeat(2, axis=0).repeat(2, axis=1)


def _centred(n: int) -> tuple[slice, slice]:
    start, place = max((n - TILE) // 2, 0), max((TILE - n) // 2, 0)
    size = min(n, TILE)
    return slice(start, start + size), slice(place, place + size)


def _edge(mask: np.ndarray) -> np.ndarray:
    return mask & ~ndimage.binary_erosion(mask)
