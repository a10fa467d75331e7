"""In which order copies are rewritten that depend on each other: originals first, all of a chain in one go."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from add_model.copies.judging.cycles import Place, place_of_copy
from add_model.copies.judging.pair import Pair


def originals_first(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs in an order in which a copy stands behind its original, wherever that is a copy itself.

    Of copies that go in a circle nobody is first; they keep the order in which they are given.
    """
    governing: dict[Place, list[Pair]] = {}
    for pair in pairs:
        governing.setdefault(place_of_copy(pair), []).append(pair)
    ordered: list[Pair] = []
    seen: set[Place] = set()
    for place in governing:
        way: list[Place] = []
        while place in governing and place not in seen:
            seen.add(place)
            way.append(place)
            # Of several markers above one copy the others are seen in the next round.
            place = governing[place][0].original.place
        ordered += (pair for passed in reversed(way) for pair in governing[passed])
    return ordered


class Blocks:
    """The lines of the copies that are to be rewritten, to be asked what of other lines touches them."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        files: dict[str, set[tuple[int, int]]] = {}
        for pair in pairs:
            files.setdefault(pair.module.place, set()).add((pair.header, pair.end))
        self._blocks = {path: sorted(blocks) for path, blocks in files.items()}
        # Where the furthest of the blocks ends that start up to each.
        self._ends = {path: [*accumulate((end for _, end in blocks), max)] for path, blocks in self._blocks.items()}

    def touch_original(self, pair: Pair) -> bool:
        """Whether the original of a pair has lines in common with one of them."""
        path, start = pair.original.place
        return self._furthest(path, pair.original.definition.end) > start

    def contain(self, pair: Pair) -> bool:
        """Whether the copy of a pair stands in another one of them."""
        return self._furthest(pair.module.place, pair.header) >= pair.end

    def touch_another(self, pair: Pair) -> bool:
        """Whether another one of them has lines in common with the copy of a pair, which is one of them."""
        path = pair.module.place
        at = bisect_left(self._blocks[path], (pair.header, -1))
        behind = self._blocks[path][at + 1 : at + 2]
        return self._furthest(path, pair.header) > pair.header or any(start < pair.end for start, _ in behind)

    def _furthest(self, path: str, stop: int) -> int:
        """Where the furthest block ends that starts before an offset; 0 where none does."""
        at = bisect_left(self._blocks.get(path, []), (stop, -1))
        return self._ends[path][at - 1] if at else 0
