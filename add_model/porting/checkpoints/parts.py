"""The parts of a file that `torch.save` wrote: training leaves more in it than one mapping of names to weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

# Where training scripts put the weights, beside the optimiser's state and their settings.
_INSIDE = ("model", "state_dict", "model_state_dict", "module", "params", "weights")


# Parts lie in each other no deeper, and hold no more, however often one stands in others.
_DEEPEST, _MOST_ENTRIES = 32, 1_000_000


@dataclass(frozen=True)
class Part:
    """A part of a file that holds weights.

    Attributes:
        name: the keys that lead to it, joined by dots.
        weights: how many tensors it holds.
        is_read: whether they are the checkpoint's weights; otherwise they are left.
    """

    name: str
    weights: int
    is_read: bool

    def __str__(self) -> str:
        return f"{self.name} ({self.weights} weight{'' if self.weights == 1 else 's'})"


def read_parts(content: Any, wanted: Sequence[str] = ()) -> tuple[dict[str, torch.Tensor], tuple[Part, ...]]:
    """The tensors that count as the checkpoint's weights, and the parts that they were chosen from.

    Without a wish, those of the part that is known to hold the weights count, or all of them, under the names that
    they have in it. So they do if one part is wanted; of several, each name begins with that of its part.

    Raises:
        KeyError: there is no such part with weights; its name is the argument.
        RecursionError: a part holds itself, or parts within parts, again and again.
    """
    _refuse_endless(content)
    chosen = tuple(wanted) or tuple(_usual(content))
    if not chosen:
        return dict(_tensors(content)), ()
    tensors: dict[str, torch.Tensor] = {}
    for name in chosen:
        found = dict(_tensors(_at(content, name), name if len(chosen) > 1 else ""))
        if not found:
            raise KeyError(name)
        tensors.update(found)
    return tensors, tuple(_parts(content, chosen))


def listed(parts: Iterable[Part]) -> str:
    """Parts with the numbers of their weights, in a line."""
    return ", ".join(map(str, parts))


def outermost_parts(content: Any) -> tuple[Part, ...]:
    """What there is to choose from."""
    return tuple(_parts(content, ()))


def _usual(content: Any) -> Iterator[str]:
    """The part that is known to hold the weights, if there is one."""
    keys: list[str] = []
    while isinstance(content, Mapping) and not any(map(_is_weight, content.values())):
        known = [key for key in _INSIDE if isinstance(content.get(key), Mapping) and any(_tensors(content[key]))]
        if not known:
            break
        keys.append(known[0])
        content = content[known[0]]
    if keys:
        yield ".".join(keys)


def _is_weight(value: Any) -> bool:
    """Whether it is a weight, and not a figure that training keeps: the best loss, the state of random numbers."""
    return isinstance(value, torch.Tensor) and value.is_floating_point() and value.dim() > 0


def _parts(content: Any, chosen: Sequence[str], prefix: str = "") -> Iterator[Part]:
    for key, value in _entries(content):
        name = f"{prefix}{key}"
        number = sum(1 for _ in _tensors(value))
        if number and name not in chosen and any(wanted.startswith(f"{name}.") for wanted in chosen):
            yield from _parts(value, chosen, f"{name}.")
        elif number:
            yield Part(name, number, name in chosen)


def _refuse_endless(content: Any) -> None:
    """Raises `RecursionError` unless everything that walks through the parts comes to an end, and soon."""
    level, seen = [content], 0
    for _ in range(_DEEPEST):
        level = [value for part in level for _, value in _entries(part) if isinstance(value, (Mapping, list, tuple))]
        seen += sum(map(len, level))
        if not level:
            return
        if seen > _MOST_ENTRIES:
            break
    raise RecursionError("parts within parts")


def _at(content: Any, name: str) -> Any:
    """What keys that are joined by dots lead to; a key may hold dots itself."""
    for key, value in _entries(content):
        if key == name:
            return value
        if name.startswith(f"{key}."):
            found = _at(value, name[len(key) + 1 :])
            if found is not None:
                return found
    return None


def _entries(content: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(content, Mapping):
        yield from ((str(key), value) for key, value in content.items())
    elif isinstance(content, (list, tuple)):
        yield from ((str(number), value) for number, value in enumerate(content))


def _tensors(content: Any, prefix: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(content, torch.Tensor):
        yield prefix or "weight", content
    for key, value in _entries(content):
        yield from _tensors(value, f"{prefix}.{key}" if prefix else key)
