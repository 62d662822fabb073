"""Whether a NIfTI file is one whole T1-weighted volume whose place in space is known.

Libraries disagree about broken files (a truncated one is read with zeros, a file whose two affines differ is mirrored by
some), so everything is asked here before anything is computed: header first, then every byte.  At most ``MOST_VOXELS`` are
read into memory.
"""

import gzip
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from triptych.bids import contrast
from triptych.bids.verdict import Unusable, Verdict, fine, quarantine

MOST_VOXELS = 2**27  # 512 x 512 x 512: .54 GB as float32; what jobs take with so many is in docs/mri-preprocessing.md
MOST_NOT_FINITE = 0.01  # share of voxels that may be NaN or infinite
FURTHEST = 1.0  # mm between the places that sform and qform give a corner
SMALLEST, LARGEST = 0.05, 10.0  # mm, edge of a voxel
SMALLEST_EXTENT = 50.0  # mm, edge of the field of view
SHEAR = 1e-3  # cosine between axes that should be perpendicular
FEWEST_VALUES = 8  # distinct intensities; a mask has fewer
MOST_EQUAL = (
    0.5  # share of neighbours in the foreground with the same value: .8 in a label map, below .2 in heads of 8 bits
)
GZIP, NIFTI1, NIFTI2 = b"\x1f\x8b", 348, 540
FULL = "fetch or convert the file again"
IMAGE = "give the T1-weighted image"


@dataclass(frozen=True)
class Volume:
    """One volume.

    Attributes
    ----------
    header
        As it stands in the file, with nothing corrected.
    values
        Voxels as stored (x, y, z), before ``scl_slope``; byte order of the file.
    affine
        From voxels to millimetres, right-anterior-superior (4, 4).
    """

    header: Any
    values: np.ndarray
    affine: np.ndarray

    @property
    def stored(self) -> memoryview:
        """The bytes of the voxels as they stand in the file; not a copy."""
        return self.values.ravel(order="F").view(np.uint8).data

    @property
    def voxel_size(self) -> np.ndarray:
        """Edges of a voxel, mm (3,)."""
        return nib.affines.voxel_sizes(self.affine)


def check(path: Path, sidecar: dict[str, Any] | None = None) -> Verdict:
    """Verdict on one file, with its sidecar where there is one."""
    notes: list[str] = []
    try:
        contrast.check(path.name, sidecar or {}, notes)
        read(path, notes)
    except Unusable as error:
        return quarantine(error, notes)
    return fine(notes)


def read(path: Path, notes: list[str]) -> Volume:
    """The volume of a file; what is odd but usable is added to ``notes``.

    Raises
    ------
    Unusable
        With the reason and what to do.
    """
    start = _start(path)
    header = _header(path, start)
    shape, dtype = _shape(header, notes), _dtype(header)
    affine = _affine(header, notes)
    _check_size(header, shape, affine, notes)
    values = _values(path, header, shape, dtype)
    _check_values(values, header, notes)
    return Volume(header, values, affine)


# ---- the file ----


def _start(path: Path) -> bytes:
    """The first bytes of the unpacked content."""
    if not path.exists():
        hint = "fetch its content (`datalad get`)" if path.is_symlink() else "check the path"
        raise Unusable("a link to a file that is not there" if path.is_symlink() else "no such file", hint)
    try:
        with path.open("rb") as stream:
            first = stream.read(NIFTI2)
        if first.startswith(GZIP):
            with gzip.open(path) as stream:
                inside = stream.read(NIFTI2)
    except (OSError, EOFError, zlib.error) as error:
        raise Unusable(f"cannot be read ({_words(error)})", FULL) from None
    if not first:
        raise Unusable("an empty file (0 bytes)", FULL)
    if first.startswith(b"version https://git-lfs") or b"annex/objects" in first[:200]:
        raise Unusable(
            "a pointer of git-lfs or git-annex, not the image", "fetch its content (`git lfs pull`, `datalad get`)"
        )
    packed, named = first.startswith(GZIP), path.name.endswith(".gz")
    if packed != named and _kind(inside if packed else first):
        what = "gzip-packed but not named .gz" if packed else "not packed although it is named .nii.gz"
        raise Unusable(
            f"{what}; readers disagree about such files", "rename it" if packed else "pack it with gzip, or rename it"
        )
    if not packed and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in first):
        raise Unusable("text, not an image", FULL)
    return inside if packed else first


def _kind(start: bytes) -> int:
    """348 for NIfTI-1, 540 for NIfTI-2, 0 for anything else; by the size of the header, in either byte order."""
    for order in "<>":
        if len(start) >= 4 and struct.unpack(f"{order}i", start[:4])[0] in (NIFTI1, NIFTI2):
            return struct.unpack(f"{order}i", start[:4])[0]
    return 0


def _header(path: Path, start: bytes) -> Any:
    kind = _kind(start)
    if not kind:
        raise Unusable("no NIfTI header", "convert it to NIfTI, or bring the DICOM files")
    magic = start[344:348] if kind == NIFTI1 else start[4:8]
    if magic[:3] not in (b"n+1", b"n+2"):
        raise Unusable(
            f"the header's magic is {bytes(magic)!r}, not that of a single NIfTI file; an Analyze or .hdr/.img file has no "
            "agreed orientation",
            "convert the scan again from its DICOM files",
        )
    if len(start) < kind:
        raise Unusable(f"cut off inside the header ({len(start)} bytes)", FULL)
    what = nib.Nifti1Header if kind == NIFTI1 else nib.Nifti2Header
    return what(start[:kind], check=False)


def _values(path: Path, header: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Voxels as stored; the whole file is read, so that a damaged end is seen."""
    first = int(header["vox_offset"])
    wanted = first + int(np.prod(shape)) * dtype.itemsize
    with (gzip.open if path.name.endswith(".gz") else open)(path, "rb") as stream:
        try:
            content = stream.read(wanted)
            while stream.read(2**20):
                pass  # the checksum of gzip stands at the end
        except (OSError, EOFError, zlib.error) as error:
            raise Unusable(f"damaged or cut off ({_words(error)})", FULL) from None
    if len(content) < wanted:
        raise Unusable(f"cut off: the header asks for {wanted:,} bytes, the file has {len(content):,}", FULL)
    return np.frombuffer(content, dtype, offset=first).reshape(shape, order="F")


# ---- the header ----


def _shape(header: Any, notes: list[str]) -> tuple[int, int, int]:
    n, *dim = (int(d) for d in header["dim"])
    if not 1 <= n <= 7 or any(d < 1 for d in dim[:n]):
        raise Unusable(f"the header's dim is {[n, *dim]}, which is no size of an image", FULL)
    dim = dim[:n]
    while len(dim) > 3 and dim[-1] == 1:
        dim = dim[:-1]
        n = len(dim)
    if n > 3:
        shown = " x ".join(map(str, dim))
        raise Unusable(f"{n}-dimensional ({shown}): several volumes in one file", "give one T1-weighted volume")
    if n < 3:
        raise Unusable(f"{n}-dimensional ({' x '.join(map(str, dim))}): not a volume", "give the whole volume")
    if 1 in dim:
        raise Unusable(f"one slice only ({' x '.join(map(str, dim))})", "give the whole volume")
    if np.prod(dim) > MOST_VOXELS:
        raise Unusable(
            f"{' x '.join(map(str, dim))} is {np.prod(dim) / 1e6:,.0f} million voxels; at most {MOST_VOXELS / 1e6:.0f} million "
            "are read, .5 GB as float32",
            "crop the field of view, or resample it to 1 mm",
        )
    if int(header["dim"][0]) > 3:
        notes.append("the file says that it has more than three dimensions; the others are 1")
    return dim[0], dim[1], dim[2]


def _dtype(header: Any) -> np.dtype:
    try:
        dtype = header.get_data_dtype()
    except (nib.spatialimages.HeaderDataError, KeyError):
        raise Unusable(f"the header's datatype {int(header['datatype'])} is not known", FULL) from None
    if dtype.kind not in "iuf":
        raise Unusable(
            f"voxels are {dtype.name if dtype.names is None else 'colours'}, not intensities",
            "give the magnitude image",
        )
    if not 352 <= header["vox_offset"] <= 2**24:  # false for NaN, too
        raise Unusable(f"the header's vox_offset is {float(header['vox_offset']):g}", FULL)
    return dtype


def _affine(header: Any, notes: list[str]) -> np.ndarray:
    """Voxels to millimetres, once sform and qform are known not to contradict each other."""
    sizes = np.asarray(header["pixdim"][1:4], float)
    if not (np.isfinite(sizes).all() and (sizes > 0).all()):
        raise Unusable(f"the header's pixdim is {_numbers(sizes)}: the size of a voxel is not known", FULL)
    s, q = int(header["sform_code"]), int(header["qform_code"])
    if s <= 0 and q <= 0:
        raise Unusable(
            "sform and qform code are 0: the orientation is not known, and left and right cannot be told",
            "convert the scan again from its DICOM files",
        )
    sform = _proper(header.get_sform(), "sform") if s > 0 else None
    qform = _proper(_qform(header), "qform") if q > 0 else None
    if sform is not None and qform is not None:
        corners = np.array(np.meshgrid(*([0, n - 1] for n in header["dim"][1:4]), [1.0], indexing="ij")).reshape(4, -1)
        apart = np.linalg.norm(((sform - qform) @ corners)[:3], axis=0).max()
        if apart > FURTHEST:
            raise Unusable(
                f"sform and qform place a corner {apart:.1f} mm apart, and readers differ in which they use (left and right may "
                f"be exchanged); sform {_rows(sform)}, qform {_rows(qform)}",
                "find out which is right, and write it into both",
            )
    affine = sform if sform is not None else qform
    assert affine is not None
    found = nib.affines.voxel_sizes(affine)
    if np.abs(found - sizes).max() > 0.01 * sizes.max():
        notes.append(f"pixdim says voxels of {_numbers(sizes)} mm, the affine {_numbers(found)} mm; the affine is used")
    return affine


def _qform(header: Any) -> np.ndarray:
    try:
        return header.get_qform()
    except (nib.spatialimages.HeaderDataError, ValueError):
        raise Unusable("the header's qform is no rotation", FULL) from None


def _proper(affine: np.ndarray, name: str) -> np.ndarray:
    """An affine without shear and with three axes.

    Raises
    ------
    Unusable
        When it has shear, which most tools cannot represent, or is degenerate.
    """
    affine = np.asarray(affine, float)
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or (lengths == 0).any():
        raise Unusable(f"the header's {name} is {_rows(affine)}, which is no orientation", FULL)
    axes = affine[:3, :3] / lengths
    cosines = np.abs(axes.T @ axes - np.eye(3)).max()
    if cosines > SHEAR:
        raise Unusable(
            f"the header's {name} has shear (axes {np.degrees(np.arccos(min(cosines, 1))):.1f} degrees apart, not 90): "
            f"{_rows(affine)}",
            "resample it to a grid with perpendicular axes, or convert it again (gantry tilt?)",
        )
    return affine


def _check_size(header: Any, shape: tuple[int, ...], affine: np.ndarray, notes: list[str]) -> None:
    sizes, unit = nib.affines.voxel_sizes(affine), int(header["xyzt_units"]) & 7
    if unit in (1, 3):
        name = {1: "metres", 3: "micrometres"}[unit]
        raise Unusable(f"lengths are in {name}: voxels of {_numbers(sizes)}", "write them in millimetres")
    if sizes.min() < SMALLEST or sizes.max() > LARGEST:
        raise Unusable(
            f"voxels of {_numbers(sizes)} mm: metres or another unit for millimetres?", "write them in millimetres"
        )
    extent = sizes * shape
    if extent.min() < SMALLEST_EXTENT:
        raise Unusable(f"the field of view is {_numbers(extent)} mm: not a head", "give the whole volume")
    if sizes.max() > 3:
        notes.append(f"voxels of {_numbers(sizes)} mm are coarse")


# ---- the voxels ----


def _check_values(values: np.ndarray, header: Any, notes: list[str]) -> None:
    equal = _equal_neighbours(values)
    if values.dtype.kind == "f":
        bad = values.size - int(np.isfinite(values).sum())
        if bad > MOST_NOT_FINITE * values.size:
            raise Unusable(
                f"{bad:,} of {values.size:,} voxels ({bad / values.size:.1%}) are NaN or infinite",
                "write 0 where there is no signal",
            )
        if bad:
            notes.append(f"{bad:,} voxels are NaN or infinite")
            values = values[np.isfinite(values)]
    low, high = values.min(), values.max()
    if low == high:
        raise Unusable(f"every voxel is {low:g}", FULL)
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite([slope, inter]).all():
        notes.append(f"scl_slope is {slope:g}: the stored values are taken as they are, {low:g} to {high:g}")
    some = values.ravel(order="K")[:: max(1, values.size // 200_000)]
    if len(np.unique(some)) < FEWEST_VALUES:
        raise Unusable(f"only {len(np.unique(some))} different intensities: a mask, or almost empty", IMAGE)
    if equal > MOST_EQUAL:
        raise Unusable(f"{equal:.0%} of neighbouring voxels have the same value: a label map", IMAGE)


def _equal_neighbours(values: np.ndarray) -> float:
    """Share of neighbours above the lowest value that are equal, in every fourth slice."""
    here, after = values[:-1:4], values[1::4]
    both = (here > values.min()) & (after > values.min())
    return float((here == after)[both].mean()) if both.any() else 0.0


def _numbers(values: np.ndarray) -> str:
    return " x ".join(f"{v:.4g}" for v in values)


def _rows(affine: np.ndarray) -> str:
    return "[" + "; ".join(" ".join(f"{v:.4g}" for v in row) for row in affine[:3]) + "]"


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
