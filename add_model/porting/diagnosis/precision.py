"""A data type that is wrong: a value that was rounded on the way, or is no number of the kind it should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from add_model.porting.diagnosis.scene import Example, Scene

if TYPE_CHECKING:
    import torch
    from torch import nn

# Rounding may have happened several times on the way.
_STEPS = 64


def _parts() -> dict[str, nn.Module]:
    from torch import nn

    return {"dense": nn.Linear(6, 6), "norm": nn.LayerNorm(6)}


def _halve(parts: nn.Module) -> None:
    import torch

    for parameter in parts.dense.parameters():  # type: ignore[union-attr]
        parameter.data = parameter.data.to(torch.bfloat16).float()


class WrongDtype:
    """A value is computed or stored with fewer digits than the original's, or as a whole number."""

    name = "wrong dtype"
    remedy = "keep the data type that the original has here: look for .to(), .half(), .long() and weights that were stored in half precision"
    examples = (
        Example(_parts, lambda m, x: m.norm(m.dense(x)), lambda m, x: m.norm(m.dense(x).bfloat16().float())),
        Example(_parts, lambda m, x: m.norm(m.dense(x) * 9), lambda m, x: m.norm((m.dense(x) * 9).long().float())),
        Example(_parts, lambda m, x: m.dense(x), lambda m, x: m.dense(x).half()),
        Example(_parts, lambda m, x: m.dense(x), None, _halve),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the new value is the original's with fewer digits, or the weights are."""
        if not scene.target.is_floating_point():
            return None
        for name, convert_to, precision in _types():
            if _is_rounded(scene.found, scene.target, convert_to) and _is_near(scene, convert_to, precision):
                return f"every value fits into {name}, the original's do not"
        if not scene.is_leaf:
            return None
        for name, convert_to, _ in _types():
            own, theirs = scene.parameter(scene.place.new, "weight"), scene.original_parameter("weight")
            if own is None or theirs is None or own.numel() != theirs.numel():
                continue
            if any(
                one.shape == own.shape and _is_rounded(own, one, convert_to) and bool((_cast(one, convert_to) == own).all())
                for one in (theirs, theirs.t() if theirs.dim() == 2 else theirs)
            ):  # fmt: skip
                return f"its weight is the original's, rounded to {name}"
        return None


def _types() -> Iterator[tuple[str, torch.dtype, float]]:
    import torch

    yield "whole numbers", torch.int64, 0.0
    yield "float8_e4m3fn", torch.float8_e4m3fn, 2.0**-3
    yield "bfloat16", torch.bfloat16, 2.0**-8
    yield "float16", torch.float16, 2.0**-11


def _cast(value: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return value.to(dtype).to(value.dtype)


def _is_rounded(value: torch.Tensor, exact: torch.Tensor, dtype: torch.dtype) -> bool:
    """Whether a value loses nothing in a data type, and the exact one does."""
    plain = value.double()
    if value.numel() < 2 or not bool((plain == plain.to(dtype).double()).all()):
        return False
    return float((exact.double() != exact.double().to(dtype).double()).double().mean()) > 0.5


def _is_near(scene: Scene, dtype: torch.dtype, precision: float) -> bool:
    """Whether rounding explains the gap: the new value is the original's rounded, or within a few roundings of it."""
    target, found = scene.target.double(), scene.found.double()
    if not precision:
        return bool(((target.trunc() == found) | (target.round() == found)).all())
    scale = float(target.abs().max())
    return bool(((target - found).abs() <= _STEPS * precision * target.abs() + 4 * precision * scale).all()) and (
        scene.apart <= _STEPS * precision / 4
    )
