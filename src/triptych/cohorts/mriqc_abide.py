"""MRIQC on ABIDE I: image-quality measures of 1,101 T1-weighted scans from 17 sites, and whether a rater excluded them."""

from pathlib import Path

import pandas as pd

from triptych.cohorts._mriqc import read_scans
from triptych.raw import locate

TITLE = "MRIQC image-quality measures and ratings, ABIDE I (17 sites)"
CITATION = "Esteban O et al. (2017). PLoS ONE 12(9):e0184661. doi:10.1371/journal.pone.0184661"
SOURCE = "https://pypi.org/project/mriqc-learn/0.0.3/"
LICENCE = "Apache-2.0"
FILE = "mri/mriqc_iqm/abide.tsv"
SHA256 = {"mri/mriqc_iqm/abide.tsv": "7477e9a2d786e7a28fe62a2d16b8f1a1e56d6d7ee19e6317bf1a8b0683dadb14"}
COLUMNS = {
    "site": "site of the scanner",
    "quality": "exclude where rater 3 says -1, else keep",
    "rater_*": "-1 exclude, 0 doubtful, 1 accept; rater 3 saw all scans, raters 1 and 2 about half",
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
    return read_scans(locate(FILE, "mriqc_abide", root), "rater_3")
