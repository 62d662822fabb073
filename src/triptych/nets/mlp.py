"""Multi-layer perceptron for tables."""

import torch
from torch import nn


class MLP(nn.Module):
    """Dense layers with an activation and dropout after each; one output per row.

    Parameters
    ----------
    inputs
        Columns of the matrix.
    hidden
        Width of each hidden layer; none makes a linear model.
    """

    def __init__(self, inputs: int, hidden: tuple[int, ...], *, activation: str = "selu", dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in hidden:
            layers += [nn.Linear(inputs, width), _activation(activation), nn.Dropout(dropout)]
            inputs = width
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Rows (n, p) -> (n,)."""
        return self.layers(x).squeeze(-1)


def _activation(name: str) -> nn.Module:
    return {"selu": nn.SELU, "relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}[name]()
