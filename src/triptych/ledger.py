"""Who left on the way from raw rows to examples, and why: the quarantine, the patient flow, and what was left out by rule."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from triptych.errors import DataError
from triptych.tables import FAILURES, FLOW, KEY, PERSON, failure, plain

KINDS = ("scan set aside", "rule", "no scan", "no outcome")  # why somebody is left out


@dataclass
class Ledger:
    """What happened to whom on the way: rows of ``failures`` and of ``flow``."""

    task: str = ""
    failures: list[dict[str, Any]] = field(default_factory=list)
    flow: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[pd.DataFrame] = field(default_factory=list)

    def count(self, what: str, reason: str, table: pd.DataFrame, events: bool = False) -> None:
        """Add one line of patient flow for each cohort in the table."""
        for cohort, rows in table.groupby("cohort", sort=True):
            n_events = int(rows["event"].sum()) if events else ""
            people = rows["participant_id"].nunique()
            self.flow.append(
                dict(zip(FLOW, [self.task, len(self.flow), cohort, what, reason, people, n_events], strict=True))
            )

    def exclude(self, table: pd.DataFrame, bad: np.ndarray, reason: str) -> pd.DataFrame:
        """Drop rows for an ordinary reason (they were never eligible); the flow says how many people left.

        Who keeps another session has not left: such sessions have a line of their own, with nobody in it.
        """
        people = pd.MultiIndex.from_frame(table[PERSON])
        stays = bad & people.isin(people[~bad])
        if (bad & ~stays).any():
            self.count("excluded", reason, table[bad & ~stays])
        for cohort, rows in table[stays].groupby("cohort", sort=True):
            what = f"{len(rows)} sessions of {rows['participant_id'].nunique()} patients who stay: {reason}"
            self.flow.append(dict(zip(FLOW, [self.task, len(self.flow), cohort, "excluded", what, 0, ""], strict=True)))
        return table[~bad]

    def quarantine(self, table: pd.DataFrame, bad: np.ndarray, column: str, reason: str, advice: str) -> pd.DataFrame:
        """Drop rows whose outcome is broken: each is listed in ``failures`` and counts against the tolerance."""
        for index, row in table[bad].iterrows():
            facts = {
                "modality": "table",
                "row": index,
                "column": column,
                "reason": f"{reason}: {plain(row[column])!r}",
                "advice": advice,
            }
            self.failures.append(failure("outcome", {name: row[name] for name in KEY}, **facts))
        self.leave_out(table[bad], column, f"quarantined: {reason}", "no outcome")
        return self.exclude(table, bad, f"quarantined: {reason}")

    def without_outcome(self, table: pd.DataFrame, bad: np.ndarray) -> pd.DataFrame:
        """Drop rows that have no outcome."""
        self.leave_out(table[bad], "", "missing outcome", "no outcome")
        return self.exclude(table, bad, "missing outcome")

    def leave_out(self, table: pd.DataFrame, column: str, reason: str, kind: str | np.ndarray = "rule") -> None:
        """Remember all that is known of rows that are left out: an audit asks whether they differ from those who stay.

        Parameters
        ----------
        kind
            One of ``KINDS``, for all rows or for each.
        """
        if len(table):
            self.left_out.append(table.assign(rule=column, reason=reason, kind=kind))

    def left_out_table(self) -> pd.DataFrame:
        """Rows that were left out, all their columns, the column of the ``rule``, the ``reason`` and its ``kind``."""
        if not self.left_out:
            return pd.DataFrame(columns=[*KEY, "rule", "reason", "kind"])
        table = pd.concat(self.left_out)
        mixed = [
            c for c in table if table[c].dropna().map(type).nunique() > 1
        ]  # words in one cohort, numbers in another
        return table.assign(**{c: table[c].map(lambda x: None if pd.isna(x) else str(x)) for c in mixed})

    def failures_table(self) -> pd.DataFrame:
        """The rows of ``failures.tsv``."""
        return pd.DataFrame(self.failures, columns=FAILURES)

    def flow_table(self) -> pd.DataFrame:
        """The rows of ``flow.tsv``."""
        return pd.DataFrame(self.flow, columns=FLOW)


def check_tolerance(ledger: Ledger, n_patients: int, tolerance: float, task: str) -> None:
    """Stop when more patients were quarantined than the study tolerates."""
    lost = {(row["cohort"], row["participant_id"] or row["row"]) for row in ledger.failures if row["stage"] != "note"}
    if lost and len(lost) > tolerance * n_patients:
        example = next(row for row in ledger.failures if row["stage"] != "note")
        raise DataError(
            f"task {task!r}: {len(lost)} of {n_patients} patients are in quarantine, "
            f"more than `tolerance: patients: {tolerance:g}`; the first: "
            f"{example['participant_id']} (row {example['row']}, column {example['column']!r}): {example['reason']}"
        )
