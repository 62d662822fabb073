"""ds002748: T1-weighted brains of 51 people with mild depression and 21 controls, one site."""

from pathlib import Path

import pandas as pd

from triptych.raw import checksums, locate

TITLE = "Resting state with closed eyes for patients with depression and healthy participants (OpenNeuro ds002748)"
CITATION = "Bezmaternykh DD et al. (2021). Neural Plasticity 2021:8846097. doi:10.1155/2021/8846097"
SOURCE = "https://openneuro.org/datasets/ds002748 (version 1.0.5; volumes skull-stripped by its authors, here at 2 mm)"
LICENCE = "CC0"
TABLE = "mri/ds002748/participants.tsv"
SUMS = "mri/ds002748/SHA256SUMS"
SHA256 = {
    "mri/ds002748/participants.tsv": "a1483ce560dfaf3f40e28f3d0fb8def81c97aca0a5709614481be5eb09fcf556",
    "mri/ds002748/SHA256SUMS": "0a14919ecb7c037d102d39fe8709fb999ff02f0fd4619d5715d2cf457cd3eb71",
}
MODALITIES = {"T1w": "volume"}
COLUMNS = {
    "age": "age, years",
    "gender": "f or m",
    "group": "depr (mild depression) or control",
    "IQ_Raven": "IQ by Raven's matrices",
    "ICD-10": "diagnosis",
    "MADRS": "Montgomery-Asberg depression rating scale",
    "Zung_SDS": "Zung self-rating depression scale",
    "BDI": "Beck depression inventory",
    "HADS-anx": "hospital anxiety and depression scale, anxiety",
    "HADS-depr": "hospital anxiety and depression scale, depression",
    "MC-SDS": "Marlowe-Crowne social desirability scale",
    "TAS-26": "Toronto alexithymia scale",
    "ECR-avoid": "experiences in close relationships, avoidance",
    "ECR-anx": "experiences in close relationships, anxiety",
    "RRS-sum": "ruminative responses scale, sum",
    "RRS-reflection": "ruminative responses scale, reflection",
    "RRS-brooding": "ruminative responses scale, brooding",
    "RRS-depr": "ruminative responses scale, depression",
    "Edinburgh": "Edinburgh handedness inventory",
}


def participants(root: Path | None) -> pd.DataFrame:
    """One row per person; the file writes n/a where nothing is known."""
    return pd.read_csv(locate(TABLE, "ds002748", root), sep="\t", na_values=["n/a"])


def files(root: Path | None) -> pd.DataFrame:
    """The volumes at 2 mm, as their list of checksums names them."""
    sums = checksums(locate(SUMS, "ds002748", root))
    volumes = {name: sha for name, sha in sums.items() if name.startswith("t1w_2mm/") and name.endswith("_T1w.nii.gz")}
    return pd.DataFrame(
        {
            "participant_id": [name.split("/")[1] for name in volumes],
            "modality": "T1w",
            "path": [f"mri/ds002748/{name}" for name in volumes],
            "sha256": list(volumes.values()),
        }
    )
