"""MoNuSeg: H&E images of 44 patients from TCGA, 1000 x 1000 pixels at 40x, with every nucleus outlined."""

from pathlib import Path

import pandas as pd

from triptych.raw import checksums, locate

TITLE = "Multi-organ nucleus segmentation challenge (MoNuSeg 2018), 30 training and 14 test images"
CITATION = "Kumar N et al. (2020). IEEE Trans Med Imaging 39(5):1380-1391. doi:10.1109/TMI.2019.2947628"
SOURCE = "https://monuseg.grand-challenge.org (JPEG copies of the published images)"
LICENCE = "CC BY-NC-SA 4.0; the tissue is from TCGA: do not re-identify"
TABLE = "histology/monuseg/metadata.csv"
SUMS = "histology/monuseg/SHA256SUMS"
SHA256 = {
    "histology/monuseg/metadata.csv": "368b940e9ee430e0df8fce095a12a6a41917bf53b014a5cb3e30b7cce08edb1e",
    "histology/monuseg/SHA256SUMS": "330a758c7d5d1e9fae3c8d5df934beb0ac7f838da5d36aa5afd696b7f7ed388b",
}
MODALITIES = {"HE": "tile"}
COLUMNS = {
    "split": "the challenge's split: train or test",
    "site": "tissue source site, from the barcode",
    "organ": "organ, as TCGA has it (the challenge calls some lungs livers)",
    "n_nuclei": "nuclei in the image",
    "fg_frac": "share of the image that is nuclei",
}


def participants(root: Path | None) -> pd.DataFrame:
    """One row per patient."""
    table = _table(root)
    return table.rename(columns={"tss": "site", "organ_tcga": "organ"})[["participant_id", *COLUMNS]]


def files(root: Path | None) -> pd.DataFrame:
    """One image per patient."""
    table, sums = _table(root), checksums(locate(SUMS, "monuseg", root))
    name = "images/" + table["image"] + ".jpg"
    return table[["participant_id"]].assign(
        modality="HE", path="histology/monuseg/" + name, sha256=name.map(sums).fillna("")
    )


def _table(root: Path | None) -> pd.DataFrame:
    table = pd.read_csv(locate(TABLE, "monuseg", root), dtype={"tss": str})
    return table.rename(columns={"patient": "participant_id"})
