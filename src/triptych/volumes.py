"""Volumes that models read: .npy files of one shape, float16, read straight into a batch; nothing is decompressed.

The system keeps what it has read in memory, so that after the first epoch reading is copying.  Mapping the files into memory
would copy the same bytes, page by page.  No torch here.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from triptych.errors import DataError

AT_ONCE = 256 * 2**20  # bytes of float32 that are held at once where all volumes are looked at together

# As whole numbers, float16 from here on are infinite or no numbers, without and with a sign; numpy is slow at asking otherwise.
INFINITE, BELOW = 0x7C00, 0xFC00


@dataclass(frozen=True)
class Volumes:
    """Files of one shape, looked at and not yet read; the values begin after ``start`` bytes."""

    paths: tuple[Path, ...]
    shape: tuple[int, int, int]
    start: int

    @classmethod
    def of(cls, paths: Sequence[Path], shape: tuple[int, ...] | None = None) -> "Volumes":
        """Look at the head and the size of each file.

        Parameters
        ----------
        shape
            The one that they must have; None: that of the first.

        Raises
        ------
        DataError
            For a file that is missing or broken, is no float16 volume, or has another shape than the others.
        """
        if not paths:
            raise DataError("no image to look at: nobody is left")
        head, found = _head(paths[0], shape)
        for path in paths:
            if _begins(path, len(head)) != head:  # equal arrays have equal heads
                _head(path, found)
            if path.stat().st_size != len(head) + 2 * math.prod(found):
                raise _broken(path, f"{path.stat().st_size} bytes, not {len(head) + 2 * math.prod(found)}")
        return cls(tuple(paths), found, len(head))

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
        self.fill(found, rows)
        for place, row in enumerate(rows):
            if found[place].view(np.int16).max() >= INFINITE or found[place].view(np.uint16).max() >= BELOW:
                raise DataError(f"{self.paths[row]}: some values are no finite numbers; preprocess the scan again")
        return found

    def fill(self, into: np.ndarray, rows: Iterable[int]) -> None:
        """Read some volumes into an array (n, x, y, z), float16; their values have been looked at before (``summarise``)."""
        for place, row in enumerate(rows):
            self._fill(into[place], row, 0)

    def columns(self, mask: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """All volumes within a mask (x, y, z), a part at a time: which of its voxels, and their values (n, part), float32."""
        counts = mask.sum(axis=(1, 2))
        most = max(1, AT_ONCE // (4 * max(len(self), 1)))
        first = done = 0
        while first < len(mask):
            last = first + 1
            while last < len(mask) and counts[first : last + 1].sum() <= most:
                last += 1
            here = slice(done, done + int(counts[first:last].sum()))
            values = np.empty((len(self), here.stop - here.start), np.float32)
            slab = np.empty((last - first, *self.shape[1:]), np.float16)
            for row in range(len(self)):
                self._fill(slab, row, first)
                values[row] = slab[mask[first:last]]
            yield here, values
            first, done = last, here.stop

    def _fill(self, into: np.ndarray, row: int, plane: int) -> None:
        """Read planes of a file, from one on, as they lie there."""
        with self.paths[row].open("rb", buffering=0) as stream:
            stream.seek(self.start + 2 * plane * math.prod(self.shape[1:]))
            if stream.readinto(into.data.cast("B")) != into.nbytes:
                raise _broken(self.paths[row], "it ends too early")


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


def _head(path: Path, shape: tuple[int, ...] | None) -> tuple[bytes, tuple[int, int, int]]:
    """What stands before the values, and the shape."""
    try:
        with path.open("rb") as stream:
            np.lib.format.read_magic(stream)
            found, fortran, kind = np.lib.format.read_array_header_1_0(stream)
            length = stream.tell()
    except (OSError, ValueError, EOFError) as error:
        raise _broken(path, " ".join(str(error).split())) from None
    if len(found) != 3 or kind != np.float16 or fortran:
        order = ", first axis fastest" if fortran else ""
        raise DataError(f"{path}: float16 and three axes are wanted, this is {kind} of shape {found}{order}")
    if shape is not None and found != tuple(shape):
        raise DataError(
            f"{path}: shape {found}, while the others have {tuple(shape)}; images of one task need one grid: "
            "preprocess their cohorts with the same options"
        )
    return _begins(path, length), found


def _begins(path: Path, length: int) -> bytes:
    try:
        with path.open("rb", buffering=0) as stream:
            return stream.read(length)
    except OSError as error:
        raise _broken(path, str(error)) from None


def _broken(path: Path, why: str) -> DataError:
    return DataError(f"{path}: cannot be read as an array ({why}); remove it, and preprocess the scan again")
