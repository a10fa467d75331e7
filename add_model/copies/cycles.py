"""Copies that are, by way of others, copies of themselves; and the order in which the rest depends on each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from add_model.copies.pair import Pair

# A definition: its file, and where its header starts.
Place = tuple[str, int]


class Edge(NamedTuple):
    """From a copy to its original, and the marker that leads there: where its line starts, and what it names."""

    copy: Place
    original: Place
    marker: int
    source: str


def place_of_copy(pair: Pair) -> Place:
    """Where the copy of a pair stands."""
    return str(pair.module.path), pair.header


def place_of_original(pair: Pair) -> Place:
    """Where the original of a pair stands."""
    return str(pair.original.module.path), pair.original.definition.header


def find_cycles(edges: Sequence[Edge]) -> Iterator[list[Edge]]:
    """Every cycle once: edges each of which has its original where the next one has its copy, the last the first."""
    copies, originals = {edge.copy for edge in edges}, {edge.original for edge in edges}
    governing: dict[Place, list[Edge]] = {}
    for edge in edges:
        if edge.copy not in originals or edge.original not in copies:
            continue  # an end of a chain is in no circle
        governing.setdefault(edge.copy, []).append(edge)
    settled: set[Place] = set()
    for start in governing:
        trail: list[tuple[Place, Edge]] = []
        choices = [iter(governing[start])] if start not in settled else []
        places = [start]
        while choices:
            chosen = next(choices[-1], None)
            if chosen is None:
                choices.pop()
                settled.add(places.pop())
                if trail:
                    trail.pop()
                continue
            place = chosen.original
            if place in places:
                since = places.index(place)
                yield [*(member for _, member in trail[since:]), chosen]
            elif place in governing and place not in settled:
                trail.append((place, chosen))
                places.append(place)
                choices.append(iter(governing[place]))
