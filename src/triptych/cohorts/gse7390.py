"""GSE7390 (TRANSBIG): 198 node-negative, untreated breast-cancer patients with the 76-gene signature and clinical variables."""

from pathlib import Path

import pandas as pd

from triptych.raw import locate

TITLE = "TRANSBIG validation series of the 76-gene signature, node-negative breast cancer without systemic treatment"
CITATION = "Desmedt C et al. (2007). Clin Cancer Res 13(11):3207-3214. doi:10.1158/1078-0432.CCR-06-2765"
SOURCE = "https://www.ncbi.nlm.nih.gov/geo/query/acc.cgi?acc=GSE7390"
LICENCE = "NCBI GEO, public; the copy read here ships with scikit-survival (GPL-3.0-or-later)"
ARFF = "package:sksurv/datasets/data/breast_cancer_GSE7390-metastasis.arff"
SHA256 = {
    # the file above, spelled out: this dictionary is read without running the module
    "package:sksurv/datasets/data/breast_cancer_GSE7390-metastasis.arff": (
        "233f4c1c06b2ee299fffcba0f9881f6ed66a3566ccbec30b5004f0d298b52570"
    ),
}
COLUMNS = {
    "age": "age at diagnosis, years",
    "size": "tumour size, cm",
    "grade": "histological grade",
    "er": "oestrogen receptor status",
    "t.tdm": "time to distant metastasis or last follow-up, days",
    "e.tdm": "1: distant metastasis seen",
    "X*": "log2 expression of a probe set of the 76-gene signature (Affymetrix U133A)",
}


def participants(root: Path | None) -> pd.DataFrame:
    """One row per patient; the file has no ids, so patients are numbered in its order."""
    names, rows, inside = [], [], False
    for line in locate(ARFF, "gse7390", root).read_text().splitlines():
        if line.startswith("@attribute"):
            names.append(line.split()[1])
        elif line.startswith("@data"):
            inside = True
        elif inside and line.strip():
            rows.append(line.split(","))
    table = pd.DataFrame(rows, columns=names).replace({"?": None, "unkown": None})  # "unkown": the file's own spelling
    words = ["grade", "er"]
    table = table.assign(**{c: pd.to_numeric(table[c]) for c in names if c not in words})
    table.insert(0, "participant_id", [f"transbig-{i:03d}" for i in range(1, len(table) + 1)])
    return table
