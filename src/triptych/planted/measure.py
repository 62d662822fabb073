"""How many planted leaks the audit finds, and how often it cries on clean studies: one row per kind of leak."""

from typing import Any

import numpy as np
import pandas as pd

from triptych import auditing, plugins
from triptych.errors import DataError
from triptych.planted.clean import KINDS, Draft, clean
from triptych.planted.kinds import LEAKS
from triptych.planted.lookalikes import CLEAN_CONTENT
from triptych.tables import keys_hash

ALARMS = ("stop", "group", "warn")
CLEAN, SEEN = "clean", "fitted objects that saw tested rows"
COLUMNS = ["kind", "check", "does", "planted", "found", "named", "sensitivity", "false_alarms"]


def measure(kind: str, seeds: range) -> dict[str, Any]:
    """Plant one kind of leak in one clean study per seed, or count the alarms on clean studies.

    Returns
    -------
    dict
        ``planted`` studies; in how many the right check ``found`` it and did what it should; in how many the finding
        ``named`` one of the rows concerned. For ``clean``: in how many any check raised an alarm.
    """
    if kind == CLEAN:
        alarms = [bool(_alarmed(auditing.run(clean(task, seed).context(), {}))) for seed in seeds for task in KINDS]
        alarms += [not _silent(clean(task, seed)) for seed in seeds for task in KINDS]
        studies = len(alarms) // 2
        return _row(kind, "all", "", studies, int(np.sum(alarms)), 0)
    if kind in CLEAN_CONTENT:
        base, check = CLEAN_CONTENT[kind]
        alarms = [bool(_alarmed(only(check, base(KINDS[seed % len(KINDS)], seed)))) for seed in seeds]
        return _row(kind, check, "", len(alarms), sum(alarms), 0)
    if kind == SEEN:
        hits = [_saw(clean(KINDS[seed % len(KINDS)], seed), np.random.default_rng(seed)) for seed in seeds]
        return _row(kind, "check_seen", "stop", len(hits), sum(hits), sum(hits))
    leak = LEAKS[kind]
    caught = [find(kind, leak.tasks[seed % len(leak.tasks)], seed) for seed in seeds]
    found, named = (int(np.sum(column)) for column in zip(*caught, strict=True))
    return _row(kind, leak.check, leak.action, len(seeds), found, named)


def find(kind: str, task: str, seed: int) -> tuple[bool, bool]:
    """Plant one leak, and run the check that should find it.

    Returns
    -------
    tuple
        Whether it was found with the severity that it should have, and whether the finding names one of the rows concerned (all,
        where the leak says so).
    """
    leak = LEAKS[kind]
    planted, who = leak.plant(leak.base(task, seed), np.random.default_rng([seed, 104729]))
    rows = only(leak.check, planted)
    rows = rows[rows["severity"] == leak.action]
    said = [any(name in keys for keys in rows["keys"]) for name in who]
    return len(rows) > 0, len(rows) > 0 and (not who or (all(said) if leak.every else any(said)))


def only(check: str, draft: Draft) -> pd.DataFrame:
    """Findings of one check on a study."""
    found = auditing.run(draft.context(), {name: "off" for name in plugins.names("audit") if name != check})
    return found[found["check"] == check]


def kinds() -> list[str]:
    """All kinds that can be measured."""
    return [CLEAN, *CLEAN_CONTENT, *LEAKS, SEEN]


def _row(kind: str, check: str, does: str, planted: int, found: int, named: int) -> dict[str, Any]:
    rate = found / planted
    shares = (
        {"sensitivity": "", "false_alarms": rate}
        if kind in (CLEAN, *CLEAN_CONTENT)
        else {"sensitivity": rate, "false_alarms": ""}
    )
    counts = {"planted": planted, "found": found, "named": named}
    return {"kind": kind, "check": check, "does": does, **counts, **shares}


def _alarmed(findings: pd.DataFrame) -> list[str]:
    return sorted(findings["check"][findings["severity"].isin(ALARMS)].unique())


def _fits(draft: Draft) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """The splits of a study and what honest fits note about them."""
    splits = draft.context().splits
    train = splits[splits["part"] == "train"].groupby(["repeat", "fold"])
    notes = [{"model": "m", "repeat": r, "fold": f, "seen": keys_hash(rows)} for (r, f), rows in train]
    return splits, [{**note, "transforms": {"scaling": note["seen"]}} for note in notes]


def _silent(draft: Draft) -> bool:
    """Whether honest fits pass."""
    splits, notes = _fits(draft)
    try:
        auditing.check_seen(notes, splits)
    except DataError:
        return False
    return True


def _saw(draft: Draft, random: np.random.Generator) -> bool:
    """Whether a fit, or a scaling inside it, is found that saw one tested row."""
    splits, notes = _fits(draft)
    wrong = notes[int(random.integers(len(notes)))]
    rows = splits[(splits["repeat"] == wrong["repeat"]) & (splits["fold"] == wrong["fold"])]
    saw = keys_hash(pd.concat([rows[rows["part"] == "train"], rows[rows["part"] == "test"].sample(1, random_state=0)]))
    if random.random() < 0.5:
        wrong["seen"] = saw
    else:
        wrong["transforms"] = {"scaling": saw}
    try:
        auditing.check_seen(notes, splits)
    except DataError as error:
        return f"repeat {wrong['repeat'] + 1}, fold {wrong['fold'] + 1}" in str(error)
    return False
