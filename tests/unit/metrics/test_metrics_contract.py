"""What every metric promises for every kind of outcome: a new file in metrics/ is tested here without a line added."""

from dataclasses import fields, replace

import numpy as np
import pytest
from simulated_held import KINDS, MAKE, METRICS, PAIRS, constant, size

from triptych import plugins
from triptych.errors import NotEstimableError

FAMILIES = ("rank", "proportion", "mean", "ratio")


def says(name):
    return plugins.describe("metrics", name).literals


def each(pairs=PAIRS):
    """The test is made for each of these metrics and kinds of outcome."""
    return pytest.mark.parametrize(("name", "kind"), pairs, ids=[f"{name}-{kind}" for name, kind in pairs])


def score(name):
    return plugins.load("metrics", name).contributions


RANKING = [pair for pair in PAIRS if says(pair[0])["FAMILY"] == "rank"]


@pytest.mark.parametrize("name", METRICS)
def test_literals(name):
    said, module = says(name), plugins.load("metrics", name)
    assert set(said["TASKS"]) <= {*KINDS, "segmentation"}
    assert said["TASKS"]
    assert isinstance(said["LABEL"], str)
    assert isinstance(said["HIGHER_IS_BETTER"], bool)
    assert said["NULL_VALUE"] is None or isinstance(said["NULL_VALUE"], float)
    assert said["SCALE"] in ("identity", "logit", "log", "log1m")
    assert said["FAMILY"] in FAMILIES
    assert said.get("OF", "all") in ("all", "positive", "negative", "each")
    for literal, value in said.items():  # readable without an import
        assert getattr(module, literal) == value


def test_labels_are_different():
    assert len({says(name)["LABEL"] for name in METRICS}) == len(METRICS)


def test_what_lies_between_0_and_1_has_the_scale_for_it():
    """An interval on the logit scale stays inside; an error in the unit of the outcome lies above 0, R² below 1."""
    found = {name: says(name)["SCALE"] for name in METRICS if says(name)["SCALE"] != "logit"}
    assert found == {"mae": "log", "r2": "log1m"}


# ---- influence -----------------------------------------------------------------------------------


@each()
def test_influence_is_one_value_per_row_and_sums_to_nothing(name, kind):
    held = MAKE[kind]("half")
    value, influence = score(name)(held)
    assert isinstance(value, float)
    assert np.isfinite(value)
    assert influence.shape == (size(held),)
    assert np.isfinite(influence).all()
    assert abs(influence.sum()) < 1e-10 * max(1, abs(value))
    assert np.abs(influence).max() > 1e-4


@each()
def test_influence_is_what_more_weight_of_a_row_changes(name, kind):
    """The infinitesimal jackknife: among 60 copies of n rows, one more of row i adds its influence times n / (60 n + 1)."""
    held, copies = MAKE[kind]("half", n=36), 60
    value, influence = score(name)(held)
    rows = np.arange(36)
    many = np.repeat(rows, copies)
    again, shared = score(name)(held.take(many))
    assert again == pytest.approx(value, abs=1e-12)  # the value does not depend on how often all rows are there
    np.testing.assert_allclose(shared, influence[many] / copies, atol=1e-12)
    moved = np.array([score(name)(held.take(np.append(many, row)))[0] - value for row in rows])
    expected = influence * 36 / (copies * 36 + 1)
    np.testing.assert_allclose(moved, expected, atol=0.04 * np.abs(expected).max())
    assert np.corrcoef(moved, influence)[0, 1] > 0.9999


@each()
def test_influence_is_near_what_leaving_a_row_out_changes(name, kind):
    held = MAKE[kind]("half", n=150)
    value, influence = score(name)(held)
    rows = np.arange(150)
    left_out = np.array([(value - score(name)(held.take(rows != row))[0]) for row in rows])
    assert np.corrcoef(left_out, influence)[0, 1] > 0.99
    assert np.std(left_out * 149 / 150) == pytest.approx(np.std(influence), rel=0.05)


@each([pair for pair in PAIRS if says(pair[0]).get("OF", "all") in ("positive", "negative")])
def test_rows_that_do_not_count_have_no_influence(name, kind):
    held = MAKE[kind]("half")
    counts = held.y == (says(name)["OF"] == "positive")
    influence = score(name)(held)[1]
    assert (influence[~counts] == 0).all()
    assert (influence[counts] != 0).any()
    moved = replace(held, predicted=np.where(counts, held.predicted, 1 - held.predicted))
    assert score(name)(moved)[0] == score(name)(held)[0]


# ---- values --------------------------------------------------------------------------------------


@each()
def test_better_predictions_score_better(name, kind):
    sign = 1 if says(name)["HIGHER_IS_BETTER"] else -1
    values = [sign * score(name)(MAKE[kind](how, n=300))[0] for how in ("true", "half", "random", "reversed")]
    assert values == sorted(values, reverse=True)
    assert values[0] - values[1] > 0.02
    assert values[2] - values[3] > 0.01


@each([pair for pair in PAIRS if says(pair[0])["NULL_VALUE"] is not None])
def test_the_null_value_is_what_a_constant_gets(name, kind):
    value = score(name)(constant(MAKE[kind]("half")))[0]
    assert value == pytest.approx(says(name)["NULL_VALUE"], abs=1e-12)


@each()
def test_the_order_of_the_rows_is_nothing(name, kind):
    held = MAKE[kind]("half")
    order = np.random.default_rng(2).permutation(size(held))
    (value, influence), (again, shuffled) = score(name)(held), score(name)(held.take(order))
    assert again == pytest.approx(value, abs=1e-12)
    np.testing.assert_allclose(shuffled, influence[order], atol=1e-13)


@each()
def test_taking_rows_keeps_them_together(name, kind):
    held = MAKE[kind]("half", n=30)
    some = held.take(held.fold == 1)
    for field in fields(held):
        whole, part = getattr(held, field.name), getattr(some, field.name)
        if isinstance(whole, np.ndarray) and field.name != "times":
            np.testing.assert_array_equal(part, whole[held.fold == 1])
        else:
            assert part is whole  # the weights of censoring stay those of all held-out people
    assert np.isfinite(score(name)(some)[0])


# ---- ranks ---------------------------------------------------------------------------------------


def ranked(held, change):
    """The same rows with another risk or score."""
    column = "risk" if hasattr(held, "risk") else "score"
    return replace(held, **{column: change(getattr(held, column))})


@each(RANKING)
def test_ranks_are_compared_within_folds_only(name, kind):
    held = MAKE[kind]("half")
    value, influence = score(name)(held)
    shifted = ranked(held, lambda risk: risk + np.array([0.0, 1000.0, -7.0])[held.fold])
    assert score(name)(shifted)[0] == value
    np.testing.assert_array_equal(score(name)(shifted)[1], influence)
    one_fold = replace(held, fold=np.zeros_like(held.fold))
    assert score(name)(one_fold)[0] != value
    assert score(name)(replace(shifted, fold=one_fold.fold))[0] != score(name)(one_fold)[0]


@each(RANKING)
def test_any_growing_function_ranks_alike(name, kind):
    held = MAKE[kind]("half")
    stretched = ranked(held, lambda risk: np.arctan(risk * 0.1))
    assert score(name)(stretched)[0] == pytest.approx(score(name)(held)[0], abs=1e-12)
    turned = ranked(held, lambda risk: -risk)
    assert score(name)(turned)[0] == pytest.approx(2 * says(name)["NULL_VALUE"] - score(name)(held)[0], abs=1e-12)


@each(RANKING)
def test_ranks_need_no_probabilities(name, kind):
    held = MAKE[kind]("half")
    without = {"survival": {"times": None, "curves": None}, "classification": {"p": None}}[kind]
    assert score(name)(replace(held, **without))[0] == score(name)(held)[0]


@each(RANKING)
def test_no_comparable_pair(name, kind):
    held = MAKE[kind]("half", n=30)
    alone = replace(held, fold=np.arange(30))  # every person is the only one of a fold
    nobody = replace(held, **({"event": np.zeros(30, bool)} if kind == "survival" else {"y": np.zeros(30, int)}))
    for empty in (alone, nobody):
        with pytest.raises(NotEstimableError, match=r"pair|event|case"):
            score(name)(empty)
