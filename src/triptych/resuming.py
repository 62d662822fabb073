"""Fit folds so that a job that is killed, and started again, goes on with the fold where it was.

The outputs of a job, or of a whole group of jobs, are removed when one of them fails.  Finished folds are therefore also kept in
files that are no outputs, named by a hash of everything that they depend on; ``gather`` removes them.  So is the training of the
fold that was being fitted (``checkpoints``).  Of a group of processes the first one reads and writes for all.
"""

import hashlib
import json
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triptych.checkpoints import Keep, remove
from triptych.fingerprint import code
from triptych.fitting import fit_folds
from triptych.launching import agreed
from triptych.processes import leads
from triptych.tables import Examples

Fits = tuple[pd.DataFrame, list[dict[str, Any]], list[dict[str, Any]]]
NAME = ".folds"


def fit_or_resume(
    examples: Examples, splits: pd.DataFrame, *, folder: Path, sources: Sequence[Path], **how: Any
) -> Fits:
    """The same as ``fit_folds``, fold by fold; those that were finished before are read instead.

    Parameters
    ----------
    folder
        Where finished folds are kept.
    sources
        Files that examples and splits were read from.
    how
        What ``fit_folds`` is told.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamp, fits = key(sources, **how), []
    for (repeat, fold), rows in splits.groupby(["repeat", "fold"], sort=True):
        path, keep = folder / f"{repeat}-{fold}-{stamp}", Keep(folder / f"training-{repeat}-{fold}", stamp)
        if (known := agreed(_read(path))) is None:
            known = fit_folds(examples, rows, keep=keep, **how)
            if leads():
                beside = path.with_suffix(f".{os.getpid()}")
                beside.write_bytes(pickle.dumps(known))
                beside.replace(path)
                remove(keep)
        elif leads():
            print(f"repeat {repeat + 1}, fold {fold + 1}: finished before")
        fits.append(known)
    whole = [predictions for predictions, _, _ in fits if len(predictions)]
    together = pd.concat(whole, ignore_index=True) if whole else fits[0][0]
    return (
        together,
        [note for _, notes, _ in fits for note in notes],
        [lost for *_, failures in fits for lost in failures],
    )


def key(sources: Sequence[Path], *, use: str, times: np.ndarray | None, **how: Any) -> str:
    """Hash of the files that are read, the code that fits, and what it is told."""
    told = {"use": use, "times": None if times is None else times.tolist(), **how}
    total = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    total.update(code("scripts/fit.py", f"triptych.models.{use}").encode())
    for path in sources:
        with path.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()[:16]


def _read(path: Path) -> Fits | None:
    try:
        return pickle.loads(path.read_bytes())
    except FileNotFoundError:
        return None
