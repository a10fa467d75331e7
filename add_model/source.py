"""A Python module as text with definitions in it, each found without the others where a glance at the text suffices.

Of several definitions of one name the first counts that is no `@overload`, so that a property is its getter, and
`if`/`else` variants are the one a reader meets first. What a definition's extent is, `definitions` says; a glance
answers the same, or does not answer.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from add_model.definitions import SPACE, Definition, block_end, find_definitions, indent_at
from add_model.encoding import SourceError, decode
from add_model.glance import (
    decorated_start,
    dedent_pattern,
    first_dedent,
    first_header,
    line_end,
    lines_pattern,
    looks_closed,
    may_hold,
    without_lower_comments,
)
from add_model.lexical import TripleQuoted, logical_lines, strings
from add_model.reading import read_bytes
from add_model.values import NamedTuple

_DEFINED = re.compile(r"(?:class|(?:async[ \t]+)?def)[ \t]+(\w+)")
_OVERLOAD = re.compile(r"^[ \t]*@(?:\w+\.)*overload[ \t]*$", re.MULTILINE)
_COMMENT_LINES = re.compile(r"(?:[ \t\f]*(?:#[^\n]*)?\n)*")
_COMPOUND = r"(?:if|try|with|for|while|match|async[ ]+(?:with|for))\b"
# A line that is the start of a statement on the face of it, and no continuation of an open bracket.
_PLAIN_STATEMENT = re.compile(r"[ \t]*(?:@|if |try:|from |import |[A-Za-z_][\w.]* = )")
# One that is no part of an expression, so that no bracket can be open before it.
_KEYWORD = re.compile(r"[ \t]*(?:class|def|async def) ")
# In texts of the module's length.
_MOST_SEARCHES = 100
_DECORATOR, _NEXT_HEADER = re.compile(r"[ \t]*@"), re.compile(r"\n[ \t]*(?:class|def|async def) ")


class _Block(NamedTuple):
    """Where a header starts, the white space before it, and where the first line starts that is not indented deeper."""

    header: int
    indent: str
    stop: int


class Module:
    """A module's text, with every line ending in a single line feed; not to be changed.

    Attributes:
        place: the path of the file.
        text: its text, without a byte order mark.
        encoding: how its bytes are decoded; `utf-8-sig` where a byte order mark leads.
    """

    def __init__(self, path: str | Path, text: str, encoding: str = "utf-8") -> None:
        self.place, self.text, self.encoding = str(path), text, encoding
        self._quick: dict[str, _Block | None] = {}
        self._quoted = TripleQuoted(text)
        # What was asked last: the number of a line, and lines of comments. Many markers may stand above one definition.
        self._numbered, self._comments = (0, 1), (0, 0)
        # And the offset behind which no class was looked for yet, with the start of the last one before it.
        self._class_above = 0, 0
        # How many characters were searched for single definitions. From some number on one look at all of them is less.
        self._searched = 0

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.place)

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """Every definition by its dotted name."""
        found: dict[str, Definition] = {}
        for definition in find_definitions(self.text):
            known = found.get(definition.name)
            if known is None or _is_overload(self.text, known):
                found[definition.name] = definition
        return found

    @property
    def _is_glanced_at(self) -> bool:
        """Whether a single definition is found sooner by itself than in a look at all of them."""
        return "definitions" not in self.__dict__ and self._searched <= _MOST_SEARCHES * len(self.text)

    def find(self, name: str) -> Definition | None:
        """The definition of that dotted name, computed without the module's other definitions where that is safe."""
        if self._is_glanced_at:
            quick = self._find_quickly(name)
            if quick is not None or not self._may_be_defined(name):
                return quick
        return self.definitions.get(name)

    def find_all_behind(self, offset: int, last_part: str) -> Iterator[Definition]:
        """The definitions behind an offset whose dotted names end with this part, in order."""
        text, stop = self.text, len(self.text)
        self._searched += stop - offset
        if not self._is_glanced_at or f"\t{last_part}" in text:
            named = self._by_last_part.get(last_part, [])
            yield from named[bisect_left(named, offset, key=lambda each: each.header) :]
            return
        header = first_header(text, last_part, offset, stop)
        while header >= 0:
            name = self.name_at(header) if self.is_code(header) else ""
            definition = self.find(name) if name else None
            if definition is not None and definition.header == header:
                yield definition
            header = first_header(text, last_part, line_end(text, header), stop)

    @cached_property
    def _by_last_part(self) -> dict[str, list[Definition]]:
        """The definitions by what their dotted names end with, in order."""
        found: dict[str, list[Definition]] = {}
        for definition in sorted(self.definitions.values(), key=lambda each: each.header):
            found.setdefault(definition.name.rpartition(".")[2], []).append(definition)
        return found

    def name_at(self, header: int) -> str:
        """The dotted name of the definition whose header starts there, `find` leading there or not; empty for none."""
        # Told from the class above where that is enough.
        own = _DEFINED.match(self.text, SPACE.match(self.text, header).end())  # type: ignore[union-attr]
        around = _DEFINED.match(self.text, self._start_of_class_above(header))
        if own is not None:
            likely = f"{around[1]}.{own[1]}" if around is not None and self.text[header].isspace() else own[1]
            if self.header_of(likely) == header:
                return likely
        return self._names.get(header, "")

    def _start_of_class_above(self, offset: int) -> int:
        """Where the last line before an offset starts that looks like a class at the left; 0 where none does."""
        known, start = self._class_above
        if offset < known:
            known, start = 0, 0
        found = self.text.rfind("\nclass ", max(0, known - len("\nclass ")), offset) + 1
        self._class_above = offset, found or start
        return found or start

    @cached_property
    def _names(self) -> dict[int, str]:
        """The dotted name of every definition, by where its header starts."""
        return {definition.header: definition.name for definition in find_definitions(self.text)}

    def members(self) -> list[Definition]:
        """The methods and classes of the class that the text starts with, in order."""
        own = _DEFINED.match(self.text, SPACE.match(self.text).end())  # type: ignore[union-attr]
        if own is None:
            return []
        found = self._members_at_a_glance(own[1])
        if found is not None:
            return found
        every = find_definitions(self.text)
        members = (definition for definition in every if definition.name.rpartition(".")[0] == own[1])
        return sorted(members, key=lambda definition: definition.start)

    def _members_at_a_glance(self, class_name: str) -> list[Definition] | None:
        text, found = self.text, []
        body, indent = self._body(0)
        if not indent or "\t" in indent or "\f" in indent:
            return None
        compound = re.compile(_COMPOUND)
        for line in lines_pattern(indent).finditer(text, body - 1):
            start, statement = line.start() + 1, line.end()
            defined = _DEFINED.match(text, statement)
            if (defined is None and not compound.match(text, statement)) or not self.is_code(start):
                continue
            # What is defined below an `if` is the class's, too, and takes a look at every line.
            first = None if defined is None else decorated_start(text, start, indent)
            if defined is None or first is None:
                return None
            found.append(Definition(f"{class_name}.{defined[1]}", first, start, self.block_end(start), indent))
        return found

    def _body(self, header: int) -> tuple[int, str]:
        """Where the line behind a header starts, and the indentation of the first line of code from there on."""
        _, body = next(logical_lines(self.text, header))
        return body, indent_at(self.text, self.behind_comments(body))

    def header_of(self, name: str) -> int | None:
        """Where the header of the definition of that dotted name starts."""
        block = self._block(name) if self._is_glanced_at else None
        if block is not None and decorated_start(self.text, block.header, block.indent) == block.header:
            return block.header
        definition = self.find(name)
        return None if definition is None else definition.header

    def is_code(self, offset: int) -> bool:
        """Whether the line that starts at this offset is code or a comment, and no part of a multi-line string."""
        # A backslash carries a string of one quote over into the next line.
        if self.text.startswith("\\\n", max(0, offset - 2)):
            return not any(first < offset < last for first, last in self._strings)
        return not self._quoted.around(offset)

    def block_end(self, header: int, dedent: int | None = None) -> int:
        """Where the block ends whose header starts at this offset, which must be the start of a logical line.

        Args:
            header: where the header starts.
            dedent: where the first line behind it starts that is not indented deeper, if the caller knows.
        """
        text = self.text
        indent = indent_at(text, header)
        if "\t" not in indent and "\f" not in indent:
            stop = first_dedent(text, header, len(indent)) if dedent is None else dedent
            if self._is_closed(header, stop):
                end = without_lower_comments(text, header, stop, len(indent))
                if end is not None:
                    return end
        return block_end(text, header)

    @cached_property
    def _strings(self) -> list[tuple[int, int]]:
        return list(strings(self.text))

    def _is_closed(self, header: int, stop: int) -> bool:
        """Whether the line at `stop` starts a statement, on the face of it, behind the block of a header."""
        if not self.is_code(stop):
            return False
        if _KEYWORD.match(self.text, stop):
            return True
        if _DECORATOR.match(self.text, stop):
            # What it decorates is not far, as a rule; a bracket that is open before it is closed before that.
            decorated = _NEXT_HEADER.search(self.text, stop)
            if decorated and self.is_code(decorated.start() + 1) and looks_closed(self.text, stop, decorated.start()):
                return True
        plain = stop == len(self.text) or _PLAIN_STATEMENT.match(self.text, stop) is not None
        return plain and looks_closed(self.text, header, stop)

    def behind_comments(self, offset: int) -> int:
        """Where the first line starts, from the line at this offset on, that holds more than a comment."""
        first, behind = self._comments
        if not first <= offset < behind:
            behind = _COMMENT_LINES.match(self.text, offset).end()  # type: ignore[union-attr]
            self._comments = offset, behind
        return behind

    def line_of(self, offset: int) -> int:
        """The 1-based number of the line that holds an offset."""
        # Counted from the line asked for last, as a report goes down the file.
        known, number = self._numbered
        number += self.text.count("\n", known, offset) if known <= offset else -self.text.count("\n", offset, known)
        self._numbered = offset, number
        return number

    def _find_quickly(self, name: str) -> Definition | None:
        block = self._block(name)
        if block is None:
            return None
        header, indent, stop = block
        start = decorated_start(self.text, header, indent)
        if start is None:
            return None
        definition = Definition(name, start, header, self.block_end(header, stop), indent)
        return None if _is_overload(self.text, definition) else definition

    def _block(self, name: str) -> _Block | None:
        """The block of the first definition of that name; `None` where that takes a closer look to tell."""
        if name not in self._quick:
            self._quick[name] = self._look_for(name)
        return self._quick[name]

    def _may_be_defined(self, name: str) -> bool:
        """Whether some line looks like a header of each part of the name, where such a line would have to stand."""
        text = self.text
        self._searched += len(text)
        if not all(may_hold(text, part, 0, len(text)) for part in name.split(".")):
            return False
        around, _, own = name.rpartition(".")
        block = self._block(around) if around else None
        if block is None or may_hold(text, around.rpartition(".")[2], block.stop, len(text)):
            return True
        return may_hold(text, own, block.header, self.block_end(block.header, block.stop))

    def _look_for(self, name: str) -> _Block | None:
        text = self.text
        start, stop, body = 0, len(text), ""
        around, _, name = name.rpartition(".")
        if around:
            block = self._block(around)
            if block is None:
                return None
            start, body = self._body(block.header)
            stop = block.stop
        header = first_header(text, name, start, stop)
        self._searched += (stop if header < 0 else header) - start
        if header < 0 or not self.is_code(header):
            return None
        indent = indent_at(text, header)
        if indent != body or "\t" in indent or "\f" in indent:
            return None
        # Up to the first line that is not indented deeper the block goes in any case; if further, as a string or a
        # bracket has lines that stand lower, another definition of the name there is not the first.
        newline = text.find("\n", header, stop)
        dedent = dedent_pattern(len(indent)).search(text, newline, stop) if newline >= 0 else None
        return _Block(header, indent, dedent.start() + 1 if dedent else stop)


def read_module(path: Path) -> Module:
    """Reads a module's text.

    Raises:
        SourceError: the file cannot be read, or its bytes are not in the encoding that it declares.
    """
    try:
        content = read_bytes(path)
    except OSError as error:
        raise SourceError(path, f"cannot be read: {error.strerror or error}") from error
    return decode_module(path, content)


def decode_module(path: str | Path, content: bytes) -> Module:
    """The module that these bytes of a file are.

    Raises:
        SourceError: the bytes are not in the encoding that they declare.
    """
    text, encoding = decode(path, content)
    return Module(path, text, encoding)


def _is_overload(text: str, definition: Definition) -> bool:
    return definition.start < definition.header and bool(_OVERLOAD.search(text[definition.start : definition.header]))
