"""Where a copy that differs does so first, as the pair of lines that a reviewer wants to see."""

from __future__ import annotations

from collections.abc import Iterator

from add_model.copies.finding import Difference
from add_model.copies.judging.pair import Pair
from add_model.copies.language.equality import equal_lines, letters, lines_apart
from add_model.copies.language.region import compared_sides, own_name, with_name

# Of so many lines that only a parser can tell from others it is told whether they differ before all that shows sooner.
_MOST_LINES = 1_000


def first_difference(pair: Pair) -> Difference | None:
    """The first line that no layout explains; `None` where there is none that could be shown."""
    sides = compared_sides(pair.expected, pair.block)
    expected, found = (side.split("\n") for side in sides)
    name = pair.block[slice(*own_name(pair.block))]
    shown, is_first = None, True
    # Indentation by other means is not what differs.
    for first, last, found_first, found_last in _changes(
        *([line.strip() for line in side] for side in (expected, found))
    ):
        here, there = expected[first:last], found[found_first:found_last]
        if letters("\n".join(here)) != letters("\n".join(there)):
            shown = Difference(
                line=_line_number(pair, found[: found_first + 1]),
                expected=_shown(here, name, is_header=first == 0),
                found=_shown(there, name, is_header=found_first == 0),
            )
            break
        is_first = False
    if shown is not None and is_first:
        return shown
    # What has the same letters may still differ: in their case, in the white space of a string, in its indentation.
    apart = lines_apart(*sides, most=_MOST_LINES)
    other = None if apart is None else _at(pair, name, apart, sides)
    return other if shown is None or (other is not None and other.line < shown.line) else shown


def _at(pair: Pair, name: str, apart: tuple[int, int], sides: tuple[str, str]) -> Difference:
    """The difference between two logical lines that start there; shown with what tells their indentations apart."""
    texts = (text[start:] if start else with_name(text, name) for text, start in zip(sides, apart, strict=True))
    wanted, present = (text.expandtabs().split("\n") for text in texts)
    same = 0
    if _column(wanted[0]) == _column(present[0]):
        same = min(equal_lines(wanted, present), len(wanted) - 1, len(present) - 1)
    margin = min(_column(wanted[same]), _column(present[same]))
    before = sides[1].count("\n", 0, apart[1])
    return Difference(
        line=_line_number(pair, sides[1].split("\n")[: before + same + 1]),
        expected=wanted[same][margin:].rstrip() or None,
        found=present[same][margin:].rstrip() or None,
    )


def _column(line: str) -> int:
    return len(line) - len(line.lstrip())


def _changes(expected: list[str], found: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Where the lines of two sides differ, in order: from where to where on the one, and on the other."""
    start = equal_lines(expected, found)
    end = equal_lines(expected[start:][::-1], found[start:][::-1])
    here, there = expected[start : len(expected) - end], found[start : len(found) - end]
    if set(here).isdisjoint(there):
        if here or there:
            yield start, start + len(here), start, start + len(there)
        return
    from add_model.copies.language.line_diff import opcodes

    for kind, first, last, found_first, found_last in opcodes(here, there):
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
