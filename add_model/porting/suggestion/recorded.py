"""What the original's modules were given and returned, what the new model is run on, and how far two tensors are apart."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from add_model.errors import AddModelError
from add_model.porting.recording.file import Recording, TensorRecord, tensors_of

_RELATIVE, _ABSOLUTE = 1e-3, 1e-4
# What agrees but for so many times the rounding that is allowed might be rounding as well.
NOISE = 3.0
# What models call their inputs, by what is in them; the first is taken that the new model knows.
_NUMBERS = ("input_ids", "decoder_input_ids")
_IMAGES = ("pixel_values",)
_SOUNDS = ("input_features", "input_values", "inputs_embeds")
_BESIDE = {"mask": ("attention_mask",), "type": ("token_type_ids",), "segment": ("token_type_ids",), "position": ("position_ids",)}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What a module was given and what it returned, the first time it was called."""

    given: torch.Tensor
    returned: torch.Tensor


def note(path: str, seen: dict[str, Seen]) -> Any:
    def hook(module: nn.Module, positional: tuple[Any, ...], keywords: dict[str, Any], output: Any) -> None:
        given = next((value for value in (*positional, *keywords.values()) if isinstance(value, torch.Tensor)), None)
        returned = output[0] if isinstance(output, tuple) else output
        if path not in seen and given is not None and isinstance(returned, torch.Tensor):
            seen[path] = Seen(given.detach().clone(), returned.detach().clone())

    return hook


def seen_by(recording: Recording) -> Iterator[tuple[str, Seen]]:
    """What each module of the original was given and returned first, as far as it was stored as a whole."""
    known: set[str] = set()
    for call in recording.calls:
        given = [record for _, record in tensors_of(call.inputs) if record.rows is None]
        returned = [record for _, record in tensors_of(call.outputs) if record.rows is None]
        if call.path and call.path not in known and given and returned:
            known.add(call.path)
            yield call.path, Seen(recording.values(given[0]), recording.values(returned[0]))


def inputs_for(model: nn.Module, recording: Recording) -> Mapping[str, torch.Tensor]:
    """The input of the original, under the new model's names for it: by name, else by kind and shape.

    Raises:
        AddModelError: none of it is an input of the new model.
    """
    names = list(inspect.signature(model.forward).parameters)
    inputs: dict[str, torch.Tensor] = {}
    given = [(name, recording.values(record)) for name, record in tensors_of(recording.root.inputs) if _is_whole(record)]  # fmt: skip
    for name, values in given:
        likely = [name] if name in names else _called(name, values, str(getattr(model, "main_input_name", names[0])))
        free = [other for other in likely if other in names and other not in inputs]
        if free:
            inputs[free[0]] = values if values.is_floating_point() else values.long()
    if not inputs:
        raise AddModelError(f"{recording.path}: holds no input for {type(model).__name__}; record the original with {getattr(model, 'main_input_name', names[0])}")  # fmt: skip
    return inputs


def _called(name: str, values: torch.Tensor, main: str) -> tuple[str, ...]:
    """What an input of the original may be called in the new model, the likeliest first."""
    if not values.dim():
        return ()
    for word, beside in _BESIDE.items():
        if word in name.lower():
            return beside
    if not values.is_floating_point():
        return (*((main,) if main in _NUMBERS else ()), *_NUMBERS)
    kinds = (*_IMAGES, *_SOUNDS) if values.dim() > 3 else (*_SOUNDS, *_IMAGES)
    return (*((main,) if main in kinds else ()), *kinds)


def outputs_of(recording: Recording) -> list[torch.Tensor]:
    """The numbers that the original returned, as far as they were stored as a whole."""
    records = [record for _, record in tensors_of(recording.root.outputs) if _is_whole(record) and record.key is not None]  # fmt: skip
    values = [recording.values(record) for record in records]
    return [value for value in values if value.is_floating_point() and value.dim()]


def returned_by(output: Any) -> Iterator[torch.Tensor]:
    """Every tensor that a model returned."""
    if isinstance(output, torch.Tensor):
        yield output
    elif isinstance(output, Mapping):
        yield from (tensor for value in output.values() for tensor in returned_by(value))
    elif isinstance(output, (list, tuple)):
        yield from (tensor for value in output for tensor in returned_by(value))


def _is_whole(record: TensorRecord) -> bool:
    return record.rows is None


def same(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Whether two tensors hold the same values, but for rounding and for whether texts or tokens come first."""
    return apart(left, right) <= 1


def apart(left: torch.Tensor, right: torch.Tensor) -> float:
    """How far apart two tensors are: up to 1, as far as rounding may take them."""
    if left.dim() == right.dim() == 3 and left.shape != right.shape:
        left = left.transpose(0, 1)
    left, right = left.squeeze(), right.squeeze()
    if left.shape != right.shape:
        return math.inf
    if not left.is_floating_point() or not left.numel():
        return 0.0 if torch.equal(left, right) else math.inf
    right = right.to(left.dtype)
    # Measured by the largest value, so that small ones are not the same because they are small.
    allowed = _RELATIVE * right.abs() + _ABSOLUTE * right.abs().max()
    difference = (left - right).abs()
    return float(torch.where(difference == 0, 0.0, difference / allowed).nan_to_num(nan=math.inf).max())
