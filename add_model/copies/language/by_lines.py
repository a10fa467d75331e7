"""What the libraries' own scripts, which go by lines, can take apart of a copy: where they cannot, they end with an error.

They want the header directly below the marker, as `class Name(`, `class Name:` or `def name(`, and its end in sight: on
its first line, or on one that holds nothing but `)`, a return annotation and `:`. That of Transformers takes a class for
attributes and methods behind them, and nothing else.

What such a script can take apart says `parts`. Here a block is looked at as quickly as every marker of a tree allows: what
looks unusual is held to that rule, and only what it refuses is reported.
"""

from __future__ import annotations

import functools
import re

from add_model.copies.language.marker import without_markers
from add_model.definitions import indent_at
from add_model.lexical import logical_lines
from add_model.source import Module
from add_model.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

# The libraries with such a script; and those in which it takes classes apart as well.
_BY_LINES, _BY_MEMBERS = frozenset({"transformers", "diffusers"}), frozenset({"transformers"})
_HEADER = re.compile(r"[ \t]*(?:class \w+[(:]|def \w+\()")
_LAST_LINE = re.compile(r"[ \t]*\)(?:[ \t]*->.*)?:[ \t]*$")
_SHOWN = 60
_MOVE = "move the marker directly above it"


class Unreadable(NamedTuple):
    """Why such a script cannot read a marker, as a message; and whether it can once the marker stands directly above the header."""

    why: str
    is_misplaced: bool = False


def reads_by_lines(packages: Collection[str]) -> bool:
    """Whether one of these packages has such a script."""
    return not _BY_LINES.isdisjoint(packages)


def unreadable(module: Module, marker: int, header: int, end: int, packages: Collection[str]) -> Unreadable | None:
    """What keeps the library's own script from reading a marker; `None` where nothing does.

    Args:
        module: where the marker stands.
        marker: where its line starts.
        header: where the header starts of what it governs.
        end: where the line behind the last one of that starts.
        packages: those of the library.
    """
    why = _of_block(module.text, header, end, not _BY_MEMBERS.isdisjoint(packages))
    if why is not None and _is_taken_apart(module.text[header:end]):
        why = None
    between = module.text[module.text.find("\n", marker) + 1 : header]
    if not between:
        return None if why is None else Unreadable(why)
    if why is None and without_markers(between) == between:
        kind = "a decorator stands" if "@" in between else "something stands"
        return Unreadable(f"{kind} between it and the header; {_MOVE}", is_misplaced=True)
    return Unreadable(why or "another marker stands between it and the header; only one can stand directly above it")


def _is_taken_apart(block: str) -> bool:
    """Whether the rule knows the parts of a definition."""
    from add_model.copies.language.parts import parts_of

    indent = indent_at(block)
    return parts_of([line.removeprefix(indent) for line in block.rstrip("\n").split("\n")]) is not None


def _of_block(text: str, header: int, end: int, by_members: bool) -> str | None:
    """What such a script cannot take apart of a definition."""
    newline = text.find("\n", header, end)
    stop = end if newline < 0 else newline
    line = text[header:stop]
    if _HEADER.match(line) is None:
        return "its header is not written `class Name(`, `class Name:` or `def name(`"
    if line.endswith("(") and (closed := _closing_line(indent_at(line)).match(text, stop, end)) is not None:
        stop = closed.end() - 1
    elif not (line.endswith(":") and line.count("(") == line.count(")")):
        from add_model.copies.language.equality import body_start

        _, behind = next(logical_lines(text, header))
        block = text[header:behind]
        if body_start(block) < len(block):
            return "its body stands on the line of its header; give it lines of its own"
        lines = block.rstrip("\n").split("\n")
        if len(lines) > 1 and _LAST_LINE.match(lines[-1]) is None:
            return "the line that its header ends on holds more than `)`, a return annotation and `:`"
        stop = behind - 1
    return _behind_methods(text, header, stop, end) if by_members and "class" in line else None


def _behind_methods(text: str, header: int, body: int, end: int) -> str | None:
    """What stands between or behind the methods of a class."""
    first = _first_line().search(text, body, end)
    method = _method(first["indent"]).search(text, body, end) if first is not None else None
    if first is None or method is None:
        return None
    starts: set[int] = set()
    for stray in _stray(first["indent"]).finditer(text, method.end(), end):
        # On the face of it; what is a line of a string, or of an open bracket, is none.
        starts = starts or {start for start, _ in logical_lines(text[:end], header)}
        if stray.start() + 1 in starts:
            line = text[stray.start() + 1 : text.find("\n", stray.end())].strip()
            return f"`{line[:_SHOWN]}` stands behind a method of the class"
    return None


@functools.lru_cache(maxsize=64)
def _closing_line(indent: str) -> re.Pattern[str]:
    """The rest of a header that is laid out as a formatter does, from the end of its first line on."""
    return re.compile(rf"(?:\n{indent}[ \t][^\n]*|\n)+\n{indent}\)(?:[ \t]*->[^\n]*)?:[ \t]*\n")


@functools.cache
def _first_line() -> re.Pattern[str]:
    return re.compile(r"\n(?P<indent>[ \t]+)[^\s#]")


@functools.lru_cache(maxsize=64)
def _method(indent: str) -> re.Pattern[str]:
    return re.compile(rf"\n{indent}(?:async )?def ")


@functools.lru_cache(maxsize=64)
def _stray(indent: str) -> re.Pattern[str]:
    """A line at that indentation that is neither a method's first one nor one of those around it."""
    return re.compile(rf"\n{indent}(?!(?:async )?def |[@#)\]}}}}\s])")
