"""What a script that reads a library line by line can take a definition apart into.

Libraries of this kind check their copies by such a script of their own. One definition that it cannot take apart ends its
whole run, so that no marker may stand above one. It sees a header and behind it parts: statements, and definitions one
level deeper, each with the lines directly above it. What it makes of a line is told by how the line begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum

_INDENT = " " * 4
_HEADER = re.compile(r"(?P<keyword>class|def) +\w+(?P<opening>[(:])")
_HEADER_END = re.compile(r" *\)( *->.*)?: *$")
_INNER = re.compile(rf"{_INDENT}(?:class|def) +[^ (:]+[(:]")


class Part(Enum):
    """A part of a definition: statements in a row, or a definition."""

    STATEMENTS = "statements"
    DEFINITION = "definition"


# What a class may consist of; definitions that follow each other count as one.
_OF_CLASSES = ([Part.STATEMENTS], [Part.DEFINITION], [Part.STATEMENTS, Part.DEFINITION])


def parts_of(lines: Sequence[str]) -> list[Part] | None:
    """The parts of a definition, or `None` where it cannot be taken apart.

    Args:
        lines: its lines from that of its header on, without their ends, its header at column 0.
    """
    header = _HEADER.match(lines[0])
    if header is None or len(lines) == 1:
        return None
    is_class = header["keyword"] == "class"
    behind = _behind_header(lines, header["opening"] == "(")
    if behind is None or any(not _belongs(line, _INDENT) for line in lines[1:]):
        return None
    found = list(_parts(lines, behind, is_class))
    return found if not is_class or found in _OF_CLASSES else None


def _behind_header(lines: Sequence[str], is_opened: bool) -> int | None:
    """Number of the line behind a header; the last where one with an annotation behind it is on a single line."""
    if not is_opened or "):" in lines[0]:
        return 1
    ends = (number for number, line in enumerate(lines) if _HEADER_END.match(line))
    if re.search(r"\) *->.*:\s*(?:#.*)?$", lines[0]):
        # The script looks further for the end of such a header, and takes what it passes for a part of it.
        return next(ends, len(lines) - 1) + 1
    end = next(ends, None)
    return None if end is None or not lines[end].startswith(")") else end + 1


def _parts(lines: Sequence[str], first: int, is_class: bool) -> Iterator[Part]:
    """The parts from a line on; in a class, definitions that follow each other are one."""
    statements = False
    at_definition = False
    number = first
    above: list[str] = []
    while number < len(lines):
        if not _INNER.match(lines[number]):
            above.append(lines[number])
            number += 1
            continue
        # Comments and decorators directly above a definition belong to it.
        while above and above[-1].strip() and above[-1].startswith(_INDENT):
            above.pop()
        statements = any(line.strip() for line in above)
        if statements:
            yield Part.STATEMENTS
        if statements or not at_definition or not is_class:
            yield Part.DEFINITION
        at_definition = True
        above = []
        number += 1
        while number < len(lines) and _belongs(lines[number], _INDENT * 2):
            number += 1
    if any(line.strip() for line in above):
        yield Part.STATEMENTS


def _belongs(line: str, indent: str) -> bool:
    """Whether a line is taken for one of a definition whose body has this indentation."""
    return line.startswith(indent) or not line.strip() or _HEADER_END.match(line) is not None
