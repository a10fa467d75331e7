"""The lexical rules of Python, as far as they decide where a statement ends: strings, brackets, comments, lines."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left
from collections.abc import Iterator

# Prefixes are left out on purpose: a backslash keeps a quote from closing the string even in a raw one. A string that
# is never closed runs to the end of its line, or of the text.
STRING = (
    r'"""(?:[^"\\]+|\\.|"(?!""))*(?:"""|\\?\Z)'
    r"|'''(?:[^'\\]+|\\.|'(?!''))*(?:'''|\\?\Z)"
    r'|"(?:[^"\\\n]+|\\.)*(?:"|(?=\n)|\\?\Z)'
    r"|'(?:[^'\\\n]+|\\.)*(?:'|(?=\n)|\\?\Z)"
)
# A lexeme is led by whatever decides nothing, short strings and brackets that close at once included, so that few
# matches cover a text; and something matches everywhere, so that no text is looked at twice.
_PLAIN = r"[^\n\"'#()\[\]{}\\]*"
_CLOSED = rf""""[^"\\\n]+"|'[^'\\\n]+'|\({_PLAIN}\)|\[{_PLAIN}\]"""
_LEXEME = (
    rf"{_PLAIN}(?:(?:{_CLOSED}){_PLAIN})*"
    rf"(?:(?P<newline>\n)|(?P<string>{STRING})|(?P<comment>\#[^\n]*)|(?P<open>[([{{])|(?P<close>[)\]}}])|(?P<join>\\\n?)|\Z)"
)

_DOUBLE, _SINGLE = re.compile('"""'), re.compile("'''")
_AHEAD = 10_000  # characters


@functools.cache
def _lexemes() -> re.Pattern[str]:
    # Compiled where it is needed first: most runs do without.
    return re.compile(_LEXEME, re.DOTALL)


def logical_lines(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """The extents of the logical lines from `start` on, which must be the start of one; blank and comment lines too."""
    depth, line = 0, start
    for lexeme in _lexemes().finditer(text, start):
        kind = lexeme.lastgroup
        if kind == "newline":
            if depth == 0:
                end = lexeme.end()
                yield line, end
                line = end
        elif kind == "open":
            depth += 1
        elif kind == "close" and depth:
            depth -= 1
    if line < len(text):
        yield line, len(text)


def comments(text: str) -> Iterator[str]:
    """Every comment, from its `#` to the end of its line."""
    return (lexeme["comment"] for lexeme in _lexemes().finditer(text) if lexeme.lastgroup == "comment")


def column_of(indent: str) -> int:
    """The column that an indentation reaches; a form feed starts over, and a tab goes on to the next multiple of 8."""
    if "\t" not in indent and "\f" not in indent:
        return len(indent)
    return len(indent.rpartition("\f")[2].expandtabs(8))


def strings(text: str) -> Iterator[tuple[int, int]]:
    """The extent of every string that is no short one, its prefix left out."""
    return (lexeme.span("string") for lexeme in _lexemes().finditer(text) if lexeme.lastgroup == "string")


class TripleQuotes:
    """Where three double quotes stand in a text, and where three single ones, looked for as far as somebody asks."""

    def __init__(self, text: str) -> None:
        self._text, self._stop = text, 0
        self._double: list[int] = []
        self._single: list[int] = []

    def pair_up(self, offset: int) -> bool:
        """Whether all that stand before the start of a line have a partner there."""
        if offset > self._stop:
            self._look_on(offset)
        return bisect_left(self._double, offset) % 2 == 0 and bisect_left(self._single, offset) % 2 == 0

    def _look_on(self, offset: int) -> None:
        # No quotes go on behind the end of a line. The next who asks does so of a line below more often than not.
        start, self._stop = self._stop, self._text.find("\n", offset + _AHEAD)
        if self._stop < 0:
            self._stop = len(self._text)
        # Of marks that are one character three times a pattern rules out a place sooner than `str.find` does.
        self._double += [match.start() for match in _DOUBLE.finditer(self._text, start, self._stop)]
        self._single += [match.start() for match in _SINGLE.finditer(self._text, start, self._stop)]
