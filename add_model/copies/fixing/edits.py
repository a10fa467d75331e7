"""Lines of a file exchanged for others, in the encoding and with the line endings that it has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


@dataclass(frozen=True)
class Edit:
    """New lines for a part of a module's text, `[start, end)` by offsets that are starts of lines."""

    start: int
    end: int
    text: str


def apply_edits(content: bytes, encoding: str, edits: Sequence[Edit]) -> bytes:
    """The bytes of a file with some of its lines exchanged, and every other byte as it was.

    Args:
        content: the file's bytes.
        encoding: how they are decoded.
        edits: new lines, by offsets in the text with every line ending in a single line feed; they may not overlap.

    Raises:
        UnicodeEncodeError: the encoding has no such character.
    """
    lines = _LINE.findall(content.decode(encoding))
    starts: dict[int, int] = {}
    position = 0
    for number, line in enumerate(lines):
        starts.setdefault(position, number)
        position += len(line.rstrip("\r\n")) + (line[-1:] in "\r\n" and line != "")
    for edit in sorted(edits, key=lambda edit: -edit.start):
        first, last = starts[edit.start], starts.get(edit.end, len(lines))
        ending = lines[first][len(lines[first].rstrip("\r\n")) :] or "\n"
        text = edit.text.replace("\n", ending)
        if last and not lines[last - 1].endswith(("\r", "\n")):
            text = text.removesuffix(ending)
        lines[first:last] = [text]
    return "".join(lines).encode(encoding)
