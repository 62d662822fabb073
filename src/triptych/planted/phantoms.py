"""Simulated heads and tiles: all alike as heads and tissues are, each with what only one person has."""

import numpy as np
from scipy import ndimage

STEP = 4.0  # mm
SHAPE = (48, 62, 64)
AFFINE = np.diag([STEP, STEP, STEP, 1.0])
CENTRE = np.array([0.0, 0.0, 26.0])  # mm, of the brain, from the middle of the grid
BRAIN = np.array([66.0, 84.0, 62.0])  # mm, half axes
SIDE = 224  # of a tile


def field(random: np.random.Generator, shape: tuple[int, ...], width: float) -> np.ndarray:
    """A smooth random field of standard deviation 1, with bumps of some ``width`` voxels, float32; its edges wrap around."""
    found = random.normal(size=shape).astype(np.float32)
    box = 2 * round(width / 2) + 1
    for _ in range(3):  # three box filters are nearly a Gaussian, and cheap
        found = ndimage.uniform_filter(found, box, mode="wrap")
    return (found - found.mean()) / found.std()


def head(random: np.random.Generator) -> np.ndarray:
    """A T1-weighted head with face and neck (48, 62, 64), right-anterior-superior, 4 mm, float32.

    White matter, grey matter, ventricles, fluid, skull, scalp. People differ in size and shape, in the folds of the cortex, in
    the size of the ventricles and in smooth differences of brightness.
    """
    size = 1 + 0.04 * random.normal() + 0.03 * random.normal(size=3)
    x = np.stack(np.meshgrid(*[STEP * (np.arange(n) - (n - 1) / 2) for n in SHAPE], indexing="ij")).astype(np.float32)
    place = x - CENTRE[:, None, None, None] + 2.0 * np.stack([field(random, SHAPE, 12) for _ in range(3)])
    half = (BRAIN * size)[:, None, None, None]
    depth = np.sqrt(np.square(place / half).sum(axis=0))
    folds = depth + 0.09 * _symmetric(random, 5) + 0.06 * _symmetric(random, 9)
    image = _step(1.32 - depth) * 70  # scalp
    image -= _step(1.22 - depth) * 60  # skull
    image += _step(1.05 - depth) * 20  # fluid
    image += _step(1.0 - folds) * 50  # grey matter
    image += _step(0.78 - folds) * 40  # white matter
    for side in (-1, 1):
        middle = np.array([side * 14.0, -5.0, 5.0])[:, None, None, None]
        axes = (np.array([7.0, 28.0, 10.0]) * np.exp(0.25 * random.normal(size=3)))[:, None, None, None]
        image -= _step(1.0 - np.sqrt(np.square((place - middle) / axes).sum(axis=0))) * 85
    face = np.sqrt(
        np.square(
            (x - np.array([0, 62.0, -45.0])[:, None, None, None]) / np.array([52, 42, 62.0])[:, None, None, None]
        ).sum(axis=0)
    )
    neck = np.maximum(np.hypot(x[0] / 55, (x[1] + 25) / 60), (x[2] + 10) / 30 + 1e-3 * depth)
    soft = np.maximum(_step(1.0 - face), _step(1.0 - neck)) * (70 + 12 * field(random, SHAPE, 6))
    image = np.where(depth > 1.3, np.maximum(image, soft), image)
    return np.maximum(image * (1 + 0.05 * _symmetric(random, 8)), 0).astype(np.float32)


def _symmetric(random: np.random.Generator, width: float) -> np.ndarray:
    """A smooth random field on the head, most of it equal on both sides."""
    whole = field(random, SHAPE, width)
    return 0.6 * (whole + whole[::-1]) + 0.5 * field(random, SHAPE, width)


def _step(distance: np.ndarray) -> np.ndarray:
    """0 outside, 1 inside, soft over the width of a voxel."""
    return np.clip(distance / 0.06 + 0.5, 0, 1)


def tile(random: np.random.Generator) -> np.ndarray:
    """A stained tile (224, 224, 3), uint8: nuclei of haematoxylin in tissue of eosin."""
    shape = (SIDE, SIDE)
    tissue = np.clip(0.6 + 0.35 * field(random, shape, 28) + 0.15 * field(random, shape, 7), 0, None)
    crowd = 1.7 - 0.5 * field(random, shape, 40)
    nuclei = np.clip(3 * (field(random, shape, 6) - crowd), 0, 1.5)
    return stained(nuclei, tissue)


def stained(haematoxylin: np.ndarray, eosin: np.ndarray, stains: np.ndarray | None = None) -> np.ndarray:
    """Amounts of two stains (height, width) as a picture; absorption as Ruifrok and Johnston (2001) give it, or others (2, 3)."""
    stains = STAINS if stains is None else stains
    density = haematoxylin[..., None] * stains[0] + eosin[..., None] * stains[1]
    return np.clip(256 * np.exp(-density) - 1, 0, 255).astype(np.uint8)


STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]])
