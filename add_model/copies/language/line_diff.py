"""Where two sequences of lines differ, told in time that grows with their length whatever they hold.

`difflib` finds what a reader would call a change, and takes the square or the cube of the length where lines are alike or
in another order. It is given as much work as such sequences take that people wrote; behind that, lines that stand once
on either side are what the two are held together by.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from difflib import Match, SequenceMatcher
from itertools import pairwise
from typing import AnyStr

# How many comparisons of lines are made for each line, at most, and for each character of texts; and how many always.
_FOR_EACH_LINE, _FOR_EACH_CHARACTER, _ALWAYS = 100, 4, 2_000
# The same for each line of whole files, of which most lines stand once: a change in each of many places costs no more.
_FOR_EACH_LINE_OF_FILES = 20
# What a change shows around itself.
_CONTEXT = 3

# What is done to a part of the first sequence to make it a part of the second: `equal`, `replace`, `delete` or `insert`,
# from where to where in the one and in the other.
Opcode = tuple[str, int, int, int, int]


class _TooMuch(Exception):
    """The work that was to be spent on a comparison is spent."""


class _Matcher(SequenceMatcher[Hashable]):
    """A matcher that gives up where it would take long.

    Raises:
        _TooMuch: from every question.
    """

    def __init__(self, first: Sequence[Hashable], second: Sequence[Hashable], most: int, autojunk: bool) -> None:
        super().__init__(None, first, second, autojunk)
        self._left, self._length = most, len(first)
        known: dict[Hashable, list[int]] = self.b2j  # type: ignore[attr-defined]
        # How many comparisons it takes to look at all lines above each.
        self._work = [0]
        for line in first:
            self._work.append(self._work[-1] + 1 + len(known.get(line, ())))

    def find_longest_match(self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None) -> Match:
        self._left -= self._work[self._length if ahi is None else ahi] - self._work[alo] + 1
        if self._left < 0:
            raise _TooMuch
        return super().find_longest_match(alo, ahi, blo, bhi)


def matching_blocks(
    first: Sequence[Hashable], second: Sequence[Hashable], are_files: bool = False
) -> list[tuple[int, int, int]]:
    """The parts that two sequences have in common, in order: where in one, where in the other, how long.

    The last is empty, and stands at both ends.

    Args:
        first, second: the sequences.
        are_files: whether they are the lines of whole files, of which those that stand often hold nothing together.
    """
    lines = len(first) + len(second)
    if are_files:
        most = _ALWAYS + _FOR_EACH_LINE_OF_FILES * lines
    else:
        most = _ALWAYS + _FOR_EACH_LINE * lines
        most += _FOR_EACH_CHARACTER * sum(len(line) for line in (*first, *second) if isinstance(line, (str, bytes)))
    try:
        return [(a, b, size) for a, b, size in _Matcher(first, second, most, are_files).get_matching_blocks()]
    except _TooMuch:
        return [*_held_together(first, second), (len(first), len(second), 0)]


def opcodes(first: Sequence[Hashable], second: Sequence[Hashable], are_files: bool = False) -> list[Opcode]:
    """What makes the first sequence the second, in order."""
    found: list[Opcode] = []
    at = other = 0
    for start, other_start, length in matching_blocks(first, second, are_files):
        if at < start or other < other_start:
            kind = "delete" if other == other_start else "insert" if at == start else "replace"
            found.append((kind, at, start, other, other_start))
        at, other = start + length, other_start + length
        if length:
            found.append(("equal", start, at, other_start, other))
    return found


def unified_diff(
    before: Sequence[AnyStr], after: Sequence[AnyStr], name_before: AnyStr, name_after: AnyStr
) -> Iterator[AnyStr]:
    """A unified diff of lines that end as they do in their file, as `difflib.unified_diff` writes it."""
    is_text = isinstance(name_before, str)

    def said(text: str) -> AnyStr:
        return text if is_text else text.encode()  # type: ignore[return-value]

    changed = False
    for group in _grouped(opcodes(before, after, are_files=True)):
        if not changed:
            yield said("--- ") + name_before + said("\n")
            yield said("+++ ") + name_after + said("\n")
            changed = True
        (_, start, _, other_start, _), (_, _, end, _, other_end) = group[0], group[-1]
        yield said(f"@@ -{_range(start, end)} +{_range(other_start, other_end)} @@\n")
        for kind, first, last, other_first, other_last in group:
            if kind == "equal":
                yield from (said(" ") + line for line in before[first:last])
                continue
            yield from (said("-") + line for line in before[first:last])
            yield from (said("+") + line for line in after[other_first:other_last])


def _grouped(found: list[Opcode]) -> Iterator[list[Opcode]]:
    """The changes with what stands around them, those that are near each other together."""
    if found and found[0][0] == "equal":
        _, start, end, other_start, other_end = found[0]
        kept = min(_CONTEXT, end - start)
        found[0] = "equal", end - kept, end, other_end - kept, other_end
    if found and found[-1][0] == "equal":
        _, start, end, other_start, other_end = found[-1]
        kept = min(_CONTEXT, end - start)
        found[-1] = "equal", start, start + kept, other_start, other_start + kept
    group: list[Opcode] = []
    for kind, start, end, other_start, other_end in found:
        if kind == "equal" and end - start > 2 * _CONTEXT:
            yield [*group, ("equal", start, start + _CONTEXT, other_start, other_start + _CONTEXT)]
            group, start, other_start = [], end - _CONTEXT, other_end - _CONTEXT
        group.append((kind, start, end, other_start, other_end))
    if any(kind != "equal" for kind, *_ in group):
        yield group


def _range(start: int, end: int) -> str:
    """A part of a file as a diff names it."""
    length = end - start
    if length == 1:
        return f"{start + 1}"
    return f"{start + 1 if length else start},{length}"


def _held_together(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[tuple[int, int, int]]:
    """The common parts around the lines that stand once on either side and in the same order; and those at the ends."""
    counts, other_counts = Counter(first), Counter(second)
    places = {line: at for at, line in enumerate(second) if other_counts[line] == 1}
    once = [(at, places[line]) for at, line in enumerate(first) if counts[line] == 1 and line in places]
    ends = [(-1, -1), *_longest_rise(once), (len(first), len(second))]
    blocks: list[tuple[int, int, int]] = []
    for (above, other_above), (below, other_below) in pairwise(ends):
        start, other = above + 1, other_above + 1
        while start < below and other < other_below and first[start] == second[other]:
            start, other = start + 1, other + 1
        if start > max(above, 0):
            blocks.append((max(above, 0), max(other_above, 0), start - max(above, 0)))
        end, other_end = below, other_below
        while end > start and other_end > other and first[end - 1] == second[other_end - 1]:
            end, other_end = end - 1, other_end - 1
        if end < below:
            blocks.append((end, other_end, below - end))
    return blocks


def _longest_rise(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest selection of pairs, given in the order of the first of each, in which the second ones rise, too."""
    lasts: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, (_, place) in enumerate(places):
        length = bisect_left(lasts, place)
        before.append(ends[length - 1] if length else -1)
        lasts[length : length + 1] = [place]
        ends[length : length + 1] = [at]
    chosen, at = [], ends[-1] if ends else -1
    while at >= 0:
        chosen.append(places[at])
        at = before[at]
    return chosen[::-1]
