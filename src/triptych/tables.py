"""The tables that pass between stages: their columns, the checks, and how they are read and written.

Every row of every table carries ``KEY``: a participant is known by cohort and id, so ``sub-001`` of two cohorts are two people.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triptych.errors import DataError
from triptych.ids import canonical_id

PERSON = ["cohort", "participant_id"]
KEY = [*PERSON, "session_id"]
ROW = "row"  # name of the index that remembers the row or line of the file that a row came from
SITE = "site"
FAMILY = "family_id"
RUN = "run"  # tells repeated scans of one session apart
PERMUTED = "permuted-"  # begins the names of models that were fitted to exchanged outcomes, in the first repeat only
PROBABILITY = "p"

FAILURES = ["stage", *KEY, "modality", "file", "row", "column", "reason", "advice"]
FLOW = ["task", "step", "cohort", "what", "reason", "n_patients", "n_events"]
SPLITS = ["repeat", "fold", *KEY, "part"]
FIT = ["task", "model", "repeat", "fold"]

# The waist of the hourglass: what every prediction says, by kind of task.  Survival curves lie in a companion file with one
# column per time.  A class has a score (higher: more likely positive), and a probability ``p`` where the model gives one.
PREDICTIONS = {
    "survival": {"time": "number", "event": "flag", "risk": "number"},
    "classification": {"y": "flag", "score": "number", "predicted": "flag"},
    "regression": {"y": "number", "predicted": "number"},
    "segmentation": {"contribution": "number", "weight": "number"},
}


@dataclass(frozen=True)
class Examples:
    """Rows to learn from or to predict: keys, site, outcome and inputs in one table, and which columns each block holds.

    ``unseen`` names the columns of places (``cohort``, ``site``) of which the tested rows have none that the training rows have;
    choices inside training then leave out whole places, too.
    """

    table: pd.DataFrame
    blocks: dict[str, list[str]]
    kind: str = "survival"
    unseen: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.table)

    @property
    def time(self) -> np.ndarray:
        """Time to event or censoring, float64 (n,)."""
        return self.table["time"].to_numpy(np.float64)

    @property
    def event(self) -> np.ndarray:
        """Whether the event was seen, bool (n,)."""
        return self.table["event"].to_numpy(bool)

    @property
    def y(self) -> np.ndarray:
        """Class (0 or 1) or number to predict, float64 (n,)."""
        return self.table["y"].to_numpy(np.float64)

    @property
    def stratum(self) -> np.ndarray:
        """What folds should hold alike, bool (n,): the event, the positive class, or a number above the median."""
        return stratum(self.table, self.kind)

    @property
    def people(self) -> np.ndarray:
        """Code of the person of each row, int (n,); it follows the sorted ids, not the order of the rows."""
        return self.table.groupby(PERSON, sort=True).ngroup().to_numpy()

    def places(self, column: str) -> np.ndarray:
        """Name (n,) of the cohort, or of the site within its cohort, of each row."""
        cohort = self.table["cohort"].astype(str)
        return (cohort if column == "cohort" else cohort + "/" + self.table[column].astype(str)).to_numpy(str)

    def inputs(self, blocks: Iterable[str]) -> pd.DataFrame:
        """The columns of some blocks, in their order."""
        return self.table[[column for block in blocks for column in self.blocks[block]]]

    def images(self, blocks: Iterable[str]) -> list[Path]:
        """Path of the array of each row, from an image block.

        Raises
        ------
        DataError
            Unless the blocks hold one column.
        """
        columns = [column for block in blocks for column in self.blocks[block]]
        if len(columns) != 1:
            raise DataError(f"images are read from one column, and the blocks {', '.join(blocks)} hold {len(columns)}")
        return [Path(path) for path in self.table[columns[0]]]

    def take(self, rows: np.ndarray) -> "Examples":
        """Some of the rows, by boolean mask or position."""
        return replace(self, table=self.table[rows] if rows.dtype == bool else self.table.iloc[rows])

    def in_order(self) -> "Examples":
        """The same rows, sorted by their keys: for methods in which the order of rows would show in the last digits."""
        return replace(self, table=self.table.sort_values(KEY, kind="stable"))

    def fingerprint(self) -> str:
        """Hash of the rows' keys: what a fitted object has seen."""
        return keys_hash(self.table)


def stratum(table: pd.DataFrame, kind: str) -> np.ndarray:
    """What folds should hold alike, bool (n,): the event, the positive class, or a number above the median."""
    if kind == "survival":
        return table["event"].to_numpy(bool)
    y = table["y"].to_numpy(np.float64)
    return y == 1 if kind == "classification" else y > np.median(y)


def keys_hash(table: pd.DataFrame) -> str:
    """Hash of the set of keys of a table, whatever their order."""
    rows = sorted(map("\t".join, table[KEY].astype(str).itertuples(index=False)))
    return sha256("\n".join(rows).encode()).hexdigest()[:16]


# ---- ids -----------------------------------------------------------------------------------------


def unify_ids(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every spelling of one participant's id its first spelling.

    Returns
    -------
    table, changes
        The table, and one row (row, old, new) for each id that was changed.
    """
    old = table["participant_id"].astype(str)
    canonical = old.map(canonical_id)
    first = old.str.strip().groupby([table["cohort"], canonical]).transform("first")
    changed = old != first
    changes = pd.DataFrame({"cohort": table["cohort"], "row": table.index, "old": old, "new": first})[changed]
    return table.assign(participant_id=first), changes


# ---- checks --------------------------------------------------------------------------------------


def check_columns(table: pd.DataFrame, wanted: Iterable[str], what: str) -> None:
    """Refuse a table that lacks columns, naming all of them."""
    missing = [column for column in wanted if column not in table.columns]
    if missing:
        raise DataError(
            f"{what}: no column {', '.join(map(repr, missing))}; it has {', '.join(map(repr, table.columns[:20]))}"
        )


def check_unique(table: pd.DataFrame, columns: list[str], what: str) -> None:
    """Refuse rows that share a key, naming the first two."""
    twice = table.duplicated(columns, keep=False)
    if twice.any():
        rows = list(table.index[twice][:2])
        key = " / ".join(str(table.loc[rows[0], column]) for column in columns)
        raise DataError(f"{what}: rows {rows[0]} and {rows[-1]} are both {key}; keep one")


def check_predictions(table: pd.DataFrame, kind: str, what: str) -> None:
    """Refuse a table that is not the waist: columns, types, missing values, keys that appear twice."""
    wanted = PREDICTIONS[kind]
    check_columns(table, [*FIT, *KEY, *wanted], what)
    for column, type_ in wanted.items():
        values = table[column]
        if type_ == "number":
            numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
            _refuse(table, np.isnan(numbers), column, "is not a number", what)
            if column in ("time",):
                _refuse(table, ~np.isfinite(numbers) | (numbers < 0), column, "is negative or infinite", what)
        elif values.isna().any():
            _refuse(table, values.isna().to_numpy(), column, "is missing", what)
        if type_ == "flag":
            words = "neither 0 (censored) nor 1 (event)" if column == "event" else "neither 0 nor 1"
            _refuse(table, ~values.isin([0, 1]).to_numpy(), column, f"is {words}", what)
    if PROBABILITY in table:
        p = pd.to_numeric(table[PROBABILITY], errors="coerce").to_numpy(np.float64)
        _refuse(table, (p < 0) | (p > 1), PROBABILITY, "is no probability: it must lie between 0 and 1", what)
        _refuse(table, np.isnan(p) & table[PROBABILITY].notna().to_numpy(), PROBABILITY, "is not a number", what)
    check_unique(table, [*FIT, *KEY], what)


def _refuse(table: pd.DataFrame, bad: np.ndarray, column: str, fault: str, what: str) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        who = " / ".join(str(table.iloc[row][c]) for c in [*FIT, *PERSON] if c in table)
        value = plain(table.iloc[row][column])
        raise DataError(
            f"{what}: row {table.index[row]} ({who}), column {column!r}: {value!r} {fault} ({int(bad.sum())} such rows)"
        )


def plain(value: Any) -> Any:
    """A value as a reader wrote it: ``-1.0``, not ``np.float64(-1.0)``."""
    return value.item() if isinstance(value, np.generic) else value


# ---- files ---------------------------------------------------------------------------------------


def write(content: Any, path: str | Path) -> None:
    """Write a table (``.parquet``, ``.tsv``), an object (``.json``) or text beside its place, then rename: never half a file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    if path.suffix == ".parquet":
        content.to_parquet(beside, index=content.index.name == ROW)
    elif path.suffix == ".tsv":
        content.to_csv(beside, sep="\t", index=False, lineterminator="\n")
    elif path.suffix == ".json":
        beside.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    else:
        beside.write_text(content, encoding="utf-8")
    beside.replace(path)


def read(path: str | Path, columns: Iterable[str] = ()) -> pd.DataFrame:
    """Read a table that ``write`` wrote, and check that it has some columns.

    Ids stay text: in a TSV ``001`` is not the number 1.
    """
    path = Path(path)
    if path.suffix == ".parquet":
        table = pd.read_parquet(path, use_threads=False, pre_buffer=False)  # its threads can abort a process that ends
    else:
        text = dict.fromkeys([*KEY, SITE, FAMILY, "model", "model_a", "model_b", "file", "keys", "voxels"], str)
        table = pd.read_csv(
            path, sep="\t", dtype=text, keep_default_na=False, na_values=[""], float_precision="round_trip"
        )
    check_columns(table, columns, str(path))
    return table


def read_examples(examples: str | Path, blocks: str | Path) -> Examples:
    """Examples from the table of rows and the file that says which columns form which block, and the kind of the outcome."""
    said = read_json(blocks)
    return Examples(read(examples), said["blocks"], said["kind"])


def read_json(path: str | Path) -> Any:
    """Read an object that ``write`` wrote."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def failure(stage: str, key: dict[str, str] | None = None, **facts: Any) -> dict[str, Any]:
    """One row of ``failures.tsv``: who, what, why, what to do."""
    row: dict[str, Any] = dict.fromkeys(FAILURES, "")
    row.update(stage=stage, **(key or {}), **facts)
    return row


def without_controls(table: pd.DataFrame, about: dict[str, Any]) -> pd.DataFrame:
    """Rows of the models and nulls of a study, not those of its negative controls (``about`` as for ``for_readers``)."""
    controls = [name for name, (_, role) in about["models"].items() if role == "control"]
    return table[~table["model"].isin(controls)]


def for_readers(table: pd.DataFrame, about: dict[str, Any]) -> pd.DataFrame:
    """Add what a reader needs to a table of statistics: the task, the unit of time, labels and roles instead of names.

    Parameters
    ----------
    about
        ``task``, ``time_unit``, and ``models``: name -> (label, role).
    """
    table = table.copy()
    for column in (c for c in ("model", "model_a", "model_b") if c in table):
        if column == "model":
            table["role"] = table["model"].map({name: role for name, (_, role) in about["models"].items()})
        table[column] = table[column].map({name: label for name, (label, _) in about["models"].items()})
    if "reason" in table:
        for name, (label, _) in about["models"].items():
            table["reason"] = table["reason"].fillna("").astype(str).str.replace(f"{name}: ", f"{label}: ", regex=False)
    front = {"task": about["task"], "time_unit": about["time_unit"]}
    return table.assign(**front)[[*front, *(c for c in table if c not in front)]]
