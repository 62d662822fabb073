"""Volumes that models read: .npy files of one shape, float16, memory-mapped where they lie, so that nothing is decompressed.

A megabyte is read in a fraction of a millisecond when the system still holds it, whatever the number of epochs.  No torch here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from triptych.errors import DataError

AT_ONCE = 256 * 2**20  # bytes of float32 that are held at once where all volumes are looked at together

INFINITE = 0x7C00  # the bits that float16 sets for what is infinite or no number; numpy is slow at asking in other ways


@dataclass(frozen=True)
class Volumes:
    """Files of one shape, looked at and not yet read."""

    paths: tuple[Path, ...]
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, paths: Sequence[Path], shape: tuple[int, int, int] | None = None) -> "Volumes":
        """Open each file once.

        Parameters
        ----------
        shape
            The one that they must have; None: that of the first.

        Raises
        ------
        DataError
            For a file that is missing or broken, is no float16 volume, or has another shape than the others.
        """
        for path in paths:
            found = _opened(path)
            if found.ndim != 3 or found.dtype != np.float16:
                raise DataError(
                    f"{path}: float16 and three axes are wanted, this is {found.dtype} of shape {found.shape}"
                )
            shape = shape or found.shape
            if found.shape != shape:
                raise DataError(
                    f"{path}: shape {found.shape}, while the others have {shape}; images of one task need one grid: "
                    "preprocess their cohorts with the same options"
                )
        if shape is None:
            raise DataError("no image to look at: nobody is left")
        return cls(tuple(paths), shape)

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, rows: Iterable[int]) -> np.ndarray:
        """Some volumes (n, x, y, z), float16.

        Raises
        ------
        DataError
            For a file with values that are no numbers.
        """
        rows = list(rows)
        found = np.empty((len(rows), *self.shape), np.float16)
        for place, row in enumerate(rows):
            found[place] = _opened(self.paths[row])
            if (found[place].view(np.uint16) & INFINITE == INFINITE).any():
                raise DataError(f"{self.paths[row]}: some values are no finite numbers; preprocess the scan again")
        return found

    def columns(self, mask: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """All volumes within a mask (x, y, z), a part at a time: which of its voxels, and their values (n, part), float32."""
        counts = mask.sum(axis=(1, 2))
        most = max(1, AT_ONCE // (4 * max(len(self), 1)))
        start = done = 0
        while start < len(mask):
            stop = start + 1
            while stop < len(mask) and counts[start : stop + 1].sum() <= most:
                stop += 1
            here = slice(done, done + int(counts[start:stop].sum()))
            values = np.empty((len(self), here.stop - here.start), np.float32)
            for row, path in enumerate(self.paths):
                values[row] = _opened(path)[start:stop][mask[start:stop]]
            yield here, values
            start, done = stop, here.stop


@dataclass(frozen=True)
class Summary:
    """What the voxels (x, y, z) of some volumes are like: mean and standard deviation, and the share of rows that are not 0."""

    mean: np.ndarray
    sd: np.ndarray
    filled: np.ndarray

    @property
    def varies(self) -> np.ndarray:
        """Voxels that differ between rows."""
        return self.sd > 0

    @property
    def scale(self) -> tuple[float, float]:
        """Mean and standard deviation of all values at voxels that vary."""
        mean, sd = self.mean[self.varies], self.sd[self.varies]
        center = float(mean.mean())
        return center, float(np.sqrt(np.mean(sd**2 + (mean - center) ** 2)))


def summarise(volumes: Volumes) -> Summary:
    """Look at all volumes, one after the other.

    Raises
    ------
    DataError
        When they are all the same.
    """
    total, squares, filled = (np.zeros(volumes.shape) for _ in range(3))
    first = volumes.read([0])[0].astype(np.float64)  # differences from one of them keep the digits of small deviations
    for row in range(len(volumes)):
        one = volumes.read([row])[0]
        filled += one != 0
        apart = one - first
        total += apart
        squares += apart**2
    n = len(volumes)
    sd = np.sqrt(np.maximum(squares / n - (total / n) ** 2, 0))
    if not (sd > 0).any():
        raise DataError(
            f"no usable input: the images of all {n} training rows are the same (the background of scans that came without "
            "their skull, for example)"
        )
    return Summary((first + total / n).astype(np.float32), sd.astype(np.float32), (filled / n).astype(np.float32))


def _opened(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"{path}: cannot be read as an array ({' '.join(str(error).split())}); remove it, and preprocess the scan again"
        ) from None
