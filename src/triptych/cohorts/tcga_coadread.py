"""TCGA-COADREAD: colorectal adenocarcinoma, one row per patient."""

from pathlib import Path

import pandas as pd

from triptych.cohorts._tcga import read_patients
from triptych.raw import locate

TITLE = "The Cancer Genome Atlas, colorectal adenocarcinoma (TCGA-COADREAD)"
CITATION = "Chen RJ et al. (2022). Cancer Cell 40:865-878 (PORPOISE tables); The Cancer Genome Atlas Research Network"
SOURCE = "https://github.com/mahmoodlab/PORPOISE (datasets_csv_mutsig, commit 3390dc40)"
LICENCE = "GPL-3.0 (PORPOISE); TCGA open tier: do not re-identify"
FILE = "survival/tcga/tcga_coadread_all_clean.csv.zip"
SHA256 = {
    "survival/tcga/tcga_coadread_all_clean.csv.zip": "12121e5c92bf29bbd264bb3d2ed45fb115d0b87e9dbb57e9bf810c2e245b1d10"
}
COLUMNS = {
    "age": "age at diagnosis, years",
    "survival_months": "overall survival or follow-up, months",
    "censorship": "1: censored, 0: died",
    "is_female": "1: female",
    "oncotree_code": "histology",
    "site": "tissue source site, from the barcode",
}


def participants(root: Path | None) -> pd.DataFrame:
    """One row per patient."""
    return read_patients(locate(FILE, "tcga_coadread", root))
