import numpy as np
import pytest
import torch

from triptych.errors import DataError
from triptych.survival.cox import log_partial_likelihood
from triptych.survival.losses import CoxLoss

TIES = ("efron", "breslow")
SET_S = ([5, 3, 3, 2, 2, 2, 1, 8, 9, 9], [1, 1, 1, 1, 0, 1, 1, 0, 1, 1], np.linspace(-1, 1, 10))
OPTIONS = [(), ("weights",), ("strata",), ("entry",), ("weights", "strata"), ("weights", "strata", "entry")]


def value_and_gradient(loss, h, dtype=torch.float64, **options):
    log_risk = torch.tensor(h, dtype=dtype, requires_grad=True)
    value = loss(log_risk, **options)
    value.backward()
    return value.item(), log_risk.grad.numpy()


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("scale", [1, 400])
def test_equals_the_likelihood_and_its_finite_differences(cohorts, ties, options, scale):
    data = cohorts(9, 40)
    arguments = {name: getattr(data, name) for name in options}
    # scale 400 goes through log space, scale 1 does not
    h = scale * np.random.default_rng(9).normal(size=40)

    def minus(values):
        return -log_partial_likelihood(values, data.time, data.event, ties=ties, **arguments)

    value, gradient = value_and_gradient(CoxLoss(data.time, data.event, ties=ties, **arguments), h)
    assert value == pytest.approx(minus(h), rel=1e-12)
    eps = 1e-5
    numeric = [(minus(h + eps * unit) - minus(h - eps * unit)) / (2 * eps) for unit in np.eye(40)]
    np.testing.assert_allclose(gradient, numeric, atol=2e-6 if scale > 1 else 1e-8)
    assert gradient.sum() == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("scale", [1.0, 90.0])
def test_gradcheck(cohorts, ties, scale):
    data = cohorts(1, 15)
    loss = CoxLoss(data.time, data.event, ties=ties, weights=data.weights, strata=data.strata, entry=data.entry)
    rng = np.random.default_rng(1)
    log_risk = torch.tensor(scale * rng.normal(size=15), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(loss, (log_risk,), eps=1e-6, atol=1e-6)
    assert torch.autograd.gradcheck(lambda h: loss(h, reduction="mean") * 3, (log_risk,), eps=1e-6, atol=1e-6)


@pytest.mark.parametrize("k", [1, 10, 50, 100, -100, 1e4, -1e4])
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("entry", [None, np.full(10, -1.0)])
def test_known_answer_6_wide_risks_and_shifts(k, ties, entry):
    time, event, h = SET_S
    loss = CoxLoss(time, event, ties=ties, entry=entry)
    value, gradient = value_and_gradient(loss, k * h)
    assert value == pytest.approx(-log_partial_likelihood(k * h, time, event, ties=ties), rel=1e-13)
    assert np.isfinite(gradient).all()
    order = np.random.default_rng(2).permutation(10)
    shuffled = CoxLoss(np.array(time)[order], np.array(event)[order], ties=ties)
    again, moved = value_and_gradient(shuffled, k * h[order])
    assert again == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(moved, gradient[order], atol=1e-9)
    for shift in (1000, -1000):
        there, slope = value_and_gradient(loss, k * h + shift)
        assert there == pytest.approx(value, rel=1e-11)
        np.testing.assert_allclose(slope, gradient, atol=1e-9)


def test_known_answer_20_permutations_give_one_loss(t_set):
    values = set()
    for seed in range(50):
        order = np.random.default_rng(seed).permutation(10)
        loss = CoxLoss(t_set.time[order], t_set.event[order])
        values.add(round(value_and_gradient(loss, t_set.x[order])[0], 11))
    assert values == {round(10.0718652265399, 11)}


@pytest.mark.parametrize("ties", TIES)
def test_float32_runs_in_float64_inside(ties):
    rng = np.random.default_rng(0)
    n = 20000
    time, event = np.ceil(rng.exponential(1000, n) / 30), rng.random(n) < 0.5
    h = rng.normal(size=n).astype(np.float32)
    value, gradient = value_and_gradient(CoxLoss(time, event, ties=ties), h, torch.float32)
    expected = -log_partial_likelihood(h.astype(float), time, event, ties=ties)
    assert gradient.dtype == np.float32
    assert value == pytest.approx(expected, rel=1e-7)
    assert gradient.astype(float).sum() == pytest.approx(0, abs=1e-3)


def test_no_event_gives_zero_loss_and_gradient():
    loss = CoxLoss([1, 2, 3], [0, 0, 0])
    assert value_and_gradient(loss, [1.0, 2, 3])[0] == 0
    assert not value_and_gradient(loss, [1.0, 2, 3], reduction="mean")[1].any()
    assert loss.n_events == 0
    assert value_and_gradient(CoxLoss([1], [1]), [5.0]) == (0.0, np.zeros(1))


def test_mean_is_per_event_and_shapes(t_set):
    loss = CoxLoss(torch.tensor(t_set.time), torch.tensor(t_set.event))
    total, gradient = value_and_gradient(loss, t_set.x)
    mean, smaller = value_and_gradient(loss, t_set.x, reduction="mean")
    assert loss.n_events == 7
    assert mean == pytest.approx(total / 7)
    np.testing.assert_allclose(smaller, gradient / 7)
    column = torch.tensor(t_set.x[:, None], requires_grad=True)
    loss(column).backward()
    np.testing.assert_allclose(column.grad.numpy()[:, 0], gradient)


def test_singleton_strata_have_no_information(t_set):
    assert value_and_gradient(CoxLoss(t_set.time, t_set.event, strata=np.arange(10)), t_set.x)[0] == pytest.approx(0)
    likelihood = log_partial_likelihood(t_set.x, t_set.time, t_set.event, strata=np.arange(10))
    assert likelihood == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(t_set, wrong):
    h = torch.tensor(np.r_[t_set.x[:9], wrong])
    with pytest.raises(DataError, match="row 9"):
        CoxLoss(t_set.time, t_set.event)(h)


def test_a_sum_that_overflows_is_not_an_error():
    loss = CoxLoss([1, 2, 3], [1, 1, 1])
    assert np.isfinite(value_and_gradient(loss, [1e308, 1e308, 1e308])[1]).all()


def test_bad_input(t_set):
    loss = CoxLoss(t_set.time, t_set.event)
    with pytest.raises(DataError, match="log_risk has shape"):
        loss(torch.zeros(9))
    with pytest.raises(DataError, match="reduction"):
        loss(torch.zeros(10), reduction="none")
    with pytest.raises(DataError, match="time is missing in row 0"):
        CoxLoss([np.nan, 1], [1, 1])
    for ties in ("exact", "cox"):
        with pytest.raises(DataError, match="ties"):
            CoxLoss(t_set.time, t_set.event, ties=ties)


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("k", [1.0, 400.0])
def test_small_risk_sets_survive_large_risks_that_enter_later(ties, k):
    # the rows that enter at 5 have risks e^k times those at risk before: a difference of sums would be 0
    time, entry = [1, 2, 3, 3, 6, 7, 8], [0, 0, 0, 0, 5, 5, 5]
    h = np.array([0.1, -0.2, 0.3, 0, 1, 1.2, 0.9]) + k * (np.array(entry) > 0)
    value, gradient = value_and_gradient(CoxLoss(time, np.ones(7), ties=ties, entry=entry), h)
    early, late = (CoxLoss(np.array(time)[rows], np.ones(rows.stop - rows.start), ties=ties) for rows in HALVES)
    first, second = value_and_gradient(early, h[:4]), value_and_gradient(late, h[4:])
    assert value == pytest.approx(first[0] + second[0], rel=1e-12)
    np.testing.assert_allclose(gradient, np.r_[first[1], second[1]], atol=1e-12)


HALVES = (slice(0, 4), slice(4, 7))
