"""Query, key and value in one weight here and in three there: found by their names, and taken for one unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from add_model.porting.concepts import Meaning
from add_model.porting.layouts import Layout
from add_model.porting.units import Unit

_GROUPS = (("QUERY", "KEY", "VALUE"), ("KEY", "VALUE"), ("GATE", "UP"))
_WORDS = {"QUERY": "qkv", "KEY": "kv", "GATE": "gate_up"}


@dataclass(frozen=True)
class Group:
    """Units of one side that may be one unit on the other.

    Attributes:
        parts: their numbers, in the order in which they are joined.
        axis: the axis along which they are joined, that of the output size.
        unit: what they would be as one.
    """

    parts: tuple[int, ...]
    axis: int
    unit: Unit

    def sizes(self, units: Sequence[Unit]) -> tuple[int, ...]:
        """The sizes of the parts along the axis."""
        return tuple(units[part].shape[self.axis] for part in self.parts)


def find_groups(units: Sequence[Unit], meanings: Sequence[Meaning], layouts: Sequence[Layout]) -> list[Group]:
    """Every group on one side whose members lie in one module and differ by the word for query, key or value."""
    groups = []
    for words in _GROUPS:
        members: dict[tuple[object, ...], dict[str, int]] = {}
        for number, (unit, found) in enumerate(zip(units, meanings, strict=True)):
            word = next((word for word in words if word in found.concepts), None)
            if word is None:
                continue
            above = unit.parents[1] if found.leaf and len(unit.parents) > 1 else "".join(unit.parents[:1])
            key = (found.concepts - {word}, found.role, found.leaf, above, tuple(unit.names))
            members.setdefault(key, {}).setdefault(word, number)
        for parts in members.values():
            if set(parts) == set(words):
                numbers = tuple(parts[word] for word in words)
                group = _group(numbers, words, units, layouts)
                if group is not None:
                    groups.append(group)
    return groups


def _group(
    numbers: tuple[int, ...], words: Sequence[str], units: Sequence[Unit], layouts: Sequence[Layout]
) -> Group | None:
    first = units[numbers[0]]
    shapes = [units[number].shape for number in numbers]
    # What is not known to be stored otherwise is stored as PyTorch stores it.
    axis = 1 if len(first.shape) == 2 and layouts[numbers[0]].output_first is False else 0
    others = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(others) != 1 or len(first.shape) not in (1, 2):
        return None
    shape = (*first.shape[:axis], sum(shape[axis] for shape in shapes), *first.shape[axis + 1 :])
    parents = first.parents
    leaf = first.template.removeprefix(parents[0]) if parents else ""
    above = parents[1] if len(parents) > 1 else ""
    template = f"{above}{'.' if above else ''}{_WORDS[words[0]]}{leaf}"
    return Group(
        numbers, axis, Unit(template, first.names, type(first.weight)(shape, first.weight.dtype), first.position)
    )
