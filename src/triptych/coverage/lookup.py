"""What was measured of an interval or a test in the simulated cell that is nearest to the data at hand."""

import csv
import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

MEASURED_LEVEL = 0.95
FEWEST = 100  # replicates with an interval below which a cell says nothing
ONE_ROW = 1.05  # mean number of rows per patient above which some have several
FAR = 2.5  # ratio (of patients, rows, sites, share of the rarer outcome) beyond which data are unlike a cell
OTHER_CLASS = {"sensitivity": "specificity", "specificity": "sensitivity"}


@dataclass(frozen=True)
class Measured:
    """Share of intervals that held the truth, or of tests that rejected equal models, in one simulated cell."""

    share: float
    kind: str
    test: bool
    n: int
    events: float
    sites: int
    rows: int
    icc: float
    replicates: int

    @property
    def cell(self) -> str:
        """Where it was measured."""
        parts = [f"{self.sites} sites of {self.n} patients" if self.sites else f"{self.n} patients"]
        parts += [f"{self.rows} rows each, ICC {self.icc:.2g}"] if self.rows > 1 else []
        named = {"survival": "with event", "classification": "positive", "calibration": "positive"}.get(self.kind)
        return ", ".join(parts + ([f"{self.events:.0%} {named}"] if named else []))

    def words(self, level: float) -> str:
        """A sentence part for a reader: nominal, measured, and where."""
        if self.test:
            return (
                f"nominal {1 - level:.0%} false positives, measured {self.share:.1%} at worst in the nearest simulated cells "
                f"({self.cell})"
            )
        return f"nominal {level:.0%}, measured {self.share:.1%} at worst in the nearest simulated cells ({self.cell})"


@cache
def table() -> list[dict[str, str]]:
    """The measurements that ship with the project (``snakemake coverage`` makes them anew)."""
    text = (files("triptych.coverage") / "measured.tsv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


@cache
def _measured() -> dict[tuple[str, str], list["_Row"]]:
    """Rows by scenario and metric, with the correlation that a report would see in such a cell."""
    seen: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for row in table():
        if row["seen_icc"]:
            seen[row["scenario"], row["metric"], row["icc"]].append(float(row["seen_icc"]))
    found = defaultdict(list)
    for row in table():
        if float(row["estimable"]) * int(row["replicates"]) >= FEWEST:
            known = seen[row["scenario"], row["metric"], row["icc"]]
            icc = sum(known) / len(known) if known else float(row["icc"])
            found[row["scenario"], row["metric"]].append(_Row.of(row, icc))
    return found


@dataclass(frozen=True)
class _Row:
    """One row of the table, read."""

    method: str
    share: float
    kind: str
    n: int
    events: float
    sites: int
    rows: int
    icc: float
    nominal: float
    replicates: int

    @classmethod
    def of(cls, row: dict[str, str], icc: float) -> "_Row":
        rows = round(float(row["rows"]))
        numbers = int(row["n"]), float(row["events"]), int(row["sites"]), rows, icc if rows > 1 else 0.0
        return cls(row["method"], float(row["share"]), row["kind"], *numbers, float(row["icc"]), int(row["replicates"]))

    def ratios(self, n: int, events: float, rows: float, sites: int) -> list[float]:
        """How many times the data differ from the cell, as logarithms."""
        ours = (n, self.n), (events, self.events), (rows, self.rows), (sites or 1, self.sites or 1)
        return [abs(math.log(max(data, 1e-6) / cell)) for data, cell in ours]


def scenario_of(estimand: str, folds: int, *, test: bool) -> str:
    """The scenario that simulates a claim: intervals, or paired tests, from one trained model or from cross-validation."""
    resampled = folds > 1
    if test:
        of_patients = "two-models-cv" if resampled else "two-models"
        return {"new-patients": of_patients, "new-site": "two-models-sites", "procedure": "two-procedures"}[estimand]
    return {"new-patients": "cross-validation" if resampled else "given-model"}.get(estimand, estimand)


def nearest(
    scenario: str,
    metric: str,
    method: str | None = None,
    *,
    n: int,
    events: float,
    rows: float = 1.0,
    icc: float = 0.0,
    sites: int = 0,
) -> Measured | None:
    """The worst share among the nearest cells of one scenario, metric and method; None where the data are unlike any of them.

    Nearest by the ratios of patients (of each site, with sites), of the share with the event or of the rarer class, of rows per
    patient and of sites, and by the difference of the rows' correlation; one row per patient is never near several. Cells that
    differ only in the strength of the signal, in how rows are spread or in how models were trained count as one, and the worst
    of them is quoted.

    Parameters
    ----------
    method
        As the rule names it; None for any.
    events
        Share of rows with the event or of the positive class; 1 where the outcome is a number.
    icc
        Correlation of a patient's rows, as `inference.known.dependence` estimates it.
    """
    known = _measured().get((scenario, metric), [])
    if known and known[0].kind == "classification" and events > 0.5:
        events, known = 1 - events, _measured().get((scenario, OTHER_CLASS.get(metric, metric)), [])
    several = rows > ONE_ROW
    known = [row for row in known if method in (None, row.method) and (row.rows > 1) == several]
    icc = icc if several and not math.isnan(icc) else 0.0

    def distance(row: _Row) -> float:
        patients, *others = row.ratios(n, events, rows, sites)
        return 2 * patients + sum(others) + 2 * abs(icc - row.icc)

    if not known:
        return None
    best = min(map(distance, known))
    tied = [row for row in known if distance(row) <= best + 1e-9]
    if max(tied[0].ratios(n, events, rows, sites)) > math.log(FAR) + 1e-9:
        return None
    test = scenario.startswith("two-")
    worst = (max if test else min)(tied, key=lambda row: row.share)
    place = worst.n, worst.events, worst.sites, worst.rows, worst.nominal
    return Measured(worst.share, worst.kind, test, *place, worst.replicates)


def quote(
    scenario: str,
    metric: str,
    method: str,
    *,
    level: float,
    n: int,
    events: float,
    rows: float = 1.0,
    icc: float = 0.0,
    sites: int = 0,
) -> str:
    """What a report says of the coverage of an interval, or of the level of a test; parameters as of `nearest`.

    "not measured" with the reason where the level, the method or the data are unlike what was simulated.
    """
    if level != MEASURED_LEVEL:
        return f"not measured at {level:.0%}"
    found = nearest(scenario, metric, method, n=n, events=events, rows=rows, icc=icc, sites=sites)
    if found:
        return found.words(level)
    if any(row.method == method for row in _measured().get((scenario, metric), [])):
        return "not measured: the data are unlike any simulated cell"
    return "not measured for this method"
