"""Faults that look like a known one and are not: no cause is named, or one that is true of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from add_model.porting.diagnosis import diagnose
from add_model.porting.diagnosis.scene import Example

from .sketches import compared


def _named(folder: Path, example: Example, seed: int = 0) -> tuple[str, str] | None:
    comparison = compared(folder, example, seed)
    assert comparison.place is not None
    cause = diagnose(comparison)
    return None if cause is None else (cause.name, cause.explanation)


def _norm() -> dict[str, nn.Module]:
    return {"dense": nn.Linear(6, 6), "norm": nn.LayerNorm(6)}


def _through_norm(parts: Any, states: torch.Tensor) -> torch.Tensor:
    normalised: torch.Tensor = parts.norm(parts.dense(states))
    return normalised


def _with_formula(formula: Any) -> Any:
    """Lets the normalisation compute something else."""

    def change(parts: Any) -> None:
        class LayerNorm(nn.LayerNorm):
            def forward(self, input: torch.Tensor) -> torch.Tensor:
                value: torch.Tensor = formula(self, input)
                return value

        parts.norm.__class__ = LayerNorm

    return change


def _layer_norm(states: torch.Tensor, weight: Any, bias: Any, epsilon: float) -> torch.Tensor:
    return nn.functional.layer_norm(states, states.shape[-1:], weight, bias, epsilon)


_FORMULAS = {
    "weight plus one": lambda m, x: _layer_norm(x, m.weight + 1, m.bias, m.eps),
    "no bias": lambda m, x: _layer_norm(x, m.weight, None, m.eps),
    "no weight": lambda m, x: _layer_norm(x, None, m.bias, m.eps),
    "mean not taken away": lambda m, x: x * (x.square().mean(-1, keepdim=True) + m.eps).rsqrt() * m.weight + m.bias,
    "not normalised": lambda m, x: x * m.weight + m.bias,
    "unbiased deviation": lambda m, x: (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + m.eps) * m.weight + m.bias,
    "wrong dimension": lambda m, x: _layer_norm(x.mT, None, None, m.eps).mT * m.weight + m.bias,
}  # fmt: skip


@pytest.mark.parametrize("formula", _FORMULAS)
def test_a_wrong_formula_is_no_wrong_epsilon(formula: str, tmp_path: Path) -> None:
    example = Example(_norm, _through_norm, None, _with_formula(_FORMULAS[formula]))
    assert _named(tmp_path, example) is None


def test_an_epsilon_that_only_forward_knows_is_told_by_the_values(tmp_path: Path) -> None:
    hidden = _with_formula(lambda m, x: _layer_norm(x, m.weight, m.bias, 1e-3))
    named = _named(tmp_path, Example(_norm, _through_norm, None, hidden))
    assert named == ("epsilon", "with 1e-05 the values agree; the new model computes as with 0.001")
