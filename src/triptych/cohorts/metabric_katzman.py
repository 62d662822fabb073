"""METABRIC: breast cancer, four IHC4 genes and clinical variables, as prepared by Katzman et al. 2018."""

from pathlib import Path

import pandas as pd

from triptych.cohorts._katzman import read_groups
from triptych.raw import locate

TITLE = "Molecular Taxonomy of Breast Cancer International Consortium (METABRIC), DeepSurv's copy"
CITATION = "Katzman JL et al. (2018). DeepSurv. BMC Med Res Methodol 18:24. doi:10.1186/s12874-018-0482-1"
SOURCE = "https://github.com/jaredleekatzman/DeepSurv (experiments/data, commit 41eed003)"
LICENCE = "MIT (repository jaredleekatzman/DeepSurv); the clinical data carry no licence of their own"
FILE = "survival/deepsurv/metabric_IHC4_clinical_train_test.h5"
SHA256 = {
    "survival/deepsurv/metabric_IHC4_clinical_train_test.h5": "e959131973c906c7e8b1e662c81160914768156a6da145a9bfed9b9ee8bf3e72"
}
COLUMNS = {
    "x1": "gene of the IHC4 panel (the file does not say which)",
    "x2": "gene of the IHC4 panel (the file does not say which)",
    "x3": "gene of the IHC4 panel (the file does not say which)",
    "x4": "gene of the IHC4 panel (the file does not say which)",
    "x5": "treatment or receptor status, 0/1",
    "x6": "treatment or receptor status, 0/1",
    "x7": "treatment or receptor status, 0/1",
    "x8": "treatment or receptor status, 0/1",
    "x9": "age at diagnosis, years",
    "time": "follow-up, months",
    "event": "1: died",
    "split": "the authors' split: train or test",
}


def participants(root: Path | None) -> pd.DataFrame:
    """One row per patient; the file has no ids, so patients are numbered in its order."""
    return read_groups(locate(FILE, "metabric_katzman", root), "metabric")
