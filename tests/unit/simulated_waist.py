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


def curves_of(table, at=(0.5, 1.0, 1.5)):
    """Survival curves of proportional hazards, the companion of `waist`: a column per time."""
    base = np.exp(-np.outer(np.exp(table["risk"]), at))
    return pd.DataFrame(base, columns=[str(float(t)) for t in at], index=table.index)


def classes(n=60, repeats=2, models=("a", "b"), folds=3, seed=0, scans=1, sites=None, slope=1.0):
    """Predictions of two classes for the same people, some scans each that share the class; calibrated where slope is 1."""
    random = np.random.default_rng(seed)
    person = np.repeat(np.arange(n), scans)
    truth = random.normal(0, 1.2, n)
    y = (random.random(n) < 1 / (1 + np.exp(-truth))).astype(int)[person]
    keys = {"cohort": "c", "participant_id": [f"p{k:03d}" for k in person]}
    keys["session_id"] = [f"ses-{1 + k % scans}" for k in range(n * scans)]
    if sites:
        keys["site"] = [sites[k % len(sites)] for k in person]
    parts = []
    for repeat in range(repeats):
        fold = (random.permutation(n) % folds)[person]
        for noise, model in enumerate(models):
            logit = (truth[person] + random.normal(0, noise, n * scans)) / slope
            p = 1 / (1 + np.exp(-logit))
            head = {"task": "t", "model": model, "repeat": repeat, "fold": fold, **keys, "y": y}
            parts.append(pd.DataFrame({**head, "score": logit, "predicted": (p >= 0.5).astype(int), "p": p}))
    return pd.concat(parts, ignore_index=True)
