"""Ranks over the tasks of a study: orientation, who is ranked, what is refused, and Demsar's table."""

import numpy as np
import pandas as pd
import pytest

from triptych.inference.ranks import nemenyi_q
from triptych.ranking import RANKS, ranks

# Demsar 2006 (JMLR 7:1-30), table 6: C4.5 with and without two parameters on 14 data sets
DEMSAR = np.array(
    [
        [.763, .768, .771, .798], [.599, .591, .590, .569], [.954, .971, .968, .967], [.628, .661, .654, .657],
        [.882, .888, .886, .898], [.936, .931, .916, .931], [.661, .668, .609, .685], [.583, .583, .563, .625],
        [.775, .838, .866, .875], [1, 1, 1, 1], [.940, .962, .965, .962], [.619, .666, .614, .669],
        [.972, .981, .975, .975], [.957, .978, .946, .970],
    ]
)  # fmt: skip
MODELS = ["C4.5", "+m", "+cf", "+m+cf"]


def tables(values, models=MODELS, direction="higher", metric="accuracy", roles=None):
    """The table ``scores`` of each task."""
    head = {"metric": metric, "label": "Accuracy", "direction": direction, "estimable": True}
    roles = roles or ["model"] * len(models)
    columns = {"model": models, "role": roles}
    return {f"task-{k}": pd.DataFrame({**columns, "value": row}).assign(**head) for k, row in enumerate(values)}


def own(scores):
    """Every task has a cohort of its own."""
    return {task: [f"cohort of {task}"] for task in scores}


def of(table, record):
    return table[table["record"] == record]


def test_demsar():
    scores = tables(DEMSAR)
    found = ranks(scores, own(scores), 0.95)
    assert list(found.columns) == RANKS
    mean = of(found, "mean").set_index("model")["rank"]
    assert mean[MODELS].to_numpy() == pytest.approx([3.1429, 2, 2.9286, 1.9286], abs=1e-4)
    assert list(mean.index) == ["+m+cf", "+m", "+cf", "C4.5"]  # the best first
    test = of(found, "test").set_index("test")
    assert test.loc["plain", "statistic"] == pytest.approx(9.857143, abs=1e-5)
    assert test.loc["corrected", "statistic"] == pytest.approx(10.952381, abs=1e-5)
    assert test.loc["iman_davenport", "statistic"] == pytest.approx(3.986667, abs=1e-5)
    assert of(found, "critical")["critical_difference"].iloc[0] == pytest.approx(1.254, abs=1e-3)
    assert len(of(found, "task")) == 14 * 4
    assert set(found["n_tasks"]) == {14}
    assert set(found["n_models"].dropna()) == {4}


def test_orientation_follows_the_direction_of_the_metric():
    """A dummy that is worst everywhere by a score and by a loss comes last in both (as it did not in mlr3benchmark#29)."""
    random = np.random.default_rng(0)
    good = random.uniform(0.6, 0.9, (6, 3))
    up = tables(np.column_stack((good, np.full(6, 0.5))), direction="higher")
    down = tables(np.column_stack((1 - good, np.full(6, 0.5))), direction="lower")
    for scores in (up, down):
        mean = of(ranks(scores, own(scores), 0.95), "mean").set_index("model")["rank"]
        assert mean["+m+cf"] == 4
    one, two = (of(ranks(s, own(s), 0.95), "mean").set_index("model")["rank"] for s in (up, down))
    pd.testing.assert_series_equal(one, two)
    # the same losses read as scores would put the dummy first
    wrong = tables(np.column_stack((1 - good, np.full(6, 0.5))), direction="higher")
    assert of(ranks(wrong, own(wrong), 0.95), "mean").iloc[0]["model"] == "+m+cf"


def test_below_five_data_sets_nothing_is_ranked():
    scores = tables(DEMSAR[:4])
    found = ranks(scores, own(scores), 0.95)
    assert found["record"].tolist() == ["test"]
    assert found["reason"].tolist() == ["4 data sets are too few to rank models (at least 5)"]
    assert not found["estimable"].any()


def test_tasks_that_share_people_are_not_data_sets():
    scores = tables(DEMSAR)
    cohorts = {**own(scores), "task-0": ["a", "shared"], "task-3": ["shared"]}
    found = ranks(scores, cohorts, 0.95)
    assert found["reason"].tolist() == [
        "the tasks 'task-0' and 'task-3' share the cohort 'shared': they are not independent data sets"
    ]
    without = {**own(scores), "task-0": [], "task-3": []}  # predictions made elsewhere need no cohort
    assert (ranks(scores, without, 0.95)["record"] == "mean").any()


def test_models_without_a_score_everywhere_are_left_out_by_name():
    scores = tables(DEMSAR)
    scores["task-2"].loc[1, ["value", "estimable"]] = [np.nan, False]
    scores["task-5"] = scores["task-5"].iloc[1:]
    found = ranks(scores, own(scores), 0.95)
    left = of(found, "left out").set_index("model")["reason"]
    assert left.to_dict() == {"C4.5": "no score in task-5", "+m": "no score in task-2"}
    assert set(of(found, "mean")["model"]) == {"+cf", "+m+cf"}


def test_controls_do_not_compete_and_nulls_do():
    scores = tables(DEMSAR, roles=["model", "null", "control", "model"])
    found = of(ranks(scores, own(scores), 0.95), "mean").set_index("model")["role"]
    assert found.to_dict() == {"C4.5": "model", "+m": "null", "+m+cf": "model"}


def test_one_model_is_no_ranking():
    scores = tables(DEMSAR[:, :1], models=["C4.5"])
    found = ranks(scores, own(scores), 0.95)
    assert found["reason"].tolist() == ["1 models have a score in every task; two or more can be ranked"]


def test_metrics_are_ranked_each_for_itself():
    one, two = tables(DEMSAR), tables(-DEMSAR, direction="lower", metric="error")
    two["task-9"] = two["task-9"].iloc[:0]  # this task is not scored by it
    scores = {task: pd.concat([one[task], two[task]], ignore_index=True) for task in one}
    found = ranks(scores, own(scores), 0.95)
    assert found.groupby("metric")["n_tasks"].first().to_dict() == {"accuracy": 14, "error": 13}


def test_the_level_sets_the_critical_difference():
    scores = tables(DEMSAR)
    found = [of(ranks(scores, own(scores), level), "critical")["critical_difference"].iloc[0] for level in (0.9, 0.95)]
    expected = [nemenyi_q(4, alpha=a) * np.sqrt(4 * 5 / (6 * 14)) for a in (0.1, 0.05)]
    assert found == pytest.approx(expected)
