"""What a histology tile looks like: one vector for each of the eight ways to lay it, four quarter turns and their mirror images.

Low cosine frequencies of the optical density: another stain or scanner rescales it, recompression changes high frequencies only.
"""

import numpy as np
from scipy.fft import dctn

from triptych.errors import DataError

SIDE = 32  # fields along each side that the tile is reduced to
FREQUENCIES = 16  # cosines along each side
LOWEST = 2  # cosines of a lower order than this are uneven light


def embed(tile: np.ndarray) -> np.ndarray:
    """Vectors (8, d), float32; the first is the tile as it is.

    Parameters
    ----------
    tile
        Red, green and blue (height, width, 3), uint8.

    Raises
    ------
    DataError
        When it is no such tile, or shows nothing.
    """
    if tile.ndim != 3 or tile.shape[2] != 3 or tile.dtype != np.uint8:
        raise DataError(f"no tile of 8-bit red, green and blue: shape {tile.shape}, {tile.dtype}")
    if min(tile.shape[:2]) < SIDE:
        raise DataError(f"a tile of {tile.shape[0]} x {tile.shape[1]}; {SIDE} x {SIDE} is the least")
    waves = dctn(_fields(tile), norm="ortho")[:FREQUENCIES, :FREQUENCIES]
    order = np.add.outer(np.arange(FREQUENCIES), np.arange(FREQUENCIES))
    waves = np.where(order < LOWEST, 0, waves)
    length = np.linalg.norm(waves)
    if length < 1e-6:
        raise DataError("the tile is one colour")
    odd = np.where(np.arange(FREQUENCIES) % 2, -1.0, 1.0)  # odd cosines change their sign in a mirror
    ways = [w * a * b for w in (waves, waves.T) for a in (1, odd) for b in (1, odd[:, None])]
    return (np.stack(ways).reshape(8, -1) / length).astype(np.float32)


def _fields(tile: np.ndarray) -> np.ndarray:
    """Mean optical density of SIDE x SIDE fields."""
    density = -np.log((tile.astype(np.float32) + 1) / 256).mean(axis=2)
    rows, columns = (np.linspace(0, n, SIDE + 1).astype(int)[:-1] for n in density.shape)
    sums = np.add.reduceat(np.add.reduceat(density, rows, axis=0), columns, axis=1)
    sizes = np.outer(np.diff([*rows, density.shape[0]]), np.diff([*columns, density.shape[1]]))
    return sums / sizes
