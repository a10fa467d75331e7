"""What was added up: a residual that was left out or taken from elsewhere, and a factor that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import TYPE_CHECKING

from add_model.porting.comparison.diagnosis.scene import Example, Known, Scene
from add_model.porting.comparison.differences import difference, is_mask, rounding

if TYPE_CHECKING:
    import torch
    from torch import nn


def _parts() -> dict[str, nn.Module]:
    from torch import nn

    return {"dense": nn.Linear(6, 6), "norm": nn.LayerNorm(6)}


class ResidualMissing:
    """The original adds what went in to what was computed from it."""

    name = "residual missing"
    remedy = "add it back in forward, where the original does: hidden_states = hidden_states + residual"
    examples = (
        Example(_parts, lambda m, x: m.norm(m.dense(x) + x), lambda m, x: m.norm(m.dense(x))),
        Example(_parts, lambda m, x: m.dense(m.norm(x)) + x, lambda m, x: m.dense(m.norm(x))),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the original's value is the new one's plus a known value."""
        if not scene.target.is_floating_point():
            return None
        for known in scene.alike():
            total = scene.found + known.value
            if not _is_only(total, known.value, 1, 2) and scene.explains(total):
                return f"the original adds {known.name}; with it the values agree"
        return None


class ResidualFromElsewhere:
    """The residual is there, but it is another value than the original's, or the original has none."""

    name = "another residual"
    remedy = "take the residual where the original takes it: before or behind the normalisation, or not at all"
    examples = (
        Example(_parts, lambda m, x: m.dense(h := m.norm(x)) + x, lambda m, x: m.dense(h := m.norm(x)) + h),
        Example(_parts, lambda m, x: m.norm(m.dense(x)), lambda m, x: m.norm(m.dense(x) + x)),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the value agrees once one known value is taken away, or exchanged for another."""
        if not scene.target.is_floating_point():
            return None
        known = [added for added in scene.alike() if not _is_only(scene.found, added.value, 1)]
        for added in known:
            if not _is_only(scene.found, added.value, 2) and scene.explains(scene.found - added.value):
                return f"{added.name} is added once more than in the original"
        for added, wanted in product(known, scene.alike()):
            if scene.explains(scene.found - added.value + wanted.value):
                return f"{added.name} is added where the original adds {wanted.name}"
        return None


class ScaleMissing:
    """The original multiplies the value, or one of the values in a sum, by a constant."""

    name = "scale missing"
    remedy = "multiply by the constant where the original does; see whether its configuration names it"
    examples = (
        Example(_parts, lambda m, x: m.norm(m.dense(x) * 8.0 + x), lambda m, x: m.norm(m.dense(x) + x)),
        Example(_parts, lambda m, x: m.dense(x * 0.25), lambda m, x: m.dense(x)),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the original's value, or what it has more than the new one's, is a multiple of a known value."""
        if not scene.target.is_floating_point() or is_mask(scene.target) or _is_one_number(scene.found):
            return None
        factor = _factor(scene.target, scene.found)
        if factor > 0 and scene.explains(scene.found * factor):
            return f"the original's value is {factor:.6g} times as large everywhere"
        for known in _summands(scene):
            missing = _factor(scene.target - scene.found, known.value)
            if missing > -1 and scene.explains(scene.found + missing * known.value):
                return f"the original multiplies {known.name} by {1 + missing:.6g}"
        return None


def _is_one_number(values: torch.Tensor) -> bool:
    """Whether all values are the same: anything is a multiple of one number."""
    return bool((values == values.reshape(-1)[:1]).all())


def _is_only(total: torch.Tensor, part: torch.Tensor, *times: int) -> bool:
    """Whether a value is another one that was passed on or multiplied, so that it is no sum of it and something else."""
    return any(difference(total, part * factor).relative <= rounding("F32") for factor in times)


def _summands(scene: Scene) -> Iterator[Known]:
    """The known values that the new model's value is the sum of: each of two or three."""
    known = list(scene.alike())
    for count in (2, 3):
        for parts in combinations(known, count):
            if scene.matches(sum(part.value for part in parts[1:]) + parts[0].value, scene.found):
                yield from parts


def _factor(wanted: torch.Tensor, value: torch.Tensor) -> float:
    """The number that brings a value closest to another when it is multiplied by it."""
    square = float(value.double().square().sum())
    return float((wanted.double() * value.double()).sum()) / square if square else 0.0
