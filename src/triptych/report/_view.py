"""Tables as the page shows them: cells of words that are ready to be read, in bodies with a heading."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from triptych.report import numbers


@dataclass(frozen=True)
class Cell:
    """One cell: its words, a smaller second line, what to sort it by, and a class for its look."""

    text: str
    sub: str = ""
    sort: str = ""
    look: str = ""


@dataclass(frozen=True)
class Body:
    """Rows that belong together, under a heading of their own when there is one."""

    rows: list[list[Cell]]
    title: str = ""
    look: str = ""


@dataclass(frozen=True)
class Table:
    """A table for a reader; ``summary`` is what a folded one shows."""

    caption: str
    head: list[Cell]
    bodies: list[Body]
    folded: bool = False
    summary: str = ""

    @property
    def length(self) -> int:
        """The number of rows."""
        return sum(len(body.rows) for body in self.bodies)


@dataclass(frozen=True)
class Section:
    """A part of the page: sentences, tables and figures, in this order; ``empty`` says why there is nothing."""

    key: str
    title: str
    words: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    figures: list[dict] = field(default_factory=list)
    empty: str = ""


def heads(*names: str) -> list[Cell]:
    """A head of plain names."""
    return [Cell(name) for name in names]


def number(written: str, value: object, sub: str = "") -> Cell:
    """A cell that is sorted by its value and set in figures of equal width."""
    return Cell(written, sub=sub, sort=repr(float(value)) if numbers.finite(value) else "", look="num")  # type: ignore[arg-type]


def missing(reason: object) -> Cell:
    """What could not be estimated, and why."""
    return Cell("not estimable", sub=numbers.text(reason, "no reason was recorded"), look="missing")


def by_metric(table: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each metric and time, in the order in which they come."""
    return [part for _, part in table.groupby(["metric", "at"], sort=False, dropna=False)]


def metric_name(row: pd.Series) -> str:
    """``Time-dependent AUC at 24 months``."""
    return f"{numbers.text(row['label'], str(row['metric']))} {numbers.moment(row['at'], row.get('time_unit'))}".strip()


def digits(values: Iterable[float]) -> int:
    """Three digits after the point for scores between -10 and 10, fewer for larger numbers."""
    fewer = numbers.decimals(values)
    return 3 if fewer == 2 else fewer


def sized(row: pd.Series | dict) -> str:
    """``236 patients, 104 events``: the unit of inference and how many."""
    counted = numbers.count(row["n_units"], numbers.text(row["unit"], "unit"))
    return ", ".join(filter(None, [counted, events(row)]))


def article(noun: str) -> str:
    """``an AUC``, ``an R²``, ``a Brier score``, ``a Uno's C``."""
    return f"{'an' if noun[:1].lower() in 'aeio' or noun.startswith('R²') else 'a'} {noun}"


def events(row: pd.Series | dict) -> str:
    """``104 events``, ``51 positives``; nothing for numbers."""
    noun = numbers.text(row.get("events_are", "event"))
    return numbers.count(row["n_events"], noun) if noun and numbers.known(row.get("n_events")) else ""


def constant(row: pd.Series | dict) -> bool:
    """A model that says the same of everybody: it has the value of no skill, and no interval."""
    given = numbers.finite(row["null_value"]) and numbers.finite(row["value"])
    return not row["estimable"] and given and abs(row["value"] - row["null_value"]) < 1e-9


def ready(table: pd.DataFrame, value: str) -> pd.DataFrame:
    """The table with ``estimable`` as true booleans: false also where the value itself is missing."""
    return table.assign(estimable=numbers.flags(table["estimable"]) & table[value].notna())


def one(column: pd.Series) -> str:
    """The single text of a column, or the distinct ones joined."""
    return numbers.joined(dict.fromkeys(str(v) for v in column if numbers.known(v)))
