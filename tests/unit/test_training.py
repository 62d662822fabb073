"""The training loop: what it minimises, when it stops, and which weights it leaves."""

import pytest
import torch
from torch import nn

from triptych.errors import DataError
from triptych.training import Schedule, batch_rows, pick_device, train


class Number(nn.Module):
    """A net with one weight."""

    def __init__(self, start=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(start))


def towards(target):
    return lambda net: (net.weight - target) ** 2


def test_it_goes_to_the_minimum():
    net = Number()
    history = train(net, lambda epoch: [towards(3.0)], Schedule(400, 0.1))
    assert net.weight.item() == pytest.approx(3.0, abs=0.01)
    assert len(history) == 400
    assert history[0] == pytest.approx(9.0)
    assert history[-1] < 1e-3
    assert not net.training


def test_without_held_out_rows_the_history_is_the_mean_loss_of_the_steps():
    net = Number()
    history = train(net, lambda epoch: [towards(1.0), towards(-1.0)], Schedule(1, 0.0))
    assert history == [1.0]
    assert train(Number(), lambda epoch: [towards(2.0), towards(4.0)], Schedule(1, 0.0)) == [10.0]


def test_the_best_held_out_weights_are_restored():
    """Training goes to 10; on held-out rows 2 is best: the weight passes it, and is brought back."""
    net = Number()
    history = train(net, lambda epoch: [towards(10.0)], Schedule(100, 0.1), held_out=towards(2.0))
    assert len(history) == 100
    best = min(history)
    assert history.index(best) not in (0, 99)
    assert towards(2.0)(net).item() == pytest.approx(best, abs=1e-12)
    assert abs(net.weight.item() - 2.0) < 0.1


def test_patience_ends_training_so_many_epochs_after_the_best():
    net = Number()
    history = train(net, lambda epoch: [towards(10.0)], Schedule(100, 0.1, patience=7), held_out=towards(2.0))
    assert len(history) == history.index(min(history)) + 1 + 7
    assert len(history) < 100
    assert abs(net.weight.item() - 2.0) < 0.1


def test_no_patience_without_held_out_rows():
    assert len(train(Number(), lambda epoch: [towards(0.0)], Schedule(30, 0.1, patience=2))) == 30


def test_a_held_out_loss_is_judged_without_dropout_and_without_gradients():
    seen = []

    def held_out(net):
        seen.append((net.training, torch.is_grad_enabled()))
        return towards(0.0)(net)

    train(Number(1.0), lambda epoch: [towards(0.0)], Schedule(2, 0.1), held_out=held_out)
    assert seen == [(False, False)] * 2


def test_each_epoch_is_in_training_mode_and_asks_for_new_batches():
    asked = []

    def step(net):
        assert net.training
        return towards(0.0)(net)

    def batches(epoch):
        asked.append(1)
        return [step, step]

    train(Number(1.0), batches, Schedule(3, 0.1), held_out=towards(0.0))
    assert len(asked) == 3


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["training", "held out"])
def test_a_loss_that_is_not_finite(bad, where):
    count = iter(range(100))

    def broken(net):
        return towards(0.0)(net) + (bad if next(count) == 2 else 0.0)

    steps, held_out = ([broken], None) if where == "training" else ([towards(0.0)], broken)
    with pytest.raises(DataError, match=r"training diverged at epoch 3 .*lower `learning_rate:`"):
        train(Number(1.0), lambda epoch: steps, Schedule(10, 0.1), held_out=held_out)


def test_the_rate_decays_over_epochs():
    """Adam's first steps have the length of the rate: 0.1, then 0.1 / (1 + 1 * 1)."""
    net = Number()
    train(net, lambda epoch: [lambda n: n.weight], Schedule(2, 0.1, decay=1.0))
    assert net.weight.item() == pytest.approx(-(0.1 + 0.05), abs=1e-5)


def test_batches_are_all_rows_once_in_an_order_of_seed_and_epoch():
    steps = [rows.tolist() for rows in batch_rows(10, 4, seed=1, epoch=2)]
    assert [len(rows) for rows in steps] == [4, 4, 2]
    assert sorted(row for rows in steps for row in rows) == list(range(10))
    assert steps == [rows.tolist() for rows in batch_rows(10, 4, seed=1, epoch=2)]
    orders = {tuple(torch.cat(list(batch_rows(10, 4, s, e))).tolist()) for s in (1, 2) for e in (1, 2, 3)}
    assert len(orders) == 6


def test_weight_decay_pulls_to_zero():
    free, pulled = Number(1.0), Number(1.0)
    for net, decay in ((free, 0.0), (pulled, 5.0)):
        train(net, lambda epoch: [towards(1.0)], Schedule(300, 0.05, weight_decay=decay))
    assert free.weight.item() == pytest.approx(1.0, abs=1e-3)
    assert pulled.weight.item() < 0.5


def test_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto") == torch.device("cpu")
    with pytest.raises(DataError, match="device: cuda was asked for, but this machine shows no GPU"):
        pick_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("cuda") == pick_device("auto") == torch.device("cuda")
    assert pick_device("cpu") == torch.device("cpu")


class Line(nn.Module):
    """A net with one matrix product, which bfloat16 rounds."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.seen = []

    def forward(self, x):
        found = self.layer(x)
        self.seen.append(found.dtype)
        return found


@pytest.mark.parametrize(("precision", "dtype"), [("float32", torch.float32), ("bf16", torch.bfloat16)])
def test_precision_is_that_of_steps_and_of_held_out_rows(precision, dtype):
    torch.manual_seed(0)
    net, x = Line(), torch.randn(20, 3)

    def loss(net):
        return (net(x).float() - 1).square().mean()

    history = train(net, lambda epoch: [loss], Schedule(60, 0.1, precision=precision), held_out=loss)
    assert set(net.seen) == {dtype}
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    assert history[-1] < 0.1 * history[0]
    assert not torch.is_autocast_enabled("cpu")
