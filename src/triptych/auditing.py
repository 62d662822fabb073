"""Run every audit of the folder on one task, before any fit; and after the fits, ask each what it has seen."""

from types import ModuleType

import pandas as pd

from triptych import plugins
from triptych.audit._context import FINDING, Context, not_assessable
from triptych.errors import DataError, NotEstimableError
from triptych.tables import keys_hash

COLUMNS = ["check", "title", "leak_class", *FINDING]
LEAK_CLASSES = {
    "identity": "one person on both sides of a split",
    "fit": "learned from tested rows",
    "augmentation": "copies made before the split",
    "transfer": "pretrained weights whose training people are tested",
    "selection": "model, threshold or seed chosen on the test set",
    "target": "an input that is the outcome, or is made from it",
    "time": "inputs or outcomes from after the moment of prediction",
    "design": "site, scanner, quality or exclusion stands for the outcome",
    "claim": "folds counted as data sets, scans counted as people",
}
ON_PURPOSE = "on purpose: the study says `wrong_on_purpose: true`"


def run(context: Context, severities: dict[str, str]) -> pd.DataFrame:
    """All findings; a check that found nothing leaves one row ``pass``.

    Parameters
    ----------
    severities
        The study's own word on what a finding of a check does: ``stop``, ``warn`` or ``off``.

    Notes
    -----
    On a split that leaks on purpose, what the split does (checks with ``OF_SPLIT``) warns instead of stopping.
    """
    found = []
    for name in plugins.names("audit"):
        module = plugins.load("audit", name)
        head = {"check": name, "title": module.TITLE, "leak_class": module.LEAK_CLASS}
        if severities.get(name) == "off":
            found.append({**head, "severity": "not assessable", "message": "switched off in the study"})
            continue
        for row in _check(module, context) or [{"severity": "pass", "message": "looked for, not found"}]:
            if row["severity"] == "stop" and context.wrong_on_purpose and getattr(module, "OF_SPLIT", False):
                row.update(severity="warn", message=f"{row['message']} ({ON_PURPOSE})")
            elif row["severity"] in ("stop", "group", "warn"):
                row["severity"] = severities.get(name, row["severity"])
            found.append({**head, **row})
    return pd.DataFrame(found, columns=COLUMNS).astype(object).fillna("")


def _check(module: ModuleType, context: Context) -> list[dict]:
    """Findings of one check; what cannot be estimated on these data cannot be assessed."""
    try:
        return module.check(context).to_dict("records")
    except NotEstimableError as error:
        return not_assessable(str(error)).to_dict("records")


def refuse(findings: pd.DataFrame, task: str) -> None:
    """Raise when a finding must stop the run.

    Raises
    ------
    DataError
        Lists every such finding with the rows and what to do.
    """
    stops = findings[findings["severity"] == "stop"]
    if len(stops):
        lines = [f"  {r.check}: {r.message}; {r.action} [{r.keys}]" for r in stops.itertuples()]
        raise DataError(
            f"task {task!r}: the audit stops the run before any fit:\n" + "\n".join(lines) + "\n"
            "mend the data, or lower the severity in the study (`audit: {check: warn}`), which the report will say"
        )


def check_seen(fits: list[dict], splits: pd.DataFrame) -> None:
    """Refuse fitted objects that saw other rows than the training rows of their fold.

    Parameters
    ----------
    fits
        What each fit noted: ``model, repeat, fold``, ``seen`` (hash of the keys it learned from), and ``transforms`` (name:
        hash), where a part of it was fitted on its own.

    Raises
    ------
    DataError
        Naming the first such fit, and what in it saw other rows.
    """
    train = splits[splits["part"] == "train"]
    wanted = {where: keys_hash(rows) for where, rows in train.groupby(["repeat", "fold"])}
    wrong = [
        f"model {fit['model']!r}, repeat {fit['repeat'] + 1}, fold {fit['fold'] + 1}: {what}"
        for fit in fits
        for what, seen in {"the model": fit.get("seen"), **fit.get("transforms", {})}.items()
        if seen != wanted.get((fit["repeat"], fit["fold"]))
    ]
    if wrong:
        raise DataError(
            f"{len(wrong)} fitted objects saw other rows than the training rows of their fold; the first: {wrong[0]}; "
            "fit scaling, selection, harmonisation and weights inside training only, and note the keys they were given"
        )
