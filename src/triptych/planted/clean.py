"""A simulated study without a leak: what the audit must be silent about.

It has what honest studies have and what a hasty check would stumble over: a real signal, several sessions of one person,
relatives, two cohorts that use the same ids for different people, coarse values that strangers share, gaps, and people left
out by rule.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from triptych import plugins
from triptych.audit._context import Context
from triptych.tables import FAILURES, KEY, PERSON, Examples, stratum

KINDS = ("classification", "survival", "regression")
OUTCOME = {"classification": ["y"], "regression": ["y"], "survival": ["time", "event"]}
INPUTS = [f"x{k}" for k in range(12)]
COARSE = ("x10", "x11")
ROLES = {
    "demographics": ["age", "sex"],
    "acquisition": ["echo_time", "scanner"],
    "quality": ["snr"],
    "visit": ["date"],
    "label_visit": ["label_date"],
}
PEOPLE, SITES, RETEST, FAMILIES, LEFT_OUT = 240, 6, 60, 12, 24
FOLDS, REPEATS = 5, 2
NOISE = 0.5  # standard deviation between two sessions of one person, of 1 between people: an ICC of .8


@dataclass(frozen=True)
class Draft:
    """A study before it is split and audited.

    Attributes
    ----------
    table
        Key, site, family, outcome, inputs and the columns of all roles; ``left_out`` marks people excluded by rule.
    split
        Scheme by which it is split; ``ungrouped`` ignores families.
    """

    table: pd.DataFrame
    kind: str
    seed: int
    split: str = "repeated_kfold"
    inputs: tuple[str, ...] = tuple(INPUTS)
    pretrained: dict[str, pd.DataFrame | None] = field(default_factory=dict)
    content: pd.DataFrame = field(default_factory=pd.DataFrame)

    def people(self) -> pd.DataFrame:
        """The first row of each person who was not left out."""
        return self.table[~self.table["left_out"]].drop_duplicates(PERSON)

    def context(self) -> Context:
        """Split it, and hand it to the audit."""
        kept = self.table[~self.table["left_out"]].reset_index(drop=True)
        outcome = OUTCOME[self.kind]
        examples = Examples(
            kept[[*KEY, "site", "family_id", *outcome, *self.inputs]], {"all": list(self.inputs)}, self.kind
        )
        gone = self.table[self.table["left_out"]].assign(reason="quality is poor")
        return Context(
            splits=self._splits(kept),
            examples=examples,
            people=examples.table,
            notes=pd.DataFrame(columns=FAILURES),
            estimand="new-patients",
            kind=self.kind,
            participants=self.table.drop(columns=["left_out", *outcome]),
            excluded=gone,
            roles=ROLES,
            pretrained=self.pretrained,
            content=self.content,
            seed=self.seed,
        )

    def _splits(self, kept: pd.DataFrame) -> pd.DataFrame:
        name = "repeated_kfold" if self.split == "ungrouped" else self.split
        rows = kept.assign(stratum=stratum(kept, self.kind))
        rows = rows.drop(columns="family_id") if self.split == "ungrouped" else rows
        module = plugins.load("splits", name)
        options = module.Options() if name == "given" else module.Options(folds=FOLDS, repeats=REPEATS)
        return module.split(rows, options, seed=self.seed)


def clean(kind: str, seed: int, *, site_effect: float = 0.0) -> Draft:
    """Draw a study.

    Parameters
    ----------
    kind
        ``classification``, ``survival`` or ``regression``.
    site_effect
        How far the outcome follows the site: 0 not at all; at 1 the share of a class is .05 in half of the sites and .95 in
        the others (numbers and hazards are moved by as much, in standard deviations of the logistic distribution).
    """
    random = np.random.default_rng([seed, 7919])
    n = PEOPLE
    order = np.arange(n)
    table = pd.DataFrame(
        {
            "cohort": np.where(order < n // 2, "north", "south"),
            "participant_id": [f"sub-{k % (n // 2) + 1:03d}" for k in order],
            "session_id": "ses-01",
            "site": [f"hospital {k % SITES}" for k in order],
            "family_id": [f"family {k // 2}" if k < 2 * FAMILIES else None for k in order],
        }
    )
    table["site"] = np.where(order < n // 2, "n", "s") + pd.Series(order % (SITES // 2)).astype(str)
    signal = random.normal(size=n)
    x = random.normal(size=(n, len(INPUTS)))
    x[:, :4] += 0.5 * signal[:, None]
    high = (order % (SITES // 2) + (order < n // 2)) % 2 == 0
    chance = np.clip(0.5 + 0.45 * site_effect, 0.5, 0.95)
    shift = np.where(high, 1.0, -1.0) * np.log(chance / (1 - chance))
    table = pd.concat([table, _outcome(kind, signal + shift, random), pd.DataFrame(x, columns=INPUTS)], axis=1)
    table["age"] = random.normal(60, 9, n).round(1)
    table["sex"] = random.choice(["F", "M"], n)
    table["echo_time"] = random.normal(3, 0.2, n)
    table["scanner"] = random.choice(["A", "B", "C"], n)
    table["snr"] = random.normal(20, 3, n)
    table["date"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 700, n), unit="D")
    table["left_out"] = order % (n // LEFT_OUT) == n // LEFT_OUT - 1
    return Draft(_finished(_with_sessions(table, random), random), kind, seed)


def _outcome(kind: str, score: np.ndarray, random: np.random.Generator) -> pd.DataFrame:
    """Classes, numbers or times that depend on a score."""
    n = len(score)
    if kind == "classification":
        return pd.DataFrame({"y": (score + random.logistic(size=n) > 0).astype(int)})
    if kind == "regression":
        return pd.DataFrame({"y": score + random.logistic(size=n)})
    death = random.exponential(size=n) * np.exp(-score)
    follow_up = random.uniform(0.3, 3.0, n)
    return pd.DataFrame({"time": np.minimum(death, follow_up), "event": death <= follow_up})


def _with_sessions(table: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """A second session, a year later, of some people who were not left out and are no relatives."""
    able = table.index[~table["left_out"] & table["family_id"].isna()]
    again = table.loc[random.permutation(able)[:RETEST]].copy()
    again[INPUTS] += random.normal(0, NOISE, (len(again), len(INPUTS)))
    again = again.assign(session_id="ses-02", age=again["age"] + 1, date=again["date"] + pd.Timedelta(days=365))
    return pd.concat([table, again], ignore_index=True)


def _finished(table: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Coarse values, gaps at random, dates as text; the outcome is known on the day of the inputs."""
    table = table.copy()
    for column in COARSE:
        table[column] = table[column].round(1)
    for column in INPUTS[8:10]:
        table.loc[random.random(len(table)) < 0.05, column] = np.nan
    table["date"] = table["date"].dt.strftime("%Y-%m-%d")
    return table.assign(label_date=table["date"])
