"""Look at a study's data once, before the workflow is planned.

The look itself (``triptych.check``) needs pandas and runs in a process of its own; a stamp remembers that this study, with these
raw files and this code, was found good, so that later plans start at once.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from triptych import plugins
from triptych.errors import DataError
from triptych.fingerprint import SRC, code
from triptych.study import Study

STAMPS = Path(".triptych") / "checked"


def precheck(study: Study, digests: dict[str, str]) -> None:
    """Check the data of a study unless that was done before.

    Parameters
    ----------
    digests
        Cohort: digest of its raw files.

    Raises
    ------
    DataError
        With the message of the first fault.
    """
    if study.predictions:
        return
    content = json.dumps(_relevant(study), sort_keys=True)
    readers = [f"triptych.cohorts.{name}" for name in study.cohorts if name in plugins.names("cohorts")]
    splits = sorted({f"triptych.splits.{study.validation_of(task).split}" for task in study.tasks})  # type: ignore[union-attr]
    sources = code("triptych.check", *splits, *readers)
    stamp = (
        STAMPS
        / hashlib.sha256("\0".join([content, *map(str, sorted(digests.items())), sources]).encode()).hexdigest()[:16]
    )
    if stamp.exists():
        return
    STAMPS.mkdir(parents=True, exist_ok=True)
    question = stamp.with_suffix(f".{os.getpid()}.json")
    question.write_text(content)
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(SRC)!r}); from triptych.check import main; sys.exit(main())",
    ]
    done = subprocess.run([*command, str(question)], capture_output=True, text=True)
    question.unlink()
    if done.returncode:
        raise DataError(done.stderr.strip())
    stamp.touch()


def _relevant(study: Study) -> dict[str, Any]:
    """What a look at the data depends on; a changed model option needs no new look."""
    whole = study.model_dump(mode="json")
    kept = {key: whole[key] for key in ("cohorts", "tasks", "validation", "predictions", "tolerance", "seed")}
    return {**kept, "root": str(study.root.resolve()) if study.root else None}
