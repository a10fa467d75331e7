"""An edit carried over to the text that it was made of, where a parser gives back less than it was given.

LibCST leaves out a form feed that stands before code on its line, and lines at the end that hold nothing but white space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

# A form feed ends none.
_LINE = re.compile(r"[^\n]*\n|[^\n]+\Z")


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
    for _, start, end, first, last in _steps(given_back, written):
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


def _steps(before: list[str], after: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    yield from SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
