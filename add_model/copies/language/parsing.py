"""A text as a syntax tree, also where it says something in a way that only a newer Python reads, and an older one has too.

Since Python 3.14 `except A, B:` is `except (A, B):`, and a formatter that is told so writes the first for the second. What
`except*` says, an older one than Python 3.11 has no words for; it is read as something that nobody else says there.
"""

from __future__ import annotations

import re
import sys
import warnings

from add_model.lexical import STRING, logical_lines
from add_model.values import TYPE_CHECKING

# Parsing is the last resort, so that what it takes is loaded where it is needed.
if TYPE_CHECKING:
    import ast
    from collections.abc import Callable
    from typing import TypeVar

    _Read = TypeVar("_Read")

_EXCEPT = re.compile(r"[ \t\f]*except\b[ \t]*\*?")
_GROUP = re.compile(r"([ \t\f]*)except[ \t]*\*")
_MARK = re.compile(rf"(?P<string>{STRING})|(?P<comment>\#[^\n]*)|\bas\b|[()\[\]{{}},:]", re.DOTALL)


def parse(text: str) -> ast.Module:
    """The syntax tree of a text; columns on the line of an `except` may be off.

    Raises:
        SyntaxError: it is no Python that this one reads.
        ValueError: it holds what no Python text does.
        RecursionError, MemoryError: it is nested too deeply.
    """
    from add_model.syntax_tree import syntax_tree

    return _read(text, syntax_tree)


def refuse_unreadable(text: str) -> None:
    """Reads a text as `parse` does, and hands nothing out.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as `parse` does.
    """
    from add_model.syntax_tree import refuse_broken

    _read(text, refuse_broken)


def _read(text: str, reader: Callable[[str], _Read]) -> _Read:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return reader(text)
        except SyntaxError:
            readable = with_brackets(text)
            if sys.version_info < (3, 11):
                readable = _without_groups(readable)
            if readable == text:
                raise
            return reader(readable)


def with_brackets(text: str) -> str:
    """The text with brackets around several exceptions of one `except`, where it has none."""
    if "except" not in text:
        return text
    kept: list[str] = []
    at = 0
    for start, end in logical_lines(text):
        extent = _bare_tuple(text, start, end) if _EXCEPT.match(text, start) else None
        if extent is not None:
            first, last = extent
            kept += text[at:first], "(", text[first:last], ")"
            at = last
    return "".join([*kept, text[at:]]) if at else text


def _without_groups(text: str) -> str:
    """The text with `except not A:` for `except* A:`: catching what is no class is an error that no program makes."""
    if "except" not in text:
        return text
    lines = (text[start:end] for start, end in logical_lines(text))
    return "".join(_GROUP.sub(r"\1except not ", line, count=1) if _GROUP.match(line) else line for line in lines)


def _bare_tuple(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the exceptions of an `except` line stand, if commas stand between them and no brackets around them."""
    first, depth, has_comma = _EXCEPT.match(text, start).end(), 0, False  # type: ignore[union-attr]
    for mark in _MARK.finditer(text, first, end):
        kind = mark.group()
        if mark.lastgroup is not None:
            continue
        if kind in "([{":
            depth += 1
        elif kind in ")]}":
            depth -= 1
        elif depth == 0 and kind == "as":
            return None
        elif depth == 0 and kind == ",":
            has_comma = True
        elif depth == 0 and kind == ":":
            inside = text[first : mark.start()]
            shift = len(inside) - len(inside.lstrip())
            return (first + shift, first + len(inside.rstrip())) if has_comma else None
    return None
