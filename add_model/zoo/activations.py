"""The activation functions that a configuration can name."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn


class QuickGELU(nn.Module):
    """`x * sigmoid(1.702 x)`, the fast approximation of GELU in section 2 of https://arxiv.org/abs/1606.08415."""

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        return hidden_states * torch.sigmoid(1.702 * hidden_states)


# "gelu" is x * Phi(x) computed exactly; "gelu_new" and "gelu_pytorch_tanh" name the same tanh approximation
# 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), both from https://arxiv.org/abs/1606.08415.
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "gelu": nn.GELU,
    "gelu_new": partial(nn.GELU, approximate="tanh"),
    "gelu_pytorch_tanh": partial(nn.GELU, approximate="tanh"),
    "quick_gelu": QuickGELU,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "swish": nn.SiLU,
    "tanh": nn.Tanh,
}


def get_activation(name: str) -> nn.Module:
    """Return a new module, without weights, that applies the activation called `name` to a tensor of any shape.

    Raises:
        ValueError: no activation has that name.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; known are: {', '.join(sorted(ACTIVATIONS))}")
    return ACTIVATIONS[name]()
