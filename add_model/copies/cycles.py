"""Copies that are, by way of others, copies of themselves; and the order in which the rest depends on each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from add_model.copies.pair import Pair

# A definition: its file, and where its header starts.
Place = tuple[str, int]


def place_of_copy(pair: Pair) -> Place:
    """Where the copy of a pair stands."""
    return str(pair.module.path), pair.header


def place_of_original(pair: Pair) -> Place:
    """Where the original of a pair stands."""
    return str(pair.original.module.path), pair.original.definition.header


def find_cycles(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Every cycle once: pairs each of which has its original where the next one has its copy, the last the first."""
    governing: dict[Place, list[Pair]] = {}
    for pair in pairs:
        governing.setdefault(place_of_copy(pair), []).append(pair)
    settled: set[Place] = set()
    for start in governing:
        trail: list[tuple[Place, Pair]] = []
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
            place = place_of_original(chosen)
            if place in places:
                since = places.index(place)
                yield [*(member for _, member in trail[since:]), chosen]
            elif place in governing and place not in settled:
                trail.append((place, chosen))
                places.append(place)
                choices.append(iter(governing[place]))
