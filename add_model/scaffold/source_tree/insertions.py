"""Text put into a file between bytes that stay: beside an entry of a table, on a line of its own or within one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from add_model.scaffold.source_tree.tables import Entry, Table

_LINE_END = re.compile(rb"[ \t]*(?:#[^\r\n]*)?(\r\n|\r|\n)")
_NEWLINE = re.compile(rb"\r\n|\r|\n")
_COMMA = re.compile(rb"(?:[ \t\f\r\n]|#[^\r\n]*)*,")
_INDENT = b"    "


@dataclass(frozen=True)
class Insertion:
    """Bytes to put at an offset of a file as it is, in place of so many that stand there: mostly of none."""

    offset: int
    content: bytes
    length: int = 0


def inserted(before: bytes, insertions: Iterable[Insertion]) -> bytes:
    """The file with every insertion; of those at one offset the first stands first."""
    parts, start = [], 0
    for insertion in sorted(insertions, key=lambda insertion: insertion.offset):
        parts += [before[start : insertion.offset], insertion.content]
        start = insertion.offset + insertion.length
    return b"".join([*parts, before[start:]])


def entry_insertion(
    content: bytes, table: Table, key: str, beside: Entry | None, entry: Callable[[bytes], bytes]
) -> Insertion:
    """Where a new entry of a table goes, and how it reads there.

    In a table whose entries are sorted it goes where its key belongs, as the scripts of the library that keep them
    sorted would have it; in any other directly behind the entry that it resembles.

    Args:
        content: the file's bytes.
        table: a table of that file.
        key: the new entry's key.
        beside: the entry that it resembles; without one it goes to the end.
        entry: the new entry's text, without a comma, given the indentation of its line.
    """
    previous = beside if beside is not None or not table.entries else table.entries[-1]
    place = table.place_of(key)
    if place is not None:
        previous = table.entries[place - 1] if place else None
    if previous is None:
        return _at_the_start(content, table, entry)
    return _behind(content, previous, entry)


def line_insertion(content: bytes, behind: int, line: bytes) -> Insertion:
    """A line, given without its end, that goes below the line that holds the offset."""
    newline = newline_of(content)
    end = content.find(b"\n", behind)
    if end < 0:
        return Insertion(len(content), newline + line)
    return Insertion(end + 1, line + newline)


def line_starts(content: bytes) -> list[int]:
    """The offset at which each line starts, and that behind the last; a line end at the very end starts none."""
    starts = [0, *(match.end() for match in _NEWLINE.finditer(content))]
    return starts if starts[-1] == len(content) else [*starts, len(content)]


def newline_of(content: bytes) -> bytes:
    """How the lines of a file end."""
    return b"\r\n" if b"\r\n" in content else b"\n"


def _behind(content: bytes, previous: Entry, entry: Callable[[bytes], bytes]) -> Insertion:
    start = _line_start(content, previous.start)
    indent = content[start : previous.start]
    comma = _COMMA.match(content, previous.end)
    if indent.strip():
        return Insertion(previous.end, b", " + entry(b""))
    line_end = _LINE_END.match(content, comma.end()) if comma else None
    if line_end:
        return Insertion(line_end.end(), indent + entry(indent) + b"," + line_end[1])
    return Insertion(previous.end, b"," + newline_of(content) + indent + entry(indent))


def _at_the_start(content: bytes, table: Table, entry: Callable[[bytes], bytes]) -> Insertion:
    line_end = _LINE_END.match(content, table.opening)
    if not line_end:
        return Insertion(table.opening, entry(b"") + (b", " if table.entries else b""))
    if table.entries:
        # Below the comments that head the table.
        start = _line_start(content, table.entries[0].start)
        indent = content[start : table.entries[0].start]
        return Insertion(start, indent + entry(indent) + b"," + line_end[1])
    line = content[_line_start(content, table.opening) : table.opening]
    indent = line[: len(line) - len(line.lstrip())] + _INDENT
    return Insertion(line_end.end(), indent + entry(indent) + b"," + line_end[1])


def _line_start(content: bytes, offset: int) -> int:
    return max(content.rfind(b"\n", 0, offset), content.rfind(b"\r", 0, offset)) + 1
