"""Predictions that were never made: some models, the same people, every person tested once in each repeat."""

import numpy as np
import pandas as pd


def waist(n=60, repeats=2, models=("a", "b"), folds=3, seed=0, sites=None):
    """Predictions of some models for the same people."""
    random = np.random.default_rng(seed)
    truth = random.normal(size=n)
    hidden, censored = random.exponential(np.exp(-truth)), random.uniform(0.3, 3, n)
    keys = {"cohort": "c", "participant_id": [f"p{k:02d}" for k in range(n)], "session_id": "ses-1"}
    if sites:
        keys["site"] = [sites[k % len(sites)] for k in range(n)]
    parts = []
    for repeat in range(repeats):
        fold = random.permutation(n) % folds
        for noise, model in enumerate(models, 1):
            head = {"task": "t", "model": model, "repeat": repeat, "fold": fold, **keys}
            outcome = {"time": np.minimum(hidden, censored), "event": (hidden <= censored).astype(int)}
            parts.append(pd.DataFrame({**head, **outcome, "risk": truth + random.normal(0, noise, n)}))
    return pd.concat(parts, ignore_index=True)
