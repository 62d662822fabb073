"""Patients drawn again: the same scores as those of a table in which they stand several times."""

import numpy as np
import pandas as pd
import pytest
from simulated_waist import waist

from triptych import plugins
from triptych.resampling import drawn
from triptych.scoring import contributions

CLASSES = [name for name in plugins.names("metrics") if "classification" in plugins.describe("metrics", name)["TASKS"]]
NUMBERS = [name for name in plugins.names("metrics") if "regression" in plugins.describe("metrics", name)["TASKS"]]


def two_rows_each(n=40, seed=0):
    """Predictions of a class and of a number, two rows of each person, two repeats of one fold."""
    random = np.random.default_rng(seed)
    y, parts = np.repeat(np.arange(n) % 2, 2), []
    keys = {"cohort": "c", "participant_id": np.repeat([f"p{k:02d}" for k in range(n)], 2)}
    for repeat in range(2):
        score = (y + random.normal(size=2 * n)).round(1)
        head = {"task": "t", "model": "a", "repeat": repeat, "fold": 0, **keys, "session_id": ["s1", "s2"] * n}
        p = 1 / (1 + np.exp(-score))
        parts.append(pd.DataFrame({**head, "y": y, "score": score, "predicted": (p > 0.6).astype(int), "p": p}))
    return pd.concat(parts, ignore_index=True)


def written_out(table, counts):
    """The table with each person as often as drawn, each time as somebody else."""
    people = sorted(table["participant_id"].unique())
    copies = [
        table[table["participant_id"] == person].assign(participant_id=f"{person}-{copy}")
        for person, count in zip(people, counts, strict=True)
        for copy in range(count)
    ]
    return pd.concat(copies, ignore_index=True)


def check(table, metric):
    counts = np.random.default_rng(1).multinomial(40, np.full(40, 1 / 40), 3)
    found = drawn(table, None, metric, None)["a"](counts)
    for row, value in zip(counts, found, strict=True):
        known, _ = contributions(written_out(table, row), None, metric, None, None)
        assert value == pytest.approx(known.loc[known["kind"] == "pooled", "value"].iloc[0])
    once = drawn(table, None, metric, None)["a"](np.ones((1, 40), int))
    plain, _ = contributions(table, None, metric, None, None)
    assert once[0] == pytest.approx(plain.loc[plain["kind"] == "pooled", "value"].iloc[0])


@pytest.mark.parametrize("metric", CLASSES)
def test_classes(metric):
    check(two_rows_each(), metric)


@pytest.mark.parametrize("metric", NUMBERS)
def test_numbers(metric):
    table = two_rows_each()
    check(table.assign(predicted=table["score"]).drop(columns=["score", "p"]), metric)


def test_survival_by_model():
    table = waist(n=40)
    draws = drawn(table, None, "harrell_c", None)
    assert list(draws) == ["a", "b"]
    check(table, "harrell_c")


def test_a_draw_without_a_value_is_missing():
    table = two_rows_each()
    nobody = np.zeros((1, 40), int)
    nobody[0, 0] = 40  # one negative patient, again and again
    for metric in ("auc", "sensitivity", "balanced_accuracy"):
        assert np.isnan(drawn(table, None, metric, None)["a"](nobody)[0]), metric
