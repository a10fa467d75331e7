"""Query, key and value in one weight here and in three there: found by their names, and taken for one unit.

In which order one weight holds its parts, and whether it does so head by head, no shape shows. Names show it: some
spell the order, and under some every code base stores one whole part behind the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from add_model.porting.checkpoints.concepts import Meaning, meaning, words_of
from add_model.porting.checkpoints.units import Unit, parents_of
from add_model.porting.suggestion.layouts import Layout

_GROUPS = (("QUERY", "KEY", "VALUE"), ("KEY", "VALUE"), ("GATE", "UP"))
_WORDS = {"QUERY": "qkv", "KEY": "kv", "GATE": "gate_up"}
_PARTS = {"query": "QUERY", "q": "QUERY", "key": "KEY", "k": "KEY", "value": "VALUE", "v": "VALUE", "gate": "GATE", "up": "UP"}  # fmt: skip
# Names that say what they hold without spelling it.
_UNSPELLED = ("c attn", "in proj")
_WHOLE = re.compile(r"c attn|in proj|(to )?[qkv]{2,3}|(gate up|up gate)( proj)?")
LAYOUTS_OF_GATE_AND_UP = "no shape tells how gate and up lie in one weight: gate first or up first, as two halves or in turn, each with the output or the input size first"  # fmt: skip
_HEAD_BY_HEAD = "some code bases store query, key and value head by head under this name"


@dataclass(frozen=True)
class Group:
    """Units of one side that may be one unit on the other.

    Attributes:
        parts: their numbers, by the word for what they are.
        axis: the axis along which they are joined, that of the output size.
        unit: what they would be as one.
    """

    parts: Mapping[str, int]
    axis: int
    unit: Unit

    def in_order_of(self, fused: Unit) -> tuple[int, ...]:
        """The parts in the order in which a weight on the other side holds them."""
        order = _order(fused)
        return tuple(self.parts[word] for word in (order if set(order) == set(self.parts) else self.parts))

    def doubt(self, fused: Unit, in_convolution: bool) -> str:
        """Why it is not sure that a weight on the other side holds the parts one behind the other, in this order."""
        if "GATE" in self.parts:
            return LAYOUTS_OF_GATE_AND_UP
        if set(_order(fused)) != set(self.parts):
            return "its name does not say in which order it holds its parts"
        # Attention over images has it both ways under each of the names.
        return "" if _WHOLE.fullmatch(_name(fused)) and not in_convolution else _HEAD_BY_HEAD


def doubt_between(old: Unit, old_meaning: Meaning, new: Unit, new_meaning: Meaning) -> str:
    """Why it is not sure that two weights hold the same parts in the same way; empty where they do, or are no such."""
    names = _name(old), _name(new)
    if names[0] == names[1] or not (_is_fused(old_meaning) or _is_fused(new_meaning)):
        return ""
    if old_meaning.concepts >= {"GATE", "UP"} or new_meaning.concepts >= {"GATE", "UP"}:
        return LAYOUTS_OF_GATE_AND_UP
    if _order(old) != _order(new):
        return "the names do not say that both hold their parts in the same order"
    return "" if all(map(_WHOLE.fullmatch, names)) else _HEAD_BY_HEAD


def _is_fused(found: Meaning) -> bool:
    return "FUSED" in found.concepts or "PAIR" in found.concepts or found.concepts >= {"GATE", "UP"}


def _name(unit: Unit) -> str:
    """The words for the module of a unit."""
    *above, last = [words_of(part) for part in re.split(r"[./]", unit.template)]
    if meaning(unit.reading).leaf:
        last = last[:-1]
    return " ".join(last or (above[-1] if above else []))


def _order(unit: Unit) -> tuple[str, ...]:
    """The order of the parts that the name of a unit states; empty where it states none."""
    name = _name(unit)
    if name in _UNSPELLED:
        return _GROUPS[0]
    letters = [list(word.removeprefix("w")) for word in name.split() if re.fullmatch(r"w?[qkv]{2,3}", word)]
    parts = letters[0] if letters else [word for word in name.split() if word in _PARTS]
    return tuple(_PARTS[part] for part in parts)


def find_groups(units: Sequence[Unit], meanings: Sequence[Meaning], layouts: Sequence[Layout]) -> list[Group]:
    """Every group on one side whose members lie in one module and differ by the word for query, key or value."""
    groups = []
    for words in _GROUPS:
        members: dict[tuple[object, ...], dict[str, int]] = {}
        for number, (unit, found) in enumerate(zip(units, meanings, strict=True)):
            named = [word for word in words if word in found.concepts]
            if len(named) != 1:
                continue
            word = named[0]
            above = unit.parents[1] if found.leaf and len(unit.parents) > 1 else "".join(unit.parents[:1])
            key = (found.concepts - {word}, found.role, found.leaf, above, tuple(unit.names))
            members.setdefault(key, {}).setdefault(word, number)
        for parts in members.values():
            if set(parts) == set(words):
                group = _group({word: parts[word] for word in words}, units, layouts)
                if group is not None:
                    groups.append(group)
    return groups


def _group(parts: Mapping[str, int], units: Sequence[Unit], layouts: Sequence[Layout]) -> Group | None:
    numbers = list(parts.values())
    first = units[numbers[0]]
    shapes = [units[number].shape for number in numbers]
    # What is not known to be stored otherwise is stored as PyTorch stores it.
    axis = 1 if len(first.shape) == 2 and layouts[numbers[0]].output_first is False else 0
    others = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(others) != 1 or len(first.shape) not in (1, 2):
        return None
    shape = (*first.shape[:axis], sum(shape[axis] for shape in shapes), *first.shape[axis + 1 :])
    word = _WORDS[next(iter(parts))]
    template, reading = _renamed(first.template, word), _renamed(first.reading, word)
    weight = type(first.weight)(shape, first.weight.dtype)
    return Group(parts, axis, Unit(template, reading, first.names, weight, first.position))


def _renamed(name: str, word: str) -> str:
    """A name with another word for the module that it lies in."""
    parents = parents_of(name)
    leaf = name.removeprefix(parents[0]) if parents else ""
    above = parents[1] if len(parents) > 1 else ""
    return f"{above}{'.' if above else ''}{word}{leaf}"
