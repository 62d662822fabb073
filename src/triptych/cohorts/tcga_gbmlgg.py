"""TCGA-GBMLGG: glioblastoma and lower-grade glioma, one row per patient."""

from pathlib import Path

import pandas as pd

from triptych.cohorts._tcga import read_patients
from triptych.raw import locate

TITLE = "The Cancer Genome Atlas, glioblastoma and lower-grade glioma (TCGA-GBMLGG)"
CITATION = "Chen RJ et al. (2022). Cancer Cell 40:865-878 (PORPOISE tables); The Cancer Genome Atlas Research Network"
SOURCE = "https://github.com/mahmoodlab/PORPOISE (datasets_csv_mutsig, commit 3390dc40)"
LICENCE = "GPL-3.0 (PORPOISE); TCGA open tier: do not re-identify"
FILE = "survival/tcga/tcga_gbmlgg_all_clean.csv.zip"
SHA256 = {
    "survival/tcga/tcga_gbmlgg_all_clean.csv.zip": "2d07efeaecddd185c41f2186280f5900f69df381efb40efb59016d61a84eb635"
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
    return read_patients(locate(FILE, "tcga_gbmlgg", root))
