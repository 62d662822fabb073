"""The perceptron that table models share."""

import pytest
import torch

from triptych.nets.mlp import MLP


def test_shape_and_size():
    net = MLP(5, (8, 4))
    assert net(torch.zeros(7, 5)).shape == (7,)
    assert sum(p.numel() for p in net.parameters()) == (5 * 8 + 8) + (8 * 4 + 4) + (4 + 1)


def test_without_hidden_layers_it_is_linear():
    net = MLP(3, ())
    x, y = torch.randn(4, 3), torch.randn(4, 3)
    zero = net(torch.zeros(1, 3))
    torch.testing.assert_close(net(x + y) - zero, (net(x) - zero) + (net(y) - zero))


@pytest.mark.parametrize(
    ("name", "layer"),
    [("selu", torch.nn.SELU), ("relu", torch.nn.ReLU), ("gelu", torch.nn.GELU), ("tanh", torch.nn.Tanh)],
)
def test_activations(name, layer):
    assert sum(isinstance(module, layer) for module in MLP(2, (3, 3), activation=name).modules()) == 2


def test_an_activation_that_is_not_known():
    with pytest.raises(KeyError):
        MLP(2, (3,), activation="sine")


def test_dropout_is_for_training_only():
    torch.manual_seed(0)
    net = MLP(4, (32,), dropout=0.5)
    x = torch.randn(3, 4)
    net.train()
    assert not torch.equal(net(x), net(x))
    net.eval()
    assert torch.equal(net(x), net(x))


def test_rows_are_independent():
    torch.manual_seed(0)
    net = MLP(4, (16,)).double().eval()
    x = torch.randn(6, 4, dtype=torch.float64)
    torch.testing.assert_close(net(x)[2:3], net(x[2:3]), rtol=1e-12, atol=1e-14)
