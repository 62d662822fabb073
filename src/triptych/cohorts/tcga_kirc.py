"""TCGA-KIRC: kidney renal clear cell carcinoma, one row per patient."""

from pathlib import Path

import pandas as pd

from triptych.cohorts._tcga import read_patients
from triptych.raw import locate

TITLE = "The Cancer Genome Atlas, kidney renal clear cell carcinoma (TCGA-KIRC)"
CITATION = "Chen RJ et al. (2022). Cancer Cell 40:865-878 (PORPOISE tables); The Cancer Genome Atlas Research Network"
SOURCE = "https://github.com/mahmoodlab/PORPOISE (datasets_csv_mutsig, commit 3390dc40)"
LICENCE = "GPL-3.0 (PORPOISE); TCGA open tier: do not re-identify"
FILE = "survival/tcga/tcga_kirc_all_clean.csv.zip"
SHA256 = {
    "survival/tcga/tcga_kirc_all_clean.csv.zip": "97c0748a8900af7723a199299ecc026e2ae83134400b359b1b2bf776c4d4d31b"
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
    return read_patients(locate(FILE, "tcga_kirc", root))
