"""An edit carried over to the text that it was made of, where a parser gives back less than it was given.

LibCST leaves out a form feed that stands before code on its line, and lines at the end that hold nothing but white space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

# A form feed ends none.
_LINE = re.compile(r"[^\n]*\n|[^\n]+\Z")
# So many pairs of lines are compared one by one.
_MOST_PAIRS = 4_000_000


def exactly(text: str, unchanged: str, changed: str) -> str:
    """The text with the edit that leads from what a parser gives back of it to something else; every other byte as it was.

    Args:
        text: what was parsed.
        unchanged: what the parser gives back without an edit.
        changed: what it gives back with one.
    """
    if text == unchanged:
        return changed
    given_back = _LINE.findall(unchanged)
    before, lines = _lines_of(_LINE.findall(text), given_back)
    edited = _LINE.findall(changed)
    result = [before]
    for kind, start, end, first, last in _steps(given_back, edited):
        result += lines[start:end] if kind == "equal" else edited[first:last]
    return "".join(result)


def _lines_of(written: list[str], given_back: list[str]) -> tuple[str, list[str]]:
    """What stands in a text for each line that was given back of it, with what was left out behind it; and before the first."""
    before, lines = "", [""] * len(given_back)
    for _, start, end, first, last in _steps(list(map(_bare, given_back)), list(map(_bare, written))):
        if start == end:
            left_out = "".join(written[first:last])
            if start:
                lines[start - 1] += left_out
            else:
                before = left_out
        elif end - start == last - first:
            lines[start:end] = written[first:last]
        else:
            lines[start] = "".join(written[first:last])
    return before, lines


def _bare(line: str) -> str:
    """A line without the form feeds, some of which are left out of what is given back."""
    return line.replace("\f", "")


def _steps(before: list[str], after: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """How one list becomes the other, in the terms of `SequenceMatcher`; but as few lines as possible are replaced.

    Where lines repeat, that matcher takes the longest run for what was kept, and others for new ones.
    """
    start = next((at for at, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), min(len(before), len(after)))  # fmt: skip
    most = min(len(before), len(after)) - start
    backwards = zip(reversed(before), reversed(after), strict=False)
    same = next((at for at, (old, new) in enumerate(backwards) if old != new or at == most), most)
    end, last = len(before) - same, len(after) - same
    yield "equal", 0, start, 0, start
    for kind, first, second, third, fourth in _steps_within(before[start:end], after[start:last]):
        yield kind, first + start, second + start, third + start, fourth + start
    yield "equal", end, len(before), last, len(after)


def _steps_within(before: list[str], after: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    if len(before) * len(after) > _MOST_PAIRS:
        yield from SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        return
    # How many lines can be kept from here on: the longest common subsequence, from behind.
    kept = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for old in reversed(range(len(before))):
        for new in reversed(range(len(after))):
            is_kept = before[old] == after[new]
            kept[old][new] = kept[old + 1][new + 1] + 1 if is_kept else max(kept[old + 1][new], kept[old][new + 1])
    old = new = 0
    while old < len(before) or new < len(after):
        start, first = old, new
        if old < len(before) and new < len(after) and before[old] == after[new]:
            old, new = old + 1, new + 1
            yield "equal", start, old, first, new
            continue
        while (old < len(before) or new < len(after)) and not (old < len(before) and new < len(after) and before[old] == after[new]):  # fmt: skip
            if new == len(after) or (old < len(before) and kept[old + 1][new] >= kept[old][new + 1]):
                old += 1
            else:
                new += 1
        yield "replace", start, old, first, new
