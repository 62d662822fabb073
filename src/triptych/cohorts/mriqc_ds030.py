"""MRIQC on DS030: image-quality measures of 265 T1-weighted scans from two scanners, and whether a rater excluded them."""

from pathlib import Path

import pandas as pd

from triptych.cohorts._mriqc import read_scans
from triptych.raw import locate

TITLE = "MRIQC image-quality measures and ratings, DS030 (two scanners)"
CITATION = "Esteban O et al. (2017). PLoS ONE 12(9):e0184661. doi:10.1371/journal.pone.0184661"
SOURCE = "https://pypi.org/project/mriqc-learn/0.0.3/"
LICENCE = "Apache-2.0"
FILE = "mri/mriqc_iqm/ds030.tsv"
SHA256 = {"mri/mriqc_iqm/ds030.tsv": "351d8ad7dfdcf51ac4f3181f312ec57ac8ec7dd3350033acc1af2cfd0cf5261a"}
COLUMNS = {
    "site": "scanner, BMC or CCN",
    "quality": "exclude where rater 1 says -1, else keep",
    "rater_1": "-1 exclude, 0 doubtful, 1 accept",
    "has_ghost": "1: a ghost was seen",
    "cjv": "coefficient of joint variation",
    "cnr": "contrast-to-noise ratio",
    "efc": "entropy-focus criterion",
    "fber": "foreground-background energy ratio",
    "fwhm_*": "smoothness, voxels",
    "icvs_*": "tissue volumes as shares of the intracranial volume",
    "inu_*": "intensity non-uniformity",
    "qi_*": "quality indices of Mortamet",
    "rpve_*": "residual partial-volume error by tissue",
    "size_*": "matrix, voxels",
    "snr*": "signal-to-noise ratios by tissue",
    "spacing_*": "voxel size, mm",
    "summary_*": "moments and quantiles of the intensities by tissue",
    "tpm_*": "overlap with the tissue probability maps",
    "wm2max": "white matter over the largest intensity",
}


def participants(root: Path | None) -> pd.DataFrame:
    """One row per scan, one scan per person."""
    return read_scans(locate(FILE, "mriqc_ds030", root), "rater_1")
