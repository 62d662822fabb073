"""A scan from its file, with axes to the right, front and up."""

from pathlib import Path
from typing import Any

import numpy as np

from triptych.bids import nifti, sidecar
from triptych.mri.volume import Volume, canonical


def read(path: Path, notes: list[str]) -> Volume:
    """The intensities of a scan; what is odd but usable is added to ``notes``.

    Raises
    ------
    Unusable
        When it is not one whole volume whose place in space is known, with the reason and what to do.
    """
    stored = nifti.read(path, notes)
    slope, inter = float(stored.header["scl_slope"]), float(stored.header["scl_inter"])
    values = stored.values.astype(np.float32)
    if np.isfinite([slope, inter]).all() and slope:
        values = values * np.float32(slope) + np.float32(inter)
    return canonical(np.where(np.isfinite(values), values, 0), stored.affine)


def acquisition(path: Path) -> dict[str, Any]:
    """Scanner and field strength, where the sidecars of an image say so."""
    root = next((folder for folder in path.parents if (folder / "dataset_description.json").is_file()), path.parent)
    said = sidecar.inherited(path, root)
    words = " ".join(str(said[tag]).strip() for tag in ("Manufacturer", "ManufacturersModelName") if said.get(tag))
    field = said.get("MagneticFieldStrength")
    return {"mri_scanner": words or None, "mri_field": float(field) if isinstance(field, int | float) else None}
