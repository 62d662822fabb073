"""TCGA-GBMLGG with the expression of tumour suppressor genes, and the authors' five folds."""

import io
import zipfile
from pathlib import Path

import pandas as pd

from triptych.cohorts._tcga import read_patients
from triptych.raw import locate

TITLE = "TCGA-GBMLGG: glioblastoma and lower-grade glioma, expression of 82 tumour suppressor genes, published folds"
CITATION = "Chen RJ et al. (2022). Cancer Cell 40:865-878 (PORPOISE tables); The Cancer Genome Atlas Research Network"
SOURCE = "https://github.com/mahmoodlab/PORPOISE (datasets_csv_mutsig and splits, commit 3390dc40)"
LICENCE = "GPL-3.0 (PORPOISE); TCGA open tier: do not re-identify"
PATIENTS, GENES = "survival/tcga/tcga_gbmlgg_all_clean.csv.zip", "survival/tcga/signatures.csv"
SHA256 = {
    "survival/tcga/tcga_gbmlgg_all_clean.csv.zip": "2d07efeaecddd185c41f2186280f5900f69df381efb40efb59016d61a84eb635",
    "survival/tcga/signatures.csv": "6bf0a195a67a04774df3fec808748e06a87176506b17d3cd1e8e9049d2624477",
    "survival/tcga/splits_porpoise/5foldcv/tcga_gbmlgg/splits_0.csv": (
        "cc9eb343cd1d1c3079b98b682ee61a36132c71e28a705a220f8328ec62b0d41c"
    ),
    "survival/tcga/splits_porpoise/5foldcv/tcga_gbmlgg/splits_1.csv": (
        "a90556f1e8e6de54259702c11e3c9c5f09801d1eea539a6e9c24419ff161c16c"
    ),
    "survival/tcga/splits_porpoise/5foldcv/tcga_gbmlgg/splits_2.csv": (
        "e21f683b33d11cb729eea8dee22a56cac2be9f9a47015cfbf6b244ce5c93d1a0"
    ),
    "survival/tcga/splits_porpoise/5foldcv/tcga_gbmlgg/splits_3.csv": (
        "69a0151e349a824d5d26f3323f81ffcd70f400afb4a827e1a7d3237f32d814b4"
    ),
    "survival/tcga/splits_porpoise/5foldcv/tcga_gbmlgg/splits_4.csv": (
        "266b9de737fc32c4e310743fcb12b1048fb2415eaacb770ed5022fd577d7e2bd"
    ),
}
COLUMNS = {
    "age": "age at diagnosis, years",
    "survival_months": "overall survival or follow-up, months",
    "censorship": "1: censored, 0: died",
    "is_female": "1: female",
    "oncotree_code": "histology",
    "site": "tissue source site, from the barcode",
    "published_fold": "fold of the authors' cross-validation in which the patient is validated, 0 to 4",
    "rna_*": "expression of a gene of the authors' list of tumour suppressors; z-scores over all patients of the file",
}


def participants(root: Path | None) -> pd.DataFrame:
    """One row per patient."""
    path = locate(PATIENTS, "tcga_gbmlgg_suppressors", root)
    patients = read_patients(path)
    fold: dict[str, int] = {}
    for k, file in enumerate(name for name in SHA256 if "5foldcv" in name):
        tested = pd.read_csv(locate(file, "tcga_gbmlgg_suppressors", root))["val"].dropna()
        fold |= dict.fromkeys(tested, k)
    genes = pd.read_csv(locate(GENES, "tcga_gbmlgg_suppressors", root))["Tumor Suppressor Genes"].dropna()
    patients = patients.assign(published_fold=patients["participant_id"].map(fold))
    return patients.merge(_expression(path, list(genes)), on="participant_id", validate="1:1")


def _expression(path: Path, genes: list[str]) -> pd.DataFrame:
    """``rna_`` columns of those genes that the file has; slides of one patient repeat the same values."""
    names = {f"{gene}_rnaseq": f"rna_{gene}" for gene in genes}
    with zipfile.ZipFile(path) as archive:
        content = archive.read(archive.namelist()[0])
    table = pd.read_csv(io.BytesIO(content), usecols=lambda name: name == "case_id" or name in names, low_memory=False)
    return table.drop_duplicates("case_id").rename(columns={"case_id": "participant_id", **names})
