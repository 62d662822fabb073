"""A scan from its file, with axes to the right, front and up."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from triptych.bids import nifti, sidecar
from triptych.mri.volume import Volume

OFFSET = 0.05  # of the range of intensities: darkest values farther from 0 than this were moved, and are moved back


def read(path: Path, notes: list[str]) -> Volume:
    """The intensities of a scan, air about 0; what is odd but usable is added to ``notes``.

    Raises
    ------
    Unusable
        When it is not one whole volume whose place in space is known, with the reason and what to do.
    """
    stored = nifti.read(path, notes)
    slope, inter = float(stored.header["scl_slope"]), float(stored.header["scl_inter"])
    axes = nib.orientations.io_orientation(stored.affine)
    affine = stored.affine @ nib.orientations.inv_ornt_aff(axes, stored.values.shape)
    values = np.array(nib.orientations.apply_orientation(stored.values, axes), np.float32, order="C")
    del stored  # the file's content, as large as the values
    if np.isfinite([slope, inter]).all() and slope:
        values *= np.float32(slope)
        values += np.float32(inter)
    for part in values:
        part[~np.isfinite(part)] = 0
    _from_zero(values, notes)
    return Volume(values, affine)


def _from_zero(values: np.ndarray, notes: list[str]) -> None:
    """Move intensities so that air is 0, where a conversion has added something to all: a bias field multiplies, from 0 on."""
    low, high = np.percentile(values.ravel()[:: max(1, values.size // 1_000_000)], [0.1, 98])
    if abs(low) <= OFFSET * (high - low):
        return
    values -= np.float32(low)
    np.maximum(values, 0, out=values)
    notes.append(f"the darkest intensity was {low:.4g}, far from 0: all were moved by as much")


def acquisition(path: Path) -> dict[str, Any]:
    """Scanner and field strength, where the sidecars of an image say so."""
    root = next((folder for folder in path.parents if (folder / "dataset_description.json").is_file()), path.parent)
    said = sidecar.inherited(path, root)
    words = " ".join(str(said[tag]).strip() for tag in ("Manufacturer", "ManufacturersModelName") if said.get(tag))
    field = said.get("MagneticFieldStrength")
    return {"mri_scanner": words or None, "mri_field": float(field) if isinstance(field, int | float) else None}
