"""The columns that preprocessing adds to the participants of a cohort.

Known before anything is computed, since a study is checked before its run is planned. Standard library only.
"""

from collections.abc import Iterable
from typing import Any

STATUS = "mri_status"
T1W, BACKGROUND = "mri_t1w", "mri_background"
IMAGES = (T1W, BACKGROUND)  # paths of arrays
REGIONS = "mri_roi_*"
PREFIX = "mri_"

COLUMNS = {
    STATUS: "ok, quarantined, outlier, or none (no scan of that session)",
    T1W: "path of the preprocessed brain (x, y, z), float16: in MNI space, cropped, intensities 0 to 1; empty when not usable",
    BACKGROUND: "path of what lies outside the brain, coarse, float16; empty when not usable",
    "mri_brain_ml": "brain (grey and white matter, fluid within its hull), ml in the person's own space",
    "mri_gm_ml": "grey matter, ml: sum of its share of each voxel",
    "mri_wm_ml": "white matter, ml",
    "mri_csf_ml": "cerebrospinal fluid within the brain's hull, ml",
    REGIONS: "grey matter of one region, ml",
    "mri_voxel_x": "voxel size from left to right, mm",
    "mri_voxel_y": "voxel size from back to front, mm",
    "mri_voxel_z": "voxel size from bottom to top, mm",
    "mri_scanner": "maker and model, where the scan says",
    "mri_field": "field strength, tesla, where the scan says",
    "mri_qc_dice": "overlap of the registered brain mask with the template's (Dice)",
    "mri_qc_correlation": "correlation of the registered scan with the template inside its brain",
    "mri_qc_fit": "the same on 4 mm, of what depth below the brain's surface does not explain",
    "mri_qc_margin": "how much more that is than with the template turned or mirrored in any other way",
    "mri_qc_scale": "volume of the brain over the template's, by the affine",
    "mri_qc_shear": "largest over smallest stretch of the affine",
    "mri_qc_field": "range of the bias field inside the brain, 99th over 1st percentile",
    "mri_qc_border": "share of the brain mask's surface that lies on the border of the image",
    "mri_qc_snr": "signal to noise in white matter",
    "mri_qc_cnr": "contrast to noise of grey and white matter",
    "mri_qc_gm_share": "grey matter, share of the brain",
    "mri_qc_csf_share": "fluid, share of the brain",
}
ACQUISITION_WORDS = ("mri_scanner", "mri_field")  # from the sidecar
QUALITY = tuple(name for name in COLUMNS if name.startswith("mri_qc_"))


def numbered(region: int) -> str:
    """Column of one region."""
    return REGIONS.replace("*", str(region))


def stand_ins(n: int, named: Iterable[str]) -> dict[str, list[Any]]:
    """Values for a look at ``n`` rows before anything is computed: different numbers, and every scan usable.

    Parameters
    ----------
    named
        Columns and patterns that a task names; of the regions only those are known.
    """
    regions = [REGIONS.replace("*", "1"), *(c for c in named if c.startswith(REGIONS[:-1]) and "*" not in c)]
    columns = [c for column in COLUMNS for c in (dict.fromkeys(regions) if column == REGIONS else [column])]
    numbers: list[Any] = [float(k) for k in range(n)]
    return {c: ["ok"] * n if c == STATUS else ["not computed yet"] * n if is_image(c) else numbers for c in columns}


def is_image(column: str) -> bool:
    """Whether a column holds paths of arrays."""
    return column in IMAGES
