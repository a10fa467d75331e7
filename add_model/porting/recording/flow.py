"""What each recorded tensor was computed from: the recorded tensors that lead to it, seen while the model runs."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_NOTHING: frozenset[str] = frozenset()


class Flow(TorchFunctionMode):
    """Follows values from tensor to tensor, through every function of torch that is called while it is active.

    What is computed where Python does not see it, as inside TorchScript, is not followed: whoever reads a recording takes
    it that such a call computes what it returns from what it was given.

    Attributes:
        made_of: the key of a recorded tensor -> the keys of those that it was computed from, without any in between.
    """

    def __init__(self) -> None:
        super().__init__()
        self.made_of: dict[str, list[str]] = {}
        # id of a tensor -> a reference that dies with it, and the keys of what it is computed from.
        self._sources: dict[int, tuple[weakref.ref[torch.Tensor], frozenset[str]]] = {}

    def keep(self, tensor: torch.Tensor, key: str) -> None:
        """Notes that a tensor was recorded under a key: what is computed of it from here on comes from that."""
        sources = self._of(tensor) - {key}
        if sources and key not in self.made_of:
            self.made_of[key] = sorted(sources)
        self._set(tensor, frozenset((key,)))

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Calls the function, and notes what its result is computed from."""
        given = [*_tensors(args), *_tensors(kwargs or {})]
        # Before the call: what changes its argument in place would be its own source.
        sources = _NOTHING.union(*map(self._of, given))
        result = func(*args, **(kwargs or {}))
        if sources:
            for tensor in _tensors(result):
                self._set(tensor, sources)
            changed = given[0] if given and _changes_first(func) else None
            if changed is not None:
                for written in (changed, changed._base):
                    if written is not None:
                        self._set(written, sources | self._of(written))
        return result

    def _of(self, tensor: torch.Tensor) -> frozenset[str]:
        known = self._sources.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else _NOTHING

    def _set(self, tensor: torch.Tensor, sources: frozenset[str]) -> None:
        known = self._sources.get(id(tensor))
        same = known is not None and known[0]() is tensor
        self._sources[id(tensor)] = (known[0] if known is not None and same else weakref.ref(tensor), sources)


def _changes_first(func: Callable[..., Any]) -> bool:
    """Whether a function writes into its first argument: `x[0] = y`, `x.add_(y)`."""
    name = getattr(func, "__name__", "")
    return name == "__setitem__" or (name.endswith("_") and not name.endswith("__"))


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
