"""Every definition of a library with what groups it with its copies: its key, and what markers say of it already.

What a file comes to depends on its text alone. It is plain data, so that a second process can look for it, and so that it
can be kept: a later run reads only the files that have changed since.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import re
from collections.abc import Iterable, Iterator, Sequence

from add_model.copies.judging.check import HEAD
from add_model.copies.judging.pair import governed_header
from add_model.copies.language.marker import NEEDLE, Marker, find_comments
from add_model.copies.reading.files import CheckedFile
from add_model.copies.searching.fingerprint import keys_of
from add_model.definitions import Definition, find_definitions
from add_model.encoding import SourceError
from add_model.reading import read_bytes
from add_model.source import Module, decode_module
from add_model.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

    Record = Any

# What markers say of a definition: nothing; it is a copy; it is a part of one; a part of it is one.
FREE, MARKED, INSIDE, AROUND = range(4)
# What a modular file starts with, whose definitions are inherited rather than copied.
MODULAR = "modular_"
# How those who generate files say so at their top.
_GENERATED = re.compile(rb"(?i)auto(?:matically |-)?generated|do not edit")
_IMPORTED = re.compile(r"^from[ \t]+[\w.]*?(\w+)[ \t]+import\b", re.MULTILINE)
# So many files are sooner read by one process.
_FEW = 100


class Indexed(NamedTuple):
    """A definition.

    Attributes:
        name: dotted name within its module.
        key: what it shares with its copies.
        header: where its header starts in the text of its module.
        end: where the line behind its last one starts.
        lines: how many lines it has from its header on.
        state: what markers say of it.
        is_named: whether its name leads to it, and not to another definition of that name.
    """

    name: str
    key: int
    header: int
    end: int
    lines: int
    state: int
    is_named: bool


class IndexedFile(NamedTuple):
    """A file.

    Attributes:
        definitions: those in it, in the order of their headers.
        named: what its markers name, with the names of the definitions above which they stand.
        is_written_by_hand: whether nothing else decides what stands in it, be it that it is generated or generates.
        builds_on: the names of the modules that a modular file imports from.
        problem: why it cannot be read; empty where it can.
        line: the line on which that shows.
    """

    definitions: tuple[Indexed, ...] = ()
    named: tuple[tuple[str, str], ...] = ()
    is_written_by_hand: bool = True
    builds_on: tuple[str, ...] = ()
    problem: str = ""
    line: int = 1


def indexed(files: Sequence[CheckedFile]) -> dict[str, IndexedFile]:
    """What each of these files comes to, by its path on disk; in two processes where that is sooner."""
    half = files[1::2]
    if len(files) < _FEW or not hasattr(os, "fork"):
        return dict(_indexed(files))
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(receiver)
            answer = marshal.dumps([(path, to_record(found)) for path, found in _indexed(half)])
            with open(sender, "wb") as pipe:
                pipe.write(answer)
            status = 0
        finally:
            os._exit(status)
    os.close(sender)
    with open(receiver, "rb") as pipe:
        found = dict(_indexed(files[::2]))
        answer = pipe.read()
    os.waitpid(child, 0)
    with contextlib.suppress(EOFError, ValueError, TypeError):
        found |= {path: from_record(record) for path, record in marshal.loads(answer)}
    return found | dict(_indexed([file for file in files if file[1] not in found]))


def _indexed(files: Iterable[CheckedFile]) -> Iterator[tuple[str, IndexedFile]]:
    for _, path in files:
        try:
            content = read_bytes(path)
            yield path, index_of(decode_module(path, content), content)
        except SourceError as error:
            place = f" (line {error.line}, column {error.column})" if error.line else ""
            yield path, IndexedFile(problem=f"{error.problem}{place}", line=max(1, error.line))
        except OSError as error:
            yield path, IndexedFile(problem=f"cannot be read: {error.strerror or error}")


def to_record(file: IndexedFile) -> Record:
    """A file as plain data."""
    return tuple(map(tuple, file.definitions)), *file[1:]


def from_record(record: Record) -> IndexedFile:
    """The file that was made plain data."""
    definitions, *others = record
    return IndexedFile(tuple(map(Indexed._make, definitions)), *others)


def index_of(module: Module, content: bytes) -> IndexedFile:
    """What a module comes to, of which these are the bytes."""
    text = module.text
    definitions = sorted(find_definitions(text), key=lambda definition: definition.header)
    governed: dict[int, str] = {}
    lines: list[int] = []
    for start, comment in find_comments(text) if NEEDLE in content else ():
        if isinstance(comment, Marker) and module.is_code(start):
            lines.append(start)
            header = governed_header(module, comment, start)
            if header is not None:
                governed.setdefault(header, comment.source)
    keys = keys_of(_without_lines(text, lines), definitions)
    first: dict[str, int] = {}
    for definition in definitions:
        first.setdefault(definition.name, definition.header)
    states = _states(definitions, governed)
    names = {definition.header: definition.name for definition in definitions}
    name = os.path.basename(module.place)
    return IndexedFile(
        tuple(
            Indexed(
                definition.name,
                key,
                definition.header,
                definition.end,
                text.count("\n", definition.header, definition.end),
                state,
                first[definition.name] == definition.header,
            )
            for definition, key, state in zip(definitions, keys, states, strict=True)
        ),
        tuple((names.get(header, ""), source) for header, source in governed.items()),
        _GENERATED.search(content, 0, HEAD) is None and not name.startswith(MODULAR),
        tuple(dict.fromkeys(_IMPORTED.findall(text))) if name.startswith(MODULAR) else (),
    )


def _without_lines(text: str, starts: Iterable[int]) -> str:
    """The text with blanks in place of these lines, so that everything else stays where it is."""
    parts: list[str] = []
    at = 0
    for start in starts:
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        parts += [text[at:start], " " * (end - start)]
        at = end
    return "".join([*parts, text[at:]]) if parts else text


def _states(definitions: Sequence[Definition], governed: dict[int, str]) -> list[int]:
    """What the markers of a module say of each definition, in the order of their headers."""
    states: list[int] = []
    around: list[tuple[int, int, int]] = []
    for number, definition in enumerate(definitions):
        while around and around[-1][0] <= definition.header:
            around.pop()
        state = MARKED if definition.header in governed else FREE
        if around and around[-1][1] in (MARKED, INSIDE):
            state = INSIDE
        elif state == MARKED:
            for _, _, outer in around:
                states[outer] = AROUND
        states.append(state)
        around.append((definition.end, state, number))
    return states
