"""Where each class and function of a text starts and ends, exactly, without a parser.

Extents are found by lexical rules alone, on logical lines, so that multi-line strings, brackets, continuation lines,
comments at any column and definitions below `if` or `try` are where Python sees them, and a text that does not parse
still has definitions up to the line that is broken. Nothing is imported, and `ast` is not needed.

A definition runs from its first decorator to its last line; comments behind that line belong to it as long as they are
indented deeper than its header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from add_model.lexical import column_of, logical_lines
from add_model.values import NamedTuple

SPACE = re.compile(r"[ \t\f]*")
_LINE_START = r"([ \t\f]*)(?:([#@\n])|(?:class|(?:async[ \t]+)?def)[ \t]+(\w+))?"


class Definition(NamedTuple):
    """A class or function in a module's text, by offsets that are starts of lines.

    Attributes:
        name: dotted name within the module.
        start: where its first decorator starts, or its header.
        header: where the line with `class` or `def` starts.
        end: where the line behind its last one starts.
        indent: the white space before its header.
    """

    name: str
    start: int
    header: int
    end: int
    indent: str


def indent_at(text: str, start: int = 0) -> str:
    """The white space that a line starts with."""
    return SPACE.match(text, start).group()  # type: ignore[union-attr]


def find_definitions(text: str) -> Iterator[Definition]:
    """Every class and function of the text, nested ones included, in the order of their ends."""
    open_definitions: list[tuple[int, Definition]] = []
    comments: list[tuple[int, int]] = []
    code_end, decorated = 0, None
    line_start = re.compile(_LINE_START)
    for start, end in logical_lines(text):
        indent, kind, name = line_start.match(text, start, end).groups()  # type: ignore[union-attr]
        if kind == "\n" or (kind is None and start + len(indent) >= end):
            continue
        column = column_of(indent)
        if kind == "#":
            comments.append((column, end))
            continue
        while open_definitions and open_definitions[-1][0] >= column:
            yield _closed(*open_definitions.pop(), code_end, comments)
        if name is not None:
            name = f"{open_definitions[-1][1].name}.{name}" if open_definitions else name
            definition = Definition(name, start if decorated is None else decorated, start, end, indent)
            open_definitions.append((column, definition))
        decorated = (start if decorated is None else decorated) if kind == "@" else None
        code_end = end
        comments.clear()
    while open_definitions:
        yield _closed(*open_definitions.pop(), code_end, comments)


def block_end(text: str, header: int) -> int:
    """Where the block ends whose header starts at this offset, which must be the start of a logical line."""
    column = column_of(indent_at(text, header))
    deeper = " " * (column + 1)
    code_end, behind_lower_comment = header, False
    for start, end in logical_lines(text, header):
        if text.startswith(deeper, start) and not behind_lower_comment:
            # Code or a comment that belongs to the block, unless the line is blank.
            if not text[start:end].isspace():
                code_end = end
            continue
        indent = indent_at(text, start)
        code = start + len(indent)
        if text.startswith("#", code):
            behind_lower_comment = behind_lower_comment or column_of(indent) <= column
            code_end = code_end if behind_lower_comment else end
        elif code < end and text[code] != "\n":
            if start > header and column_of(indent) <= column:
                break
            code_end, behind_lower_comment = end, False
    return code_end


def _closed(column: int, definition: Definition, code_end: int, comments: list[tuple[int, int]]) -> Definition:
    end = _end_with_comments(column, code_end, comments)
    return Definition(definition.name, definition.start, definition.header, end, definition.indent)


def _end_with_comments(column: int, code_end: int, comments: list[tuple[int, int]]) -> int:
    for comment_column, comment_end in comments:
        if comment_column <= column:
            break
        code_end = comment_end
    return code_end
