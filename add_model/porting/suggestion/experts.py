"""Experts that the checkpoint holds one by one, and the new model in one weight: stacked, gate and up joined before that."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from add_model.porting.checkpoints.concepts import meaning, words_of
from add_model.porting.checkpoints.units import Unit
from add_model.porting.rules.operations import Concatenate, Operation, Stack, Transpose
from add_model.porting.suggestion.found import Found
from add_model.porting.suggestion.fused import LAYOUTS_OF_GATE_AND_UP

_EXPERTS = re.compile(r"experts?[./_]?$")
_UNKNOWN_TURN = "whether each expert has to be transposed cannot be told"
# Under these names Llama of Meta, and everybody after it, keeps the gate, what leads back, and what is gated.
_OF_META = {"w1": "GATE", "w2": "DOWN", "w3": "UP"}


def find_experts(old: Sequence[Unit], new: Sequence[Unit]) -> Iterator[Found]:
    """Stacks of experts: each of the new model's weights of experts, from those of all experts in the checkpoint."""
    together: dict[tuple[str, int], dict[str, Unit]] = defaultdict(dict)
    for unit in old:
        before = unit.template.rpartition("#")[0]
        part = _part(unit)
        if _EXPERTS.search(before) and len(unit.shape) == 2 and part and _is_grid(unit):
            together[before, len(unit.names)].setdefault(part, unit)
    for target in new:
        fitting = [parts for (before, _), parts in together.items() if _is_of_the_same(before, target)]
        found = [pair for parts in fitting if (pair := _stacked(target, parts)) is not None]
        # Of two kinds of experts of the same sizes no shape tells which is which.
        if len(found) == 1:
            yield found[0]


def _stacked(target: Unit, parts: dict[str, Unit]) -> Found | None:
    concepts = meaning(target.reading).concepts
    if len(target.shape) != 3 or "#" not in target.template and () not in target.names:
        return None
    words = ("GATE", "UP") if {"GATE", "UP"} <= concepts else (_part(target),)
    sources = tuple(parts[word] for word in words if word in parts)
    if len(sources) != len(words) or len({unit.shape for unit in sources}) != 1:
        return None
    experts = len({numbers[-1] for numbers in sources[0].names})
    layers = len(sources[0].names) // experts
    if layers != len(target.names) or len(next(iter(sources[0].names))) != len(next(iter(target.names))) + 1:
        return None
    rows, columns = sources[0].shape
    unsure = LAYOUTS_OF_GATE_AND_UP if len(sources) > 1 else ""
    for turned in (False, True):
        steps = _steps(len(sources), turned)
        shape = (columns, rows * len(sources)) if turned else (rows * len(sources), columns)
        if target.shape == (experts, *shape):
            is_told = target.shape != (experts, *shape[::-1])
            return Found(sources, (target,), steps, unsure or ("" if is_told else _UNKNOWN_TURN))
    return None


def _steps(joined: int, turned: bool) -> tuple[Operation, ...]:
    steps: tuple[Operation, ...] = (Transpose(0, 1),) if turned else ()
    if joined > 1:
        steps = (*steps, Concatenate(1 if turned else 0, every=joined))
    return (*steps, Stack(0))


def _part(unit: Unit) -> str:
    """Whether a weight is the gate, what is gated, or what leads back; empty where its name does not say so."""
    concepts = meaning(unit.reading).concepts & {"GATE", "UP", "DOWN"}
    if len(concepts) == 1:
        return next(iter(concepts))
    words = "".join(words_of(unit.template.rpartition("#")[2]))
    return next((part for word, part in _OF_META.items() if word in words), "") if not concepts else ""


def _is_grid(unit: Unit) -> bool:
    """Whether every layer has the same experts, counted from zero."""
    counted: dict[tuple[int, ...], int] = defaultdict(int)
    for numbers in unit.names:
        counted[numbers[:-1]] += 1
    return len(set(counted.values())) == 1 and max(numbers[-1] for numbers in unit.names) + 1 == next(iter(counted.values()))  # fmt: skip


def _is_of_the_same(before: str, target: Unit) -> bool:
    """Whether both speak of experts, and of the shared ones both or none."""
    return "expert" in target.template and ("shared" in before) == ("shared" in target.template)
