"""What is found for a tied weight: it needs nothing of its own, and must get nothing but a copy of its twin."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import torch

from add_model.porting.checkpoints.units import Indices
from add_model.porting.suggestion.found import Found

Read = Callable[[str], torch.Tensor]
_Filled = tuple[Found, Indices]


def without_strangers(found: Sequence[Found], tied: Mapping[str, str], read: Read | None) -> Iterator[Found]:
    """What was found, without what would fill a tied weight from a later or averaged copy of its twin.

    Args:
        found: what was found.
        tied: weight of the new model -> its twin, the first name of the same weight.
        read: reads a weight of the checkpoint; without it, what fills a tied weight is not sure.
    """
    filled = {name: (pair, index) for pair in found for unit in pair.targets for index, name in unit.names.items()}
    for pair in found:
        twins = {name: tied[name] for unit in pair.targets for name in unit.names.values() if name in tied}
        if not twins or not all(twin in filled for twin in twins.values()):
            yield pair
        elif read is None:
            yield replace(pair, unsure=pair.unsure or "it is tied to another weight: is it a copy of it?")
        elif all(_belongs(filled[name], filled[twin], read) for name, twin in twins.items()):
            yield pair


def _belongs(one: _Filled, twin: _Filled, read: Read) -> bool:
    # An original that does not tie what the new model ties must not lose a weight: converting it says so.
    return not _have_one_name(one, twin) or _equal(_filling(one, read), _filling(twin, read))


def _have_one_name(one: _Filled, other: _Filled) -> bool:
    """Whether two weights of the checkpoint differ by no more than the module that everything lies in."""
    left, right = (re.split(r"[./]", _sources(filled)[0])[::-1] for filled in (one, other))
    same = next((place for place, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), min(len(left), len(right)))  # fmt: skip
    return same > 1 and max(len(left), len(right)) - same <= 1


def _sources(filled: _Filled) -> list[str]:
    pair, index = filled
    number = sorted(pair.targets[0].names).index(index)
    return [unit.names[sorted(unit.names)[number]] for unit in pair.sources]


def _filling(filled: _Filled, read: Read) -> list[torch.Tensor]:
    tensors = [read(name) for name in _sources(filled)]
    for operation in filled[0].operations:
        tensors = operation.apply(tensors)
    return tensors


def _equal(left: Sequence[torch.Tensor], right: Sequence[torch.Tensor]) -> bool:
    return len(left) == len(right) and all(one.dtype == other.dtype and torch.equal(one, other) for one, other in zip(left, right, strict=True))  # fmt: skip
