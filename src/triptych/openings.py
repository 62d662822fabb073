"""How often the outcomes of the same tested people were opened: each further set of predictions for them is a further look.

What is chosen after a look (a model, an option, the best of ten runs) is chosen on tested people, and no interval knows of it.
So looks are counted beside the results, in ``.triptych``, which outlives them; the report prints the count.
"""

import json
import os
from hashlib import sha256
from pathlib import Path

import pandas as pd

from triptych.tables import KEY, keys_hash

FILE = Path(".triptych") / "openings.jsonl"


def note(predictions: pd.DataFrame, study: str, task: str, file: Path = FILE) -> None:
    """Note one look; a look at the same predictions again is written again and counted once.

    Parameters
    ----------
    predictions
        The waist of one task: all models, repeats and folds.
    """
    columns = sorted(predictions.columns)
    rows = pd.util.hash_pandas_object(predictions[columns].astype(str), index=False)
    shown = sha256("\n".join(sorted(map(str, rows))).encode()).hexdigest()[:16]
    people = keys_hash(predictions[KEY].drop_duplicates())
    line = json.dumps({"study": study, "task": task, "people": people, "predictions": shown}) + "\n"
    file.parent.mkdir(exist_ok=True)
    opened = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(opened, line.encode())  # one short write: jobs that append at the same time do not mix
    finally:
        os.close(opened)


def counted(study: str, tasks: list[str], file: Path = FILE) -> dict[str, int]:
    """Task: how many different sets of predictions were made for the people that it tests, by any study of this folder."""
    if not file.exists():
        return {}
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    looks: dict[str, set[str]] = {}
    for line in lines:
        looks.setdefault(line["people"], set()).add(line["predictions"])
    latest = {line["task"]: line["people"] for line in lines if line["study"] == study}
    return {task: len(looks[latest[task]]) for task in tasks if task in latest}
