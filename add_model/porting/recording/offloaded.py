"""Weights that were moved off a model (accelerate's offload): the model holds none, and its hooks know where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn


def offloaded(model: nn.Module, name: str) -> torch.Tensor | None:
    """The values of a parameter on the device `meta`, from the hook that puts them in its place when it is used; `None`
    where no hook has them."""
    import torch

    path, _, own = name.rpartition(".")
    while True:
        for weights in _held(model.get_submodule(path)):
            try:
                value = weights[own]
            except (KeyError, OSError):
                continue
            if isinstance(value, torch.Tensor) and not value.is_meta:
                return value
        if not path:
            return None
        # A hook may look after all that is inside a submodule.
        path, _, last = path.rpartition(".")
        own = f"{last}.{own}"


def _held(module: nn.Module) -> Iterator[Mapping[str, Any]]:
    hook = getattr(module, "_hf_hook", None)
    for each in (hook, *getattr(hook, "hooks", ())):
        weights = getattr(each, "weights_map", None)
        if weights is not None:
            yield weights
