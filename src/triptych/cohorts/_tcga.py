"""What the TCGA tables of PORPOISE have in common: one row per slide, several slides per patient."""

import io
import zipfile
from pathlib import Path

import pandas as pd


def read_patients(path: Path) -> pd.DataFrame:
    """One row per patient: age, sex, hospital, follow-up; the molecular columns are left to the stages that need them.

    The tissue source site is read from the barcode (TCGA-<site>-...): the file's own column ``site`` lost its leading zeros.
    """
    with zipfile.ZipFile(path) as archive:
        content = archive.read(archive.namelist()[0])
    wanted = ["case_id", "age", "survival_months", "censorship", "is_female", "oncotree_code"]
    table = pd.read_csv(io.BytesIO(content), usecols=wanted, low_memory=False).drop_duplicates("case_id")
    table = table.rename(columns={"case_id": "participant_id"})
    return table.assign(site=table["participant_id"].str[5:7]).reset_index(drop=True)
