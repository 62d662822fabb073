"""From the columns of a table to a matrix: imputation, coding and scaling, learned from training rows only."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.errors import DataError
from triptych.splits._groups import group_codes, spread
from triptych.tables import FAMILY, Examples


class NoInputError(DataError):
    """No column that a model may read tells anything on the training rows."""


@dataclass(frozen=True)
class Column:
    """How one column becomes one or more columns of the matrix."""

    name: str
    fill: float | str
    levels: tuple[str, ...] = ()  # of a category, the first left out as reference; empty for numbers
    center: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()

    def matrix(self, values: pd.Series) -> np.ndarray:
        """Values (n,) as (n, k), neither centred nor scaled."""
        if not self.levels:
            return values.astype(float).fillna(self.fill).to_numpy()[:, None]
        words = values.fillna(self.fill).to_numpy(str)
        return (words[:, None] == np.array(self.levels[1:])).astype(float)  # an unseen level is the reference


@dataclass(frozen=True)
class TableEncoder:
    """A fitted coding of tables; ``seen`` is the hash of the training keys, ``dropped`` tells which columns were useless."""

    blocks: tuple[str, ...]
    columns: tuple[Column, ...]
    dropped: dict[str, str]
    seen: str

    @property
    def names(self) -> list[str]:
        """Names of the matrix' columns."""
        return [f"{c.name}={level}" if level else c.name for c in self.columns for level in c.levels[1:] or ("",)]

    def __call__(self, examples: Examples) -> np.ndarray:
        """The matrix (n, p), float64, of zero mean and unit variance on the training rows."""
        table = examples.inputs(self.blocks)
        return np.hstack([(c.matrix(table[c.name]) - c.center) / c.scale for c in self.columns])


def fit_encoder(train: Examples, blocks: list[str], *, most_missing: float = 0.5) -> TableEncoder:
    """Learn medians, levels, means and deviations from training rows.

    Columns that are constant or mostly missing on these rows are dropped and named in ``dropped``.

    Raises
    ------
    NoInputError
        When no column is left.
    """
    table = train.inputs(blocks)
    columns, dropped = [], {}
    for name in table.columns:
        values = table[name]
        missing = values.isna().mean()
        if missing > most_missing:
            dropped[name] = f"{missing:.0%} missing in training"
        elif values.nunique() < 2:
            dropped[name] = "constant in training"
        else:
            columns.append(_fit_column(values))
    if not columns:
        raise NoInputError(f"no usable input among {len(table.columns)} columns: {dropped}")
    return TableEncoder(tuple(blocks), tuple(columns), dropped, train.fingerprint())


def _fit_column(values: pd.Series) -> Column:
    if pd.api.types.is_numeric_dtype(values):
        column = Column(str(values.name), float(values.median()))
    else:
        column = Column(str(values.name), str(values.mode().iloc[0]), tuple(sorted(values.dropna().unique())))
    matrix = column.matrix(values)
    scale = matrix.std(axis=0)
    return Column(
        column.name, column.fill, column.levels, tuple(matrix.mean(axis=0)), tuple(np.where(scale > 0, scale, 1.0))
    )


def need_events(train: Examples, fewest: int) -> None:
    """Refuse to learn from fewer events than a model can use."""
    if train.event.sum() < fewest:
        raise DataError(f"{int(train.event.sum())} of {len(train)} training rows have an event; {fewest} are needed")


def inner_folds(train: Examples, folds: int, seed: int) -> np.ndarray:
    """Fold codes (n,) for choices made inside training, which leave out what the split leaves out.

    Families (people where none is known) stay together, and events (or classes, or large values) are spread evenly.  Where the
    tested rows are of places that training does not know, whole places are left out, when three or more allow it.  Fold 0 is what
    early stopping may keep.

    Raises
    ------
    DataError
        For fewer than two folds, or one family only: nobody would be left to learn from.
    """
    if folds < 2:
        raise DataError(
            f"{folds} fold(s) inside training leave nobody to learn from; `inner_folds:` and `held_out:` must be 2 or more "
            "(`held_out: 0` keeps nobody for early stopping)"
        )
    groups = group_codes(train.table)
    for column in train.unseen:
        by_place = _folds_of_places(train, _places(train, groups, column), folds, seed)
        if by_place is not None:
            return by_place
    found = _spread_groups(groups, train.stratum, folds, seed)
    if found.max() < 1:
        raise DataError("all training rows are of one person or family, so none can be left out to choose options by")
    return found


def held_out_rows(train: Examples, one_in: int, seed: int) -> np.ndarray:
    """Which rows (n,) are kept for early stopping: an inner fold of so many; none for 0."""
    return inner_folds(train, one_in, seed) == 0 if one_in else np.zeros(len(train), bool)


def _spread_groups(groups: np.ndarray, stratum: np.ndarray, folds: int, seed: int) -> np.ndarray:
    of_group = np.zeros(groups.max() + 1, bool)
    np.logical_or.at(of_group, groups, stratum)
    return spread(of_group, folds, np.random.default_rng(seed))[groups]


def _places(train: Examples, groups: np.ndarray, column: str) -> np.ndarray:
    """Code (n,) of the cohort or site of each row; places that share a family are one."""
    tied = pd.DataFrame({"cohort": "", "participant_id": groups.astype(str), FAMILY: train.places(column)})
    return group_codes(tied)


def _folds_of_places(train: Examples, places: np.ndarray, folds: int, seed: int) -> np.ndarray | None:
    """Folds of whole places, the first the one whose size is nearest to what was asked for.

    None for fewer than three places, or where a fold would leave fewer than two rows of a class (or two events) to learn from,
    or every fold holds one class only.
    """
    if places.max() < 2:
        return None
    fold = _spread_groups(places, train.stratum, min(folds, int(places.max()) + 1), seed)
    counts = np.zeros((fold.max() + 1, 2), int)
    told = train.stratum & (train.kind != "regression")  # a number needs no two classes
    np.add.at(counts, (fold, told.astype(int)), 1)
    counts = counts[:, counts.any(axis=0)]
    able = (counts > 0).all(axis=1)
    if (counts.sum(axis=0) - counts < 2).any() or not able.any():
        return None
    gap = np.where(able, np.abs(counts.sum(axis=1) - len(fold) / folds), np.inf)
    first = int(np.argmin(gap))
    renamed = np.arange(len(counts))
    renamed[[0, first]] = first, 0
    return renamed[fold]


def row_weights(train: Examples, people_alike: bool) -> np.ndarray:
    """Weights (n,) of mean 1: of every row alike, or of every person alike, however many rows a person has."""
    if not people_alike:
        return np.ones(len(train))
    people = train.people
    rows = np.bincount(people)[people]
    return len(train) / (len(np.unique(people)) * rows)


def weighted(values: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of values (n,) that have weights (n,); the deviation of equal values is exactly 0."""
    if np.ptp(values) == 0:
        return float(values[0]), 0.0
    mean = float(np.average(values, weights=weight))
    return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=weight)))


def survival_table(
    examples: Examples, risk: np.ndarray, times: np.ndarray | None, survival: np.ndarray | None
) -> pd.DataFrame:
    """What ``predict`` returns: the risk, and one column per time with the probability to be event-free."""
    table = pd.DataFrame({"risk": np.asarray(risk, float)}, index=examples.table.index)
    if times is None or survival is None:
        return table
    curves = pd.DataFrame(np.asarray(survival, float), columns=[str(float(t)) for t in times], index=table.index)
    return pd.concat([table, curves], axis=1)


def class_table(examples: Examples, score: np.ndarray, p: np.ndarray | None, cut: float = 0.0) -> pd.DataFrame:
    """What ``predict`` returns for classes: ``score``, ``predicted`` (score above ``cut``), and ``p`` where there is one."""
    score = np.asarray(score, float)
    table = pd.DataFrame({"score": score, "predicted": (score > cut).astype(int)}, index=examples.table.index)
    return table if p is None else table.assign(p=np.asarray(p, float))


def number_table(examples: Examples, predicted: np.ndarray) -> pd.DataFrame:
    """What ``predict`` returns for numbers: ``predicted``."""
    return pd.DataFrame({"predicted": np.asarray(predicted, float)}, index=examples.table.index)


def need_classes(train: Examples) -> None:
    """Refuse to learn from one class only."""
    positive = int(train.y.sum())
    if positive in (0, len(train)):
        raise DataError(f"{positive} of {len(train)} training rows are positive; both classes are needed")
