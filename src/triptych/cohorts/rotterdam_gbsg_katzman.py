"""Rotterdam tumour bank (train) and GBSG trial (test): node-positive breast cancer, as prepared by Katzman et al. 2018."""

from pathlib import Path

import pandas as pd

from triptych.cohorts._katzman import read_groups
from triptych.raw import locate

TITLE = "Rotterdam tumour bank (training) and German Breast Cancer Study Group (test), DeepSurv's copy"
CITATION = "Katzman JL et al. (2018). DeepSurv. BMC Med Res Methodol 18:24. doi:10.1186/s12874-018-0482-1"
SOURCE = "https://github.com/jaredleekatzman/DeepSurv (experiments/data, commit 41eed003)"
LICENCE = "MIT (repository jaredleekatzman/DeepSurv); the clinical data carry no licence of their own"
FILE = "survival/deepsurv/gbsg_cancer_train_test.h5"
SHA256 = {
    "survival/deepsurv/gbsg_cancer_train_test.h5": "bd455f4395322a8b23040c15cedbef00ad51a447d02c95f1f1d686a6b196484b"
}
COLUMNS = {
    "x1": "hormonal therapy, 0/1",
    "x2": "tumour size class",
    "x3": "menopausal status",
    "x4": "age, years",
    "x5": "positive lymph nodes",
    "x6": "progesterone receptor, fmol/l",
    "x7": "oestrogen receptor, fmol/l",
    "time": "follow-up, months",
    "event": "1: died",
    "split": "the authors' split: train or test",
}


def participants(root: Path | None) -> pd.DataFrame:
    """One row per patient; the file has no ids, so patients are numbered in its order."""
    return read_groups(locate(FILE, "rotterdam_gbsg_katzman", root), "gbsg")
