"""SUPPORT: seriously ill hospitalised adults, as prepared by Katzman et al. 2018."""

from pathlib import Path

import pandas as pd

from triptych.cohorts._katzman import read_groups
from triptych.raw import locate

TITLE = "Study to Understand Prognoses Preferences Outcomes and Risks of Treatment (SUPPORT), DeepSurv's copy"
CITATION = "Katzman JL et al. (2018). DeepSurv. BMC Med Res Methodol 18:24. doi:10.1186/s12874-018-0482-1"
SOURCE = "https://github.com/jaredleekatzman/DeepSurv (experiments/data, commit 41eed003)"
LICENCE = "MIT (repository jaredleekatzman/DeepSurv); the clinical data carry no licence of their own"
FILE = "survival/deepsurv/support_train_test.h5"
SHA256 = {"survival/deepsurv/support_train_test.h5": "e398f49930e4efc4ecd675a72ac547f0d1ae25ccf13f6a1024cded12ea88a83e"}
COLUMNS = {
    "x1": "age, years",
    "x2": "sex",
    "x3": "race, coded",
    "x4": "number of comorbidities",
    "x5": "diabetes",
    "x6": "dementia",
    "x7": "cancer",
    "x8": "mean arterial blood pressure",
    "x9": "heart rate",
    "x10": "respiration rate",
    "x11": "temperature, C",
    "x12": "white blood cell count",
    "x13": "serum sodium",
    "x14": "serum creatinine",
    "time": "follow-up, days",
    "event": "1: died",
    "split": "the authors' split: train or test",
}


def participants(root: Path | None) -> pd.DataFrame:
    """One row per patient; the file has no ids, so patients are numbered in its order."""
    return read_groups(locate(FILE, "support_katzman", root), "support")
