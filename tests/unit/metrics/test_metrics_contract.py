"""What every metric promises, whichever it is: a new file in metrics/ is tested here without a line added."""

from dataclasses import replace

import numpy as np
import pytest

from triptych import plugins
from triptych.errors import NotEstimableError
from triptych.metrics._held import Held
from triptych.survival.nonparametric import censoring_curve

METRICS = plugins.names("metrics")
RANKING = ["harrell_c", "time_auc", "uno_c"]
GRID = np.linspace(0.1, 5.0, 50)


def held(kind="random", n=120, seed=0, folds=3, effect=1.2):
    """Held-out rows whose predictions are perfect, half right, random or reversed."""
    random = np.random.default_rng(seed)
    log_risk = random.normal(size=n)
    hidden, censored = random.exponential(5 * np.exp(-effect * log_risk)), random.uniform(1, 12, n)
    time, event = np.minimum(hidden, censored), hidden <= censored
    says = {"true": hidden, "random": random.permutation(hidden), "reversed": 1 / hidden, "half": hidden}[kind]
    if kind == "half":
        says = says * np.exp(random.normal(0, 2, n))
    curves = (GRID[None, :] < says[:, None]).astype(float) * 0.9 + 0.05
    fold = np.arange(n) % folds
    return Held(time, event, -says, fold, GRID, curves, 5.0, censoring_curve(time, event))


@pytest.fixture(params=METRICS)
def metric(request):
    return plugins.load("metrics", request.param)


def test_literals(metric):
    name = metric.__name__.rpartition(".")[2]
    says = plugins.describe("metrics", name)  # readable without an import
    assert set(says["TASKS"]) <= {"survival", "classification", "regression", "segmentation"}
    assert says["TASKS"]
    assert isinstance(says["LABEL"], str)
    assert isinstance(says["HIGHER_IS_BETTER"], bool)
    assert says["NULL_VALUE"] is None or isinstance(says["NULL_VALUE"], float)
    assert says["SCALE"] in ("identity", "logit")


def test_labels_are_different():
    assert len({plugins.describe("metrics", name)["LABEL"] for name in METRICS}) == len(METRICS)


def test_influence_is_one_value_per_row_and_sums_to_nothing(metric):
    rows = held("half")
    value, influence = metric.contributions(rows)
    assert isinstance(value, float)
    assert np.isfinite(value)
    assert influence.shape == rows.time.shape
    assert np.isfinite(influence).all()
    assert abs(influence.sum()) < 1e-10
    assert np.abs(influence).max() > 1e-4


def test_better_predictions_score_better(metric):
    sign = 1 if metric.HIGHER_IS_BETTER else -1
    values = [sign * metric.contributions(held(kind, n=300))[0] for kind in ("true", "half", "random", "reversed")]
    assert values == sorted(values, reverse=True)
    assert values[0] - values[1] > 0.02
    assert values[2] - values[3] > 0.01


def test_the_null_is_what_a_constant_gets(metric):
    rows = held("random")
    same = replace(rows, risk=np.zeros_like(rows.risk), curves=np.full_like(rows.curves, 0.5))
    value = metric.contributions(same)[0]
    if metric.NULL_VALUE is not None:
        assert value == pytest.approx(metric.NULL_VALUE, abs=1e-12)
    else:
        assert value == pytest.approx(0.25, abs=0.01)  # a coin: the squared error of one half


@pytest.mark.parametrize("name", RANKING)
def test_ranks_are_compared_within_folds_only(name):
    score = plugins.load("metrics", name).contributions
    rows = held("half")
    value, influence = score(rows)
    shifted = replace(rows, risk=rows.risk + np.array([0.0, 1000.0, -7.0])[rows.fold])
    assert score(shifted)[0] == value
    np.testing.assert_array_equal(score(shifted)[1], influence)
    one_fold = replace(rows, fold=np.zeros_like(rows.fold))
    assert score(one_fold)[0] != value
    assert score(replace(shifted, fold=one_fold.fold))[0] != score(one_fold)[0]


@pytest.mark.parametrize("name", RANKING)
def test_ranks_need_risks_only(name):
    score = plugins.load("metrics", name).contributions
    rows = held("half")
    assert score(replace(rows, times=None, curves=None))[0] == score(rows)[0]
    stretched = replace(rows, risk=np.arctan(rows.risk * 0.1))  # any growing function ranks alike
    assert score(stretched)[0] == pytest.approx(score(rows)[0], abs=1e-12)


@pytest.mark.parametrize("name", RANKING)
def test_no_comparable_pair(name):
    rows = held("half", n=30)
    alone = replace(rows, fold=np.arange(30))  # every person is the only one of a fold
    nobody = replace(rows, event=np.zeros(30, bool))
    for empty in (alone, nobody):
        with pytest.raises(NotEstimableError, match=r"pair|event|case"):
            plugins.load("metrics", name).contributions(empty)


@pytest.mark.parametrize("name", [name for name in METRICS if plugins.describe("metrics", name).literals.get("CURVES")])
def test_no_curves(name):
    rows = replace(held("half"), times=None, curves=None)
    with pytest.raises(NotEstimableError, match="a risk but no survival probabilities"):
        plugins.load("metrics", name).contributions(rows)


def test_every_metric_either_ranks_or_needs_curves():
    curves = {name for name in METRICS if plugins.describe("metrics", name).literals.get("CURVES")}
    assert curves.isdisjoint(RANKING)
    assert curves | set(RANKING) == set(METRICS)


@pytest.mark.parametrize("name", ["brier", "integrated_brier"])
def test_curves_count_up_to_the_horizon_only(name):
    score = plugins.load("metrics", name).contributions
    rows = replace(held("half"), horizon=3.0)
    late = rows.times > 3.0 + 1e-9
    noisy = replace(rows, curves=np.where(late, 0.5, rows.curves))
    assert score(noisy)[0] == score(rows)[0]
    early = replace(rows, curves=np.where(late, rows.curves, 0.5))
    assert score(early)[0] != score(rows)[0]


def test_brier_without_censoring_is_the_mean_squared_error():
    rows = held("half", n=40)
    rows = replace(rows, event=np.ones(40, bool), censoring=censoring_curve(rows.time, np.ones(40, bool)))
    value, influence = plugins.load("metrics", "brier").contributions(rows)
    errors = ((rows.time > 5.0) - rows.curves[:, -1]) ** 2
    assert value == pytest.approx(errors.mean(), abs=1e-12)
    np.testing.assert_allclose(influence, (errors - errors.mean()) / 40, atol=1e-12)


def test_harrell_by_hand():
    """Times 1 2 3, all events, in two folds: pairs (1,2) right in fold 0, (1,3) wrong in fold 1, (2,3) tied there."""
    time = np.array([1.0, 2.0, 1.0, 2.0, 3.0])
    rows = replace(
        held(n=5),
        time=time,
        event=np.ones(5, bool),
        risk=np.array([2.0, 1.0, 5.0, 6.0, 6.0]),
        fold=np.array([0, 0, 1, 1, 1]),
        curves=None,
    )
    value, _ = plugins.load("metrics", "harrell_c").contributions(rows)
    assert value == pytest.approx((1 + 0 + 0 + 0.5) / 4)


def test_taking_rows_keeps_them_together():
    rows = held("half", n=30)
    some = rows.take(rows.fold == 1)
    assert len(some.time) == len(some.event) == len(some.risk) == len(some.fold) == len(some.curves) == 10
    np.testing.assert_array_equal(some.risk, rows.risk[rows.fold == 1])
    assert some.censoring is rows.censoring  # the weights stay those of all held-out people
