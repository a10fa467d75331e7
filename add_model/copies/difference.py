"""Where a copy that differs does so first, as the pair of lines that a reviewer wants to see."""

from __future__ import annotations

from collections.abc import Iterator

from add_model.copies.equality import equal_lines, letters
from add_model.copies.finding import Difference
from add_model.copies.pair import Pair
from add_model.copies.region import compared_sides, own_name, with_name


def first_difference(pair: Pair) -> Difference | None:
    """The first line that no layout explains; `None` where there is none that could be shown."""
    expected, found = (side.split("\n") for side in compared_sides(pair.expected, pair.block))
    for first, last, found_first, found_last in _changes(expected, found):
        here, there = expected[first:last], found[found_first:found_last]
        if letters("\n".join(here)) == letters("\n".join(there)):
            continue
        name = pair.block[slice(*own_name(pair.block))]
        return Difference(
            line=_line_number(pair, found[: found_first + 1]),
            expected=_shown(here, name, is_header=first == 0),
            found=_shown(there, name, is_header=found_first == 0),
        )
    return None


def _changes(expected: list[str], found: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Where the lines of two sides differ, in order: from where to where on the one, and on the other."""
    start = equal_lines(expected, found)
    end = equal_lines(expected[start:][::-1], found[start:][::-1])
    here, there = expected[start : len(expected) - end], found[start : len(found) - end]
    if set(here).isdisjoint(there):
        if here or there:
            yield start, start + len(here), start, start + len(there)
        return
    from difflib import SequenceMatcher

    for kind, first, last, found_first, found_last in SequenceMatcher(None, here, there, autojunk=False).get_opcodes():
        if kind != "equal":
            yield start + first, start + last, start + found_first, start + found_last


def _shown(lines: list[str], name: str, is_header: bool) -> str | None:
    written = [line for line in lines if line.strip()]
    if not written:
        return None
    return (with_name(written[0], name) if is_header else written[0]).strip()


def _line_number(pair: Pair, compared: list[str]) -> int:
    """The number, in the copy's file, of the last of the lines that are compared; they are some of its block's."""
    lines = [line.strip() for line in pair.block.split("\n")]
    at = 0
    for line in compared[1:]:
        try:
            at = lines.index(line.strip(), at + 1)
        except ValueError:
            at = min(at + 1, len(lines) - 1)
    return pair.module.line_of(pair.header) + at
