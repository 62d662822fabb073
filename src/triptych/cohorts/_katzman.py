"""What the three DeepSurv benchmark files have in common."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd


def read_groups(path: Path, prefix: str) -> pd.DataFrame:
    """Rows of the groups ``train`` and ``test`` with the authors' split; columns x1..xp, time, event, split."""
    parts = []
    with h5py.File(path) as file:
        for split in ("train", "test"):
            x = np.asarray(file[split]["x"], np.float64)
            part = pd.DataFrame(x, columns=[f"x{k}" for k in range(1, x.shape[1] + 1)])
            part.insert(0, "participant_id", [f"{prefix}-{split}-{k:04d}" for k in range(1, len(x) + 1)])
            parts.append(part.assign(time=np.float64(file[split]["t"]), event=np.int64(file[split]["e"]), split=split))
    return pd.concat(parts, ignore_index=True)
