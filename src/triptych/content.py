"""What the files of a cohort look like: one vector per file, to find one person under two ids; and what could not be read.

A cohort that has files says so with ``MODALITIES`` (modality: ``volume`` or ``tile``) and ``files(root)``.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triptych import images, plugins
from triptych.errors import DataError
from triptych.likeness import tiles, volumes
from triptych.tables import KEY, SESSION, check_columns, failure, unify_ids

CONTENT = [*KEY, "modality", "kind", "path", "sha256", "fit"]
FILES = ["participant_id", "modality", "path"]
KINDS = ("volume", "tile")


def read_files(cohort: str, root: str | None) -> pd.DataFrame:
    """Table of a cohort's files: key, modality, kind, path below the data root, and checksum where one is published.

    Raises
    ------
    DataError
        For a column that is missing, or a modality that the cohort does not declare.
    """
    found = plugins.load("cohorts", cohort).files(Path(root) if root else None)
    check_columns(found, FILES, f"files of cohort {cohort!r}")
    declared = plugins.describe("cohorts", cohort)["MODALITIES"]
    unknown = set(found["modality"]) - set(declared)
    if unknown:
        raise DataError(f"files of cohort {cohort!r}: modality {min(unknown)!r} is not in MODALITIES, {', '.join(declared)}")
    found = found.assign(cohort=cohort, kind=found["modality"].map(declared))
    for column, default in (("session_id", SESSION), ("sha256", "")):
        found[column] = found[column].fillna(default) if column in found else default
    return unify_ids(found.reset_index(drop=True))[0]


def embed(files: pd.DataFrame, root: str | None) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Vectors of all files that can be read, and a row of failures for each that cannot.

    Returns
    -------
    content, failures
        ``content``: key, modality, kind, path, sha256, fit (correlation with the mean brain; volumes only), e0, e1, ...
    """
    rows, vectors, failures = [], [], []
    for file in files.to_dict("records"):
        path = Path(root or ".") / file["path"]
        try:
            vector, fit = _vector(path, file["kind"])
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if file["sha256"] and digest != file["sha256"]:
                raise DataError("checksum is not the published one; fetch the file again")
        except DataError as error:
            reason, _, advice = str(error).partition("; ")
            facts = {"modality": file["modality"], "file": file["path"], "reason": reason, "advice": advice}
            failures.append(failure("embed", {name: file[name] for name in KEY}, **facts))
            continue
        rows.append({**file, "sha256": digest, "fit": fit})
        vectors.append(vector)
    return _table(rows, vectors), failures


def _vector(path: Path, kind: str) -> tuple[np.ndarray, float]:
    if kind == "volume":
        return volumes.embed(*images.read_volume(path))
    return tiles.embed(images.read_tile(path)), np.nan


def _table(rows: list[dict], vectors: list[np.ndarray]) -> pd.DataFrame:
    width = max((len(vector) for vector in vectors), default=0)
    matrix = np.full((len(rows), width), np.nan, np.float32)
    for row, vector in zip(matrix, vectors, strict=True):
        row[: len(vector)] = vector
    said = pd.DataFrame(rows, columns=CONTENT).reset_index(drop=True)
    return pd.concat([said, pd.DataFrame(matrix, columns=[f"e{k}" for k in range(width)])], axis=1)
