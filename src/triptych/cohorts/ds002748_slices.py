"""ds002748 as slices: 20 axial slices of each of 72 heads, coarse pixels as inputs, one row per slice.

It is here to show what a split of slices does. The slices of one head look alike, so a model that has seen one knows the others.
"""

import hashlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from triptych.errors import DataError
from triptych.raw import locate

TITLE = "T1-weighted heads of people with and without depression, OpenNeuro ds002748, as 2-D slices"
CITATION = "Bezmaternykh DD et al. (2021). Neural Plasticity 2021:8846097. doi:10.1155/2021/8846097"
SOURCE = "https://openneuro.org/datasets/ds002748/versions/1.0.5"
LICENCE = "CC0 1.0"
FOLDER = "mri/ds002748"
# The list of checksums stands for the 72 images: each is compared with it when it is read.
SHA256 = {
    "mri/ds002748/SHA256SUMS": "0a14919ecb7c037d102d39fe8709fb999ff02f0fd4619d5715d2cf457cd3eb71",
    "mri/ds002748/participants.tsv": "a1483ce560dfaf3f40e28f3d0fb8def81c97aca0a5709614481be5eb09fcf556",
}
COLUMNS = {
    "age": "age, years",
    "gender": "f or m",
    "group": "depr (depression) or control",
    "pixel_*": "mean intensity of a square of 24 x 24 mm of the slice, over the mean intensity of the brain",
}
IMAGES = {"t1w": "mri/ds002748/t1w_2mm/{participant_id}/anat/{participant_id}_desc-brain2mm_T1w.nii.gz"}
SLICES, SQUARE, SHAPE = 20, 12, (72, 96)  # per head; voxels of 2 mm
REACH = (0.3, 0.7)  # first and last slice, as shares of the height of the brain


def participants(root: Path | None) -> pd.DataFrame:
    """One row per slice; the session is the slice."""
    people = pd.read_csv(locate(f"{FOLDER}/participants.tsv", "ds002748_slices", root), sep="\t")
    sums = _checksums(locate(f"{FOLDER}/SHA256SUMS", "ds002748_slices", root))
    tables = []
    for person in people[["participant_id", "age", "gender", "group"]].to_dict("records"):
        who = person["participant_id"]
        file = f"t1w_2mm/{who}/anat/{who}_desc-brain2mm_T1w.nii.gz"
        pixels = _pixels(_volume(locate(f"{FOLDER}/{file}", "ds002748_slices", root), sums[file]))
        table = pd.DataFrame(pixels, columns=[f"pixel_{k:02d}" for k in range(pixels.shape[1])])
        slices = [f"slice-{k:02d}" for k in range(1, SLICES + 1)]
        tables.append(table.assign(**person, session_id=slices))
    return pd.concat(tables, ignore_index=True)


def _checksums(path: Path) -> dict[str, str]:
    lines = (line.split(maxsplit=1) for line in path.read_text().splitlines())
    return {name: sha for sha, name in lines}


def _volume(path: Path, expected: str) -> np.ndarray:
    """Voxels of an image (x, y, z), float64, right-anterior-superior."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise DataError(
            f"{path}: checksum does not match the list SHA256SUMS (expected sha256 {expected}, found {found}); "
            f"fetch the file again from {SOURCE}"
        )
    return np.asanyarray(nib.as_closest_canonical(nib.load(path)).dataobj).astype(np.float64)


def _pixels(volume: np.ndarray) -> np.ndarray:
    """Coarse pixels (slices, squares) of axial slices spread over the middle of the brain, centred on it."""
    brain = volume > 0
    x, y, z = (np.flatnonzero(brain.any(axis=tuple({0, 1, 2} - {k})))[[0, -1]] for k in range(3))
    first, last = (z[0] + share * (z[1] - z[0]) for share in REACH)
    heights = np.linspace(first, last, SLICES).round().astype(int)
    air = max(SHAPE)
    padded = np.pad(volume[:, :, heights] / volume[brain].mean(), ((air, air), (air, air), (0, 0)))
    left, back = (int(ends.mean()) + air - width // 2 for ends, width in zip((x, y), SHAPE, strict=True))
    window = padded[left : left + SHAPE[0], back : back + SHAPE[1]]
    squares = window.reshape(SHAPE[0] // SQUARE, SQUARE, SHAPE[1] // SQUARE, SQUARE, SLICES).mean(axis=(1, 3))
    return squares.reshape(-1, SLICES).T
