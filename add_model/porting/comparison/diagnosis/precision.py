"""A data type that is wrong: a value that was rounded on the way, or is no number of the kind it should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from add_model.porting.comparison.diagnosis.layers import returned
from add_model.porting.comparison.diagnosis.scene import Example, Scene

if TYPE_CHECKING:
    import torch
    from torch import nn

# Rounding may have happened several times on the way.
_STEPS = 64
# So few different values fit into any data type.
_FEW_VALUES = 3


def _parts() -> dict[str, nn.Module]:
    from torch import nn

    return {"dense": nn.Linear(6, 6), "norm": nn.LayerNorm(6)}


def _halve(parts: nn.Module) -> None:
    import torch

    for parameter in parts.dense.parameters():  # type: ignore[union-attr]
        parameter.data = parameter.data.to(torch.bfloat16).float()


def _large() -> dict[str, nn.Module]:
    import torch

    parts = _parts()
    parts["dense"].weight.data = torch.randn(6, 6) * 9
    return parts


def _cut_off(parts: Any) -> None:
    parts.dense.weight.data = parts.dense.weight.data.trunc()


class WeightRounded:
    """A weight is stored with fewer digits than the original's."""

    name = "wrong dtype"
    remedy = "convert the weight in the data type of the original's: look for .half() and .to(), and at the checkpoint's own"
    examples = (
        Example(_parts, lambda m, x: m.dense(x), None, _halve),
        Example(_large, lambda m, x: m.dense(x), None, _cut_off),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the new weight is the original's, rounded, and that makes the difference."""
        own, theirs = scene.parameter(scene.place.new, "weight"), scene.original_parameter("weight")
        if not scene.is_leaf or own is None or theirs is None or own.numel() != theirs.numel():
            return None
        for one in (theirs, theirs.t() if theirs.dim() == 2 else theirs):
            for name, convert_to, precision in _types() if one.shape == own.shape else ():
                if not _is_rounded(own, one, convert_to) or not any(
                    bool((each == own).all()) for each in _cast(one, convert_to)
                ):
                    continue
                exact = returned(scene, one, scene.original_parameter("bias")).values()
                if scene.apart <= _STEPS * precision / 4 or any(map(scene.explains, exact)):
                    return f"its weight is the original's, rounded to {name}"
        return None


class WrongDtype:
    """A value is computed or stored with fewer digits than the original's, or as a whole number."""

    name = "wrong dtype"
    remedy = "keep the data type that the original has here: look for .to(), .half(), .long() and weights that were stored in half precision"
    examples = (
        Example(_parts, lambda m, x: m.norm(m.dense(x)), lambda m, x: m.norm(m.dense(x).bfloat16().float())),
        Example(_parts, lambda m, x: m.norm(m.dense(x) * 9), lambda m, x: m.norm((m.dense(x) * 9).long().float())),
        Example(_parts, lambda m, x: m.norm(m.dense(x) * 9), lambda m, x: m.norm((m.dense(x) * 9).floor())),
        Example(_parts, lambda m, x: m.dense(x), lambda m, x: m.dense(x).half()),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the new value is the original's with fewer digits."""
        if not scene.target.is_floating_point() or any(_is(known.value, scene.found) for known in scene.alike()):
            return None
        for name, convert_to, precision in _types():
            if _is_rounded(scene.found, scene.target, convert_to) and _is_near(scene, convert_to, precision):
                return f"every value fits into {name}, the original's do not"
        return None


def _types() -> Iterator[tuple[str, torch.dtype, float]]:
    """Data types, with the precision of those that models compute in; to the others a value is only converted."""
    import torch

    yield "whole numbers", torch.int64, 0.0
    yield "float8_e4m3fn", torch.float8_e4m3fn, 0.0
    yield "bfloat16", torch.bfloat16, 2.0**-8
    yield "float16", torch.float16, 2.0**-11


def _cast(value: torch.Tensor, dtype: torch.dtype) -> Iterator[torch.Tensor]:
    """The ways to convert a value."""
    yield value.to(dtype).to(value.dtype)
    if not dtype.is_floating_point:
        yield from (value.round(), value.floor(), value.ceil())


def _is(value: torch.Tensor, other: torch.Tensor) -> bool:
    return bool((value == other).all())


def _is_rounded(value: torch.Tensor, exact: torch.Tensor, dtype: torch.dtype) -> bool:
    """Whether a value loses nothing in a data type, and the exact one does; what is the same nearly everywhere, such as a
    weight that was never filled, fits into any."""
    import torch

    plain = value.double()
    if not bool((plain == plain.to(dtype).double()).all()) or len(torch.unique(plain)) <= _FEW_VALUES:
        return False
    return float((exact.double() != exact.double().to(dtype).double()).double().mean()) > 0.5


def _is_near(scene: Scene, dtype: torch.dtype, precision: float) -> bool:
    """Whether rounding explains the gap: the new value is the original's rounded, or within a few roundings of it."""
    target, found = scene.target.double(), scene.found.double()
    if not precision:
        return any(_is(each, found) for each in _cast(target, dtype))
    scale = float(target.abs().max())
    return bool(((target - found).abs() <= _STEPS * precision * target.abs() + 4 * precision * scale).all()) and (
        scene.apart <= _STEPS * precision / 4
    )
