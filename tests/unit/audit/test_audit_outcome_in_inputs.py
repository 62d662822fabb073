"""The outcome among the inputs, for event times, classes and numbers."""

import numpy as np
import pandas as pd
import pytest
from audited import but, check, clean, one

from triptych.tables import Examples


def with_leak(values, kind="survival", n=60):
    context = clean(n, kind=kind)
    return but(context, table=context.people.assign(leak=values(context.people)))


SURVIVAL = {
    "the time": lambda t: t["time"],
    "minus the time": lambda t: -t["time"],
    "a function of the time": lambda t: np.log1p(t["time"]) * 3 - 1,
    "the time with a few gaps": lambda t: t["time"].where(t.index > 4),
    "the time, a little noisy": lambda t: t["time"] + np.random.default_rng(1).normal(0, 0.01, len(t)),
    "the event": lambda t: t["event"].astype(float),
    "the negative of the event": lambda t: 1.0 - t["event"],
    "the event as 1 and 2": lambda t: t["event"] + 1.0,
    "the event in words": lambda t: t["event"].map({True: "Dead", False: "Alive"}),
    "the event in three words": lambda t: np.select([~t["event"], t.index % 7 > 0], ["alive", "dead"], "died"),
    "the event as three codes": lambda t: np.select([~t["event"], t.index % 5 > 0], [2.0, 1.0], 3.0),
}
CLASSES = {
    "the class": lambda t: t["y"].astype(float),
    "the class, reversed": lambda t: 1 - t["y"],
    "the class in words": lambda t: t["y"].map({1: "AD", 0: "CN"}),
    "the class as three codes": lambda t: np.select([t["y"] == 0, t.index % 5 > 0], [2.0, 1.0], 3.0),
    "a score made from it": lambda t: t["y"] * 3 + np.random.default_rng(1).normal(0, 0.5, len(t)),
    "a score made from it, reversed, with gaps": lambda t: (-t["y"] + 0.01 * t["g1"]).where(t.index % 9 > 0),
}
NUMBERS = {
    "the number": lambda t: t["y"],
    "the number in other units": lambda t: -2.54 * t["y"] + 7,
    "a monotone function": lambda t: np.exp(t["y"]),
    "the number, rounded, with gaps": lambda t: t["y"].round(1).where(t.index % 9 > 0),
}


@pytest.mark.parametrize("what", SURVIVAL)
def test_the_time_or_event_among_the_inputs(what):
    row = one("outcome_in_inputs", with_leak(SURVIVAL[what]))
    assert row["severity"] == "stop"
    assert row["keys"].startswith("leak (")
    assert row["keys"].endswith("(equals the event)") == ("event" in what)
    assert row["message"] == ("1 inputs tell the outcome almost perfectly on their own (C beyond 0.98 either way)")
    assert row["action"] == "leave them out, or show that they are known at baseline"


@pytest.mark.parametrize("what", CLASSES)
def test_the_class_among_the_inputs(what):
    row = one("outcome_in_inputs", with_leak(CLASSES[what], "classification"))
    assert row["keys"].startswith("leak (")
    assert row["keys"].endswith("(equals the class)") == ("class" in what)


@pytest.mark.parametrize("what", NUMBERS)
def test_the_number_among_the_inputs(what):
    row = one("outcome_in_inputs", with_leak(NUMBERS[what], "regression"))
    assert row["keys"].startswith("leak (rank correlation ")


@pytest.mark.parametrize("what", ["the time", "the event in words"])
def test_it_is_found_among_very_many_inputs(what):
    context = clean(400)
    noise = np.random.default_rng(5).normal(size=(400, 3000))
    leak = SURVIVAL[what](context.people)
    table = pd.concat([context.people.assign(leak=leak), pd.DataFrame(noise).add_prefix("n")], axis=1)
    assert one("outcome_in_inputs", but(context, table=table))["keys"].startswith("leak (")


def test_the_time_is_found_when_everyone_has_an_event():
    context = clean(event=True)
    row = one("outcome_in_inputs", but(context, table=context.people.assign(leak=context.people["time"])))
    assert row["keys"] == "leak (C 0.000)"


@pytest.mark.parametrize("kind", ["survival", "classification", "regression"])
def test_a_strong_but_honest_input_is_no_finding(kind):
    context = clean(300, kind=kind)
    noise = np.random.default_rng(0).normal(0, 0.7, 300)
    outcome = -np.log(context.people["time"]) if kind == "survival" else context.people["y"] * 1.5
    table = context.people.assign(strong=outcome + noise)
    assert check("outcome_in_inputs", but(context, table=table)).empty


def test_few_cases_among_many_inputs_are_separated_by_chance():
    """Two cases of thirty: one in some two hundred columns of noise separates them perfectly."""
    y = np.arange(30) < 2
    noise = pd.DataFrame(np.random.default_rng(1).normal(size=(30, 4000))).add_prefix("n")
    base = clean(30, kind="classification", y=y.astype(int), folds=2)
    separating = (noise[y].min() > noise[~y].max()) | (noise[y].max() < noise[~y].min())
    assert separating.any(), "else this test shows nothing"
    context = but(base, table=pd.concat([base.people, noise], axis=1))
    assert check("outcome_in_inputs", context).empty


def test_useless_inputs_are_no_finding():
    context = clean(same=1.0, empty=np.nan, words="w", rare=[1.0] + [np.nan] * 59)
    assert check("outcome_in_inputs", context).empty


def test_many_categories_tell_anything():
    codes = [f"k{k // 2}" for k in range(24)] + ["rest"] * 36
    assert check("outcome_in_inputs", clean(codes=codes)).empty


def test_all_leaks_are_named():
    context = clean()
    table = context.people.assign(a=context.people["time"], b=context.people["event"].astype(float))
    row = one("outcome_in_inputs", but(context, table=table))
    assert row["keys"] == "a (C 0.000); b (equals the event)"


def test_what_a_negative_control_reads_is_no_claim():
    context = clean()
    table = context.people.assign(leak=context.people["event"].astype(str))
    examples = Examples(table, {"all": ["age", "g1"], "control-site": ["leak"]})
    assert check("outcome_in_inputs", but(context, examples=examples)).empty
