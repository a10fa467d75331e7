"""Weights of one kind in every layer, taken together: what a suggestion matches is not weights but such units."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from add_model.porting.checkpoint_files import Weight

Indices = tuple[int, ...]

_NUMBER = re.compile(r"\d+")
# A number that is glued to another word belongs to that word: `ln_1`, `fc2`.
_LIST_WORDS = frozenset("layer layers block blocks h resblock resblocks stage stages encoderlayer group expert experts module".split())  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """The weights that have one name but for the number of their layer; or a single weight.

    Attributes:
        template: their name, with `#` for each number that varies.
        names: the numbers, from left to right -> the name.
        weight: the shape and type that all of them have.
        position: where the first of them stands among all weights.
    """

    template: str
    names: Mapping[Indices, str]
    weight: Weight
    position: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of each of them."""
        return self.weight.shape

    @property
    def parents(self) -> tuple[str, ...]:
        """The modules that they lie in, from the innermost to the outermost."""
        parts = re.split(r"([./])", self.template)
        return tuple("".join(parts[:end]) for end in range(len(parts) - 2, 0, -2))


def find_units(weights: Mapping[str, Weight]) -> list[Unit]:
    """Takes weights together that differ by the number of their layer alone, in the order of the first of each."""
    variable = _variable_numbers(weights)
    groups: dict[tuple[str, Weight], dict[Indices, str]] = defaultdict(dict)
    positions: dict[tuple[str, Weight], int] = {}
    for position, (name, weight) in enumerate(weights.items()):
        spans = variable[name]
        template, end = "", 0
        for start, stop in spans:
            template, end = template + name[end:start] + "#", stop
        key = (template + name[end:], weight)
        groups[key][tuple(int(name[start:stop]) for start, stop in spans)] = name
        positions.setdefault(key, position)
    return [Unit(key[0], dict(sorted(names.items())), key[1], positions[key]) for key, names in groups.items()]


def single_units(units: Iterable[Unit]) -> list[Unit]:
    """Each weight as a unit of its own."""
    return [
        Unit(name, {(): name}, unit.weight, unit.position) for unit in units for name in unit.names.values()
    ]  # fmt: skip


def _variable_numbers(weights: Mapping[str, Weight]) -> dict[str, list[tuple[int, int]]]:
    """Which numbers in each name count layers, or other things that are alike, as spans."""
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in weights}
    depth = max((len(_NUMBER.findall(name)) for name in weights), default=0)
    for level in range(depth):
        # What stands before the number, with those that are known to vary left open -> number -> what follows.
        lists: dict[str, dict[int, dict[str, tuple[int, ...]]]] = defaultdict(lambda: defaultdict(dict))
        members: dict[str, list[tuple[str, tuple[int, int]]]] = defaultdict(list)
        for name, weight in weights.items():
            spans = [match.span() for match in _NUMBER.finditer(name)]
            if level >= len(spans):
                continue
            start, stop = spans[level]
            before = _opened(name, found[name], start)
            lists[before][int(name[start:stop])][name[stop:]] = weight.shape
            members[before].append((name, (start, stop)))
        for before, entries in lists.items():
            if _looks_like_a_list(before) and _are_alike(list(entries.values())):
                for name, span in members[before]:
                    found[name].append(span)
    return found


def _opened(name: str, spans: Sequence[tuple[int, int]], stop: int) -> str:
    text, end = "", 0
    for start, span_stop in spans:
        text, end = text + name[end:start] + "#", span_stop
    return text + name[end:stop]


def _looks_like_a_list(before: str) -> bool:
    """Whether a number that follows this text is a part of its own, or belongs to a word such as `layer`."""
    if before.endswith((".", "/")) or not before:
        return True
    word = re.split(r"[./_]", before.rstrip("_"))[-1].lower()
    return word in _LIST_WORDS


def _are_alike(entries: Sequence[Mapping[str, tuple[int, ...]]]) -> bool:
    """Whether most of what the entries of a list hold is in each of them, with the same shapes."""
    if len(entries) < 2:
        return False
    shapes: dict[str, set[tuple[int, ...]]] = defaultdict(set)
    counts: dict[str, int] = defaultdict(int)
    for entry in entries:
        for rest, shape in entry.items():
            shapes[rest].add(shape)
            counts[rest] += 1
    if any(len(found) > 1 for found in shapes.values()):
        return False
    everywhere = sum(1 for count in counts.values() if count == len(entries))
    return 2 * everywhere >= len(counts)
