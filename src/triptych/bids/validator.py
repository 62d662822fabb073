"""The BIDS validator of the BIDS maintainers, run on a folder (bids-validator-deno, from its wheel; it needs no network)."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from triptych.errors import DataError

COLUMNS = ["severity", "code", "n", "file", "message"]


def validate(folder: Path) -> pd.DataFrame:
    """What the validator finds: one row per kind of issue, errors first, with how often and the first file.

    Raises
    ------
    DataError
        When the validator itself does not run.
    """
    command = [str(Path(sys.executable).with_name("bids-validator-deno")), str(folder.resolve()), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        said = json.loads(done.stdout)["issues"]
    except (ValueError, KeyError):
        raise DataError(
            f"the BIDS validator did not run on {folder} (status {done.returncode}): {done.stderr.strip()[-500:]}"
        ) from None
    messages = said.get("codeMessages", {})
    kinds: dict[str, list] = {}
    for issue in said["issues"]:
        row = kinds.setdefault(issue["code"], [issue["severity"], issue["code"], 0, "", ""])
        row[2] += 1
        if row[2] == 1:
            about = filter(None, [messages.get(issue["code"], ""), issue.get("issueMessage"), issue.get("subCode")])
            row[3:] = [issue.get("location", "").lstrip("/"), " ".join(" ".join(map(str, about)).split())]
    return pd.DataFrame(sorted(kinds.values(), key=lambda row: (row[0] != "error", row[1])), columns=COLUMNS)


def refuse_errors(issues: pd.DataFrame, folder: Path) -> None:
    """Stop when a data set that was made here is not valid.

    Raises
    ------
    DataError
        Naming each kind of error.
    """
    errors = issues[issues["severity"] == "error"]
    if len(errors):
        shown = "; ".join(f"{row.code} in {row.file or 'the data set'}: {row.message}" for row in errors.itertuples())
        raise DataError(f"{folder}: the BIDS validator finds {len(errors)} kinds of errors: {shown}")
