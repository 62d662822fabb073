"""Data that the survival tests share: set T of the known answers, R's answers, and the lung data."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

GOLDEN = Path(__file__).parents[2] / "golden" / "survival.json"


def _as_arrays(node):
    if isinstance(node, dict):
        return {key: _as_arrays(value) for key, value in node.items()}
    if isinstance(node, list):
        return np.array([np.nan if value is None else value for value in node], dtype=float)
    return np.nan if node is None else node


@pytest.fixture(scope="session")
def golden():
    return _as_arrays(json.loads(GOLDEN.read_text()))


@pytest.fixture(scope="session")
def t_set():
    return SimpleNamespace(
        time=np.array([1, 1, 2, 2, 2, 3, 4, 4, 5, 6.0]),
        event=np.array([1, 1, 1, 1, 0, 1, 0, 1, 1, 0]),
        x=np.array([2, 1, 1.5, -1, 0.5, 1, 0, -0.5, 0.3, -1]),
        weights=np.array([1, 2, 1, 1, 3, 1, 1, 2, 1, 1.0]),
        strata=np.repeat([0, 1], 5),
        entry=np.array([0, 0, 0, 1, 1, 0, 2, 0, 3, 1.0]),
    )


@pytest.fixture(scope="session")
def lung():
    datasets = pytest.importorskip("lifelines.datasets")
    frame = datasets.load_lung()[["time", "status", "age", "sex", "ph.ecog"]].dropna()
    x = frame[["age", "sex", "ph.ecog"]].to_numpy(dtype=float)
    return SimpleNamespace(time=frame["time"].to_numpy(dtype=float), event=frame["status"].to_numpy() == 1, x=x)


@pytest.fixture(scope="session")
def cohorts():
    """`cohorts(seed, n)`: heavy ties in time and risk, weights, strata, delayed entry."""

    def make(seed, n, times=6, risks=4):
        rng = np.random.default_rng(seed)
        time = rng.integers(1, times + 1, n).astype(float)
        return SimpleNamespace(
            time=time,
            event=rng.random(n) < 0.6,
            risk=rng.integers(0, risks, n).astype(float),
            weights=rng.integers(0, 4, n) + rng.choice([0.0, 0.5], n) + (np.arange(n) == 0),
            strata=rng.integers(0, 3, n),
            entry=time - rng.integers(1, times + 1, n),
        )

    return make
