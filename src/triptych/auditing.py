"""Run every audit of the folder on one task, before any fit."""

import pandas as pd

from triptych import plugins
from triptych.audit._context import Context
from triptych.errors import DataError

COLUMNS = ["check", "title", "leak_class", "severity", "cohort", "keys", "message", "action"]


def run(context: Context, severities: dict[str, str]) -> pd.DataFrame:
    """All findings; a check that found nothing leaves one row ``pass``.

    Parameters
    ----------
    severities
        The study's own word on what a finding of a check does: ``stop``, ``warn`` or ``off``.
    """
    found = []
    for name in plugins.names("audit"):
        if severities.get(name) == "off":
            found.append({"check": name, "severity": "not assessable", "message": "switched off in the study"})
            continue
        module = plugins.load("audit", name)
        for row in module.check(context).to_dict("records") or [
            {"severity": "pass", "message": "looked for, not found"}
        ]:
            if row["severity"] in ("stop", "warn"):
                row["severity"] = severities.get(name, row["severity"])
            found.append({"check": name, "title": module.TITLE, "leak_class": module.LEAK_CLASS, **row})
    return pd.DataFrame(found, columns=COLUMNS).fillna("")


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
