"""Ways to break a model: lines of its source, weights and settings.

A broken line is broken in the source text. The class that it stands in is compiled again, and one submodule of a model
that is otherwise untouched becomes an instance of it: so the fault is in one layer only, at any depth.
"""

from __future__ import annotations

import importlib
import itertools
import types
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

_numbers = itertools.count()


def edited(model: str, *edits: tuple[str, str], whole_file: bool = False) -> Callable[[nn.Module, str], None]:
    """Breaks lines in the class of a submodule, or in the functions of its file."""

    def change(network: nn.Module, path: str) -> None:
        module = network.get_submodule(path)
        broken = _compiled(model, type(module).__name__, edits, whole_file)
        module.__class__ = broken

    return change


def _compiled(model: str, class_name: str, edits: tuple[tuple[str, str], ...], whole_file: bool) -> Any:
    source = importlib.import_module(f"add_model.zoo.models.{model}.modeling_{model}")
    assert source.__file__ is not None
    with open(source.__file__, encoding="utf-8") as file:
        text = file.read()
    start = 0 if whole_file else text.index(f"class {class_name}(")
    end = len(text) if whole_file else text.find("\n\n\n", start)
    block = text[start:end]
    for old, new in edits:
        assert block.count(old) == 1, (class_name, old, block.count(old))
        block = block.replace(old, new)
    module = types.ModuleType(f"add_model.zoo.models.{model}.broken_{next(_numbers)}")
    module.__package__ = f"add_model.zoo.models.{model}"
    exec(compile(text[:start] + block + text[end:], source.__file__, "exec"), module.__dict__)
    return getattr(module, class_name)


def setting(**values: Any) -> Callable[[nn.Module, str], None]:
    """Sets attributes of a submodule."""

    def change(network: nn.Module, path: str) -> None:
        for name, value in values.items():
            setattr(network.get_submodule(path), name, value)

    return change


def replaced(make: Callable[[], nn.Module]) -> Callable[[nn.Module, str], None]:
    """Puts another module in the place of a submodule."""

    def change(network: nn.Module, path: str) -> None:
        parent, _, name = path.rpartition(".")
        setattr(network.get_submodule(parent), name, make())

    return change


def weight(function: Callable[[torch.Tensor], torch.Tensor], *names: str) -> Callable[[nn.Module, str], None]:
    """Changes the weights of a submodule: "weight" by default."""

    def change(network: nn.Module, path: str) -> None:
        module = network.get_submodule(path)
        for name in names or ("weight",):
            value = getattr(module, name).detach()
            setattr(module, name, nn.Parameter(function(value).contiguous().clone()))

    return change


def swapped(first: str, second: str) -> Callable[[nn.Module, str], None]:
    """Exchanges the weights of two submodules of a submodule."""

    def change(network: nn.Module, path: str) -> None:
        parent = network.get_submodule(path.rpartition(".")[0])
        one, other = getattr(parent, first), getattr(parent, second)
        setattr(parent, first, other)
        setattr(parent, second, one)

    return change


def in_training(network: nn.Module, path: str) -> None:
    """Leaves a submodule in training mode."""
    network.get_submodule(path).train()


def low_precision(network: nn.Module, path: str) -> None:
    """Lets a submodule compute in bfloat16."""
    module = network.get_submodule(path).to(torch.bfloat16)
    forward = module.forward
    module.forward = lambda states: forward(states.bfloat16()).float()  # type: ignore[method-assign]


def computing(forward: Callable[..., torch.Tensor]) -> Callable[[nn.Module, str], None]:
    """Lets a submodule compute something else: a function of itself and its input."""

    def change(network: nn.Module, path: str) -> None:
        module = network.get_submodule(path)
        module.forward = types.MethodType(forward, module)  # type: ignore[method-assign]

    return change


def norm_without_bias(norm: Any, states: torch.Tensor) -> torch.Tensor:
    return nn.functional.layer_norm(states, norm.normalized_shape, norm.weight, None, norm.eps)


def norm_with_weight_from_zero(norm: Any, states: torch.Tensor) -> torch.Tensor:
    return nn.functional.layer_norm(states, norm.normalized_shape, norm.weight + 1, norm.bias, norm.eps)


def activation_on_up(mlp: Any, states: torch.Tensor) -> torch.Tensor:
    projected: torch.Tensor = mlp.down_proj(mlp.gate_proj(states) * mlp.act_fn(mlp.up_proj(states)))
    return projected


def rounded(value: torch.Tensor) -> torch.Tensor:
    return value.to(torch.bfloat16).to(value.dtype)


def heads_reversed(value: torch.Tensor) -> torch.Tensor:
    """Exchanges the first two of four heads along the first dimension."""
    return value.unflatten(0, (4, -1))[[1, 0, 3, 2]].flatten(0, 1)


def heads_interleaved(value: torch.Tensor) -> torch.Tensor:
    return value.unflatten(0, (4, -1)).transpose(0, 1).flatten(0, 1)


def last_heads_reversed(value: torch.Tensor) -> torch.Tensor:
    """The same along the last dimension."""
    return heads_reversed(value.mT).mT if value.dim() == 2 else heads_reversed(value)


def thirds_rotated(value: torch.Tensor) -> torch.Tensor:
    first, second, third = value.chunk(3, dim=-1)
    return torch.cat([second, third, first], dim=-1)


def noisy(value: torch.Tensor) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    return value + 0.05 * value.std() * torch.randn(value.shape, generator=generator)


def one_row_lost(value: torch.Tensor) -> torch.Tensor:
    value = value.clone()
    value[3] = 0
    return value


class QuickGELU(nn.Module):
    """The cheap approximation."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return states * torch.sigmoid(1.702 * states)


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "tanh GELU": lambda: nn.GELU(approximate="tanh"),
    "exact GELU": nn.GELU,
    "quick GELU": QuickGELU,
    "ReLU": nn.ReLU,
    "SiLU": nn.SiLU,
}
