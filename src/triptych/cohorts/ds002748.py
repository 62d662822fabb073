"""ds002748: one T1-weighted head of each of 72 people, 51 with depression, at one site; the skull was removed by its authors."""

from pathlib import Path

import pandas as pd

from triptych.errors import DataError
from triptych.raw import locate, sha256

TITLE = "T1-weighted heads of people with and without depression, OpenNeuro ds002748"
CITATION = "Bezmaternykh DD et al. (2021). Neural Plasticity 2021:8846097. doi:10.1155/2021/8846097"
SOURCE = "https://openneuro.org/datasets/ds002748/versions/1.0.5"
LICENCE = "CC0 1.0"
# The list of checksums stands for the 72 images: each is compared with it when the cohort is read.
SHA256 = {
    "mri/ds002748/SHA256SUMS": "0a14919ecb7c037d102d39fe8709fb999ff02f0fd4619d5715d2cf457cd3eb71",
    "mri/ds002748/participants.tsv": "a1483ce560dfaf3f40e28f3d0fb8def81c97aca0a5709614481be5eb09fcf556",
}
COLUMNS = {
    "age": "age, years",
    "gender": "f or m",
    "group": "depr (depression) or control",
    "iq": "Raven's progressive matrices",
    "madrs": "Montgomery-Asberg depression rating scale",
    "zung": "Zung self-rating depression scale",
    "bdi": "Beck depression inventory",
}
IMAGES = {"t1w": "mri/ds002748/t1w_2mm/{participant_id}/anat/{participant_id}_desc-brain2mm_T1w.nii.gz"}
NAMED = {"IQ_Raven": "iq", "MADRS": "madrs", "Zung_SDS": "zung", "BDI": "bdi"}


def participants(root: Path | None) -> pd.DataFrame:
    """One row per person."""
    table = pd.read_csv(locate("mri/ds002748/participants.tsv", "ds002748", root), sep="\t", na_values=["n/a"])
    _check_images(locate("mri/ds002748/SHA256SUMS", "ds002748", root))
    return table.rename(columns=NAMED)[["participant_id", *COLUMNS]]


def _check_images(sums: Path) -> None:
    """Compare the images that are there with the list; one that is not there costs only itself, later."""
    for line in sums.read_text().splitlines():
        expected, name = line.split(maxsplit=1)
        path = sums.parent / name
        if name.startswith("t1w_2mm/") and path.is_file() and (found := sha256(path)) != expected:
            raise DataError(
                f"{path}: checksum does not match the list SHA256SUMS (expected sha256 {expected}, found {found}); "
                f"fetch the file again from {SOURCE}"
            )
