"""Copies that are, by way of others, copies of themselves; and the order in which the rest depends on each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from add_model.values import TYPE_CHECKING

if TYPE_CHECKING:
    from add_model.copies.judging.pair import Pair

# How many members all cycles have that are told, at least, and for each edge.
_MOST_MEMBERS, _MOST_TIMES = 1_000, 3

# A definition: its file, and where its header starts.
Place = tuple[str, int]


# From a copy to its original, and the marker that leads there: where its line starts, and what it names. A plain
# tuple, as there is one for every marker, and caches and processes hand them on.
Edge = tuple[Place, Place, int, str]


def place_of_copy(pair: Pair) -> Place:
    """Where the copy of a pair stands."""
    return pair.module.place, pair.header


def place_of_original(pair: Pair) -> Place:
    """Where the original of a pair stands."""
    return pair.original.place


def find_cycles(edges: Sequence[Edge]) -> Iterator[list[Edge]]:
    """Every cycle once: edges each of which has its original where the next one has its copy, the last the first.

    Where copies lead to one another in very many ways, some cycles are left for a run that finds the others gone.
    """
    copies, originals = {edge[0] for edge in edges}, {edge[1] for edge in edges}
    governing: dict[Place, list[Edge]] = {}
    for edge in edges:
        copy, original, _, _ = edge
        if copy not in originals or original not in copies:
            continue  # an end of a chain is in no circle
        governing.setdefault(copy, []).append(edge)
    settled: set[Place] = set()
    most = _MOST_MEMBERS + _MOST_TIMES * len(edges)
    for start in governing:
        trail: list[Edge] = []
        choices = [iter(governing[start])] if start not in settled else []
        # How many edges of the trail lead to each place on it.
        places = {start: 0}
        while choices:
            chosen = next(choices[-1], None)
            if chosen is None:
                choices.pop()
                settled.add(places.popitem()[0])
                if trail:
                    trail.pop()
                continue
            place = chosen[1]
            if place in places:
                most -= len(trail) - places[place] + 1
                if most < 0:
                    return
                yield [*trail[places[place] :], chosen]
            elif place in governing and place not in settled:
                trail.append(chosen)
                places[place] = len(trail)
                choices.append(iter(governing[place]))
