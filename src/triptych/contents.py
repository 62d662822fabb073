"""What the image files of a cohort look like: one table, for the audit that finds one person under two ids."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triptych import raw
from triptych.errors import DataError
from triptych.likeness import files
from triptych.tables import FAILURES, KEY, PERSON, failure

ABOUT = [*KEY, "modality", "kind", "path", "view"]


def embed(
    participants: pd.DataFrame, patterns: dict[str, str], table: str | None, root: str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Look at each image file of a cohort once.

    Parameters
    ----------
    patterns
        Column: path of its files, with ``{column}`` for what differs between rows. An empty cell is no file.
    table, root
        The user's table, beside which files are looked for, and the data root below which else.

    Returns
    -------
    content, failures
        Key, ``modality`` (the column), ``kind`` (volume or tile), ``path``, ``view`` and the vector in ``e0, e1, ...``, one row
        per view; and a row for each file that cannot be read.
    """
    found, failures = [], []
    for column, pattern in patterns.items():
        for row in _files(participants, pattern).itertuples(index=False):
            key = dict(zip(KEY, row[:3], strict=True))
            path = raw.image_path(row.path, table, Path(root) if root else None)
            try:
                vectors = files.embed(path)
            except DataError as error:
                advice = "mend or replace the file; until then this image is not compared"
                facts = {"modality": column, "file": row.path, "column": column, "reason": str(error), "advice": advice}
                failures.append(failure("image", key, **facts))
                continue
            kind = files.kind(path)
            found.append(content({**key, "modality": column, "kind": kind, "path": row.path}, vectors))
    whole = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=ABOUT)
    return whole, pd.DataFrame(failures, columns=FAILURES)


def content(about: dict[str, str], vectors: np.ndarray) -> pd.DataFrame:
    """Rows of one file: what it is, and its vectors (views, d)."""
    table = pd.DataFrame(vectors, columns=[f"e{k}" for k in range(vectors.shape[1])])
    return pd.concat([pd.DataFrame({**about, "view": range(len(vectors))}), table], axis=1)


def vectors(rows: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Keys of the files of one modality and kind, index 0..n-1, and their vectors (n, views, d)."""
    rows = rows.sort_values([*KEY, "path", "view"], kind="stable")
    views = rows["view"].max() + 1
    numbers = rows.drop(columns=ABOUT).dropna(axis=1, how="all").to_numpy(np.float32)
    return rows[KEY].iloc[::views].reset_index(drop=True), numbers.reshape(-1, views, numbers.shape[1])


def _files(participants: pd.DataFrame, pattern: str) -> pd.DataFrame:
    """Key and ``path`` of the files that a column names; one file of a person is one row."""
    columns = re.findall(r"\{(.*?)\}", pattern)
    known = participants.dropna(subset=columns)
    known = known[(known[columns].astype(str).apply(lambda c: c.str.strip()) != "").all(axis=1)]
    paths = [_filled(pattern, row) for row in known[columns].to_dict("records")]
    return known[KEY].assign(path=paths).drop_duplicates([*PERSON, "path"])


def _filled(pattern: str, row: dict[Hashable, Any]) -> str:
    """A path, with the values of a row in the place of its columns."""
    return re.sub(r"\{(.*?)\}", lambda part: str(row[part[1]]).strip(), pattern)
