"""The lexical rules of Python, as far as they decide where a statement ends: strings, brackets, comments, lines."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice

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

_EITHER = "\"\"\"|'''"
# Around a string that is a statement of its own.
_BEFORE_ALONE, _BEHIND_ALONE = r"[ \t\f]*[A-Za-z]{0,2}", r"[ \t\f]*(?:#|\n|\Z)"
_AHEAD = 10_000  # characters
# About what a parser takes for a token. It holds some hundred bytes of memory for each.
_TOKEN = r"\w+|[^\w\s]"
# What on its line before a mark leaves open whether that opens a string.
_ODD = re.compile("[#\"']")


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


def holds_more_tokens(text: str, most: int) -> bool:
    """Whether a text holds more than about so many of what a parser takes for tokens."""
    if len(text) <= most or sum(1 for _ in islice(re.finditer(_TOKEN, text), most + 1)) <= most:
        return False
    # In a closer look comments are none, and strings are one, but for what is written in braces in them.
    count = 0
    for found in re.finditer(rf"\#[^\n]*|(?P<string>{STRING})|{_TOKEN}", text, re.DOTALL):
        if found["string"]:
            count += 1 + 4 * found["string"].count("{")
        elif not found.group().startswith("#"):
            count += 1
        if count > most:
            return True
    return False


def column_of(indent: str) -> int:
    """The column that an indentation reaches; a form feed starts over, and a tab goes on to the next multiple of 8."""
    if "\t" not in indent and "\f" not in indent:
        return len(indent)
    return len(indent.rpartition("\f")[2].expandtabs(8))


def strings(text: str) -> Iterator[tuple[int, int]]:
    """The extent of every string that is no short one, its prefix left out."""
    return (lexeme.span("string") for lexeme in _lexemes().finditer(text) if lexeme.lastgroup == "string")


def multi_line_strings(text: str) -> Iterator[tuple[int, int, bool]]:
    """The extent of every string with a line break in it, its prefix left out; whether it is a statement of its own."""
    depth, line = 0, 0
    before, behind = re.compile(_BEFORE_ALONE), re.compile(_BEHIND_ALONE)
    for lexeme in _lexemes().finditer(text):
        kind, end = lexeme.lastgroup, lexeme.end()
        if kind == "newline" and depth == 0:
            line = end
        elif kind == "open":
            depth += 1
        elif kind == "close" and depth:
            depth -= 1
        elif kind == "string" and "\n" in lexeme["string"]:
            start = lexeme.start("string")
            alone = depth == 0 and before.fullmatch(text, line, start) and behind.match(text, end)
            yield start, end, bool(alone)


class TripleQuoted:
    """Where the strings in three quotes stand in a text, looked for as far as somebody asks.

    Three quotes open one if nothing before them on their line can make them a part of a comment or of another string,
    and close it if no backslash stands before them; nearly all do so on the face of it. What others are is told by a
    look at each lexeme from the last place on that is in no string for certain.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        # Where each of them starts, and where it ends, one behind the other.
        self._edges: list[int] = []
        self._looked = self._searched = 0
        self._has_single = False

    def around(self, offset: int) -> bool:
        """Whether the start of a line is in one of them."""
        if self._looked < offset:
            self._looked = self._look_on(self._looked, offset)
        at = bisect_left(self._edges, offset)
        return at % 2 == 1 and offset < self._edges[at]

    def _look_on(self, start: int, stop: int) -> int:
        """Finds them from one place outside of them all up to behind another; such a place again."""
        text, find = self._text, self._text.find
        self._search_up_to(stop)
        while start < stop:
            mark = self._next_mark(start) if self._has_single else find('"""', start, self._searched)
            if mark < 0:
                return self._searched
            line = text.rfind("\n", start, mark) + 1 or start
            before = text[line:mark]
            if (before and not before.isspace() and _ODD.search(before)) or text[line - 2 : line] == "\\\n":
                start = self._look_closely(mark, self._sure_start(line, start))
                continue
            end = find(text[mark : mark + 3], mark + 3)
            if end >= 0 and text[end - 1] == "\\":
                start = self._look_closely(mark, mark)
                continue
            start = end + 3 if end >= 0 else len(text)
            self._edges += (mark, start)
        return start

    def _search_up_to(self, stop: int) -> None:
        """Goes on to look for marks, somewhat further: who asks next does so of a line below, mostly."""
        if stop > self._searched:
            start, newline = self._searched, self._text.find("\n", stop + _AHEAD)
            # No string of one quote goes on behind the end of a line, unless a backslash carries it over.
            while newline > 0 and self._text[newline - 1] == "\\":
                newline = self._text.find("\n", newline + 1)
            self._searched = len(self._text) if newline < 0 else newline
            self._has_single = self._has_single or _holds_single(self._text, start, self._searched)

    def _next_mark(self, start: int) -> int:
        # A pattern for both kinds is slower, and the other kind is rare.
        found = re.compile(_EITHER).search(self._text, start, self._searched)
        return found.start() if found else -1

    def _sure_start(self, line: int, start: int) -> int:
        """The start of the first of the lines that backslashes join to this one, as they carry strings over."""
        while line > start and self._text.startswith("\\\n", max(0, line - 2)):
            line = self._text.rfind("\n", start, line - 1) + 1 or start
        return line

    def _look_closely(self, mark: int, start: int) -> int:
        lexeme = next(found for found in _lexemes().finditer(self._text, start) if found.end() > mark)
        if lexeme["string"] is not None and lexeme["string"].startswith(('"""', "'''")):
            self._edges += lexeme.span("string")
        return lexeme.end()


def _holds_single(text: str, start: int, stop: int) -> bool:
    """Whether three single quotes stand in a part of a text."""
    # One character is found far sooner than three, and most single quotes are apostrophes.
    position = text.find("'", start, stop)
    while position >= 0 and not text.startswith("'''", position):
        position = text.find("'", position + 1, stop)
    return position >= 0


def words(text: str) -> Iterator[str]:
    """Every word of a text that stands in no string and no comment."""
    for found in re.finditer(rf"\#[^\n]*|{STRING}|(?P<word>[^\W\d]\w*)", text, re.DOTALL):
        if found["word"]:
            yield found["word"]
