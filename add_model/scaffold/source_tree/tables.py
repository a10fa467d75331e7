"""The tables of a module, such as `CONFIG_MAPPING_NAMES = OrderedDict([("bert", "BertConfig"), ...])`, by extents in its bytes.

A table is a literal that holds entries: pairs in a list, a dict, or a list, tuple or set of strings. It is found where a
module says it, at its top level or below `if`, `try` or a class there; functions are never looked into. Nothing is
evaluated. Every extent is an offset into the file's own bytes, so that an entry can be added without touching the rest.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from add_model.errors import AddModelError
from add_model.syntax_tree import syntax_tree

_NEWLINE = re.compile(rb"\r\n|\r|\n")
_SPACE = re.compile(rb"(?:[ \t\f\r\n\\]|#[^\r\n]*)*")
_COMMENT = re.compile(rb"#[^\r\n]*")
# What makes a mapping, or a collection, of the literals that it is given.
_CONTAINERS = ("OrderedDict", "defaultdict", "dict", "set", "frozenset", "list", "tuple")
_SUPPLEMENT = "MISSING_"
# Of so many entries, sorted but for some, an order can be told: by chance half of all neighbours stand in it.
_FEW, _MOSTLY = 10, 0.8


@dataclass(frozen=True)
class Text:
    """A string within an entry: what it says, and the bytes between its quotes."""

    value: str
    start: int
    end: int


@dataclass(frozen=True)
class Entry:
    """An entry of a table.

    Attributes:
        key: the string it is looked up by; of a list of strings, the string itself.
        line: where it stands, from 1.
        start: offset of its first byte.
        end: offset behind its last byte; a comma that follows is not in it.
        texts: the strings in it, the key first.
    """

    key: str
    line: int
    start: int
    end: int
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class Table:
    """A literal that holds entries.

    Attributes:
        name: what it is assigned to, or updates.
        line: where the statement starts, from 1.
        opening: offset behind the bracket that opens it.
        entries: its entries, in their order.
    """

    name: str
    line: int
    opening: int
    entries: tuple[Entry, ...]

    @property
    def mapping(self) -> str:
        """The mapping that its entries end up in: 5.x keeps those that its script cannot generate in a table beside it."""
        return self.name.removeprefix(_SUPPLEMENT)

    def find(self, key: str) -> Entry | None:
        """The entry with that key; of several the last, which is the one that counts."""
        return next((entry for entry in reversed(self.entries) if entry.key == key), None)

    def place_of(self, key: str) -> int | None:
        """The number of the entry that a new one belongs before, in a table whose entries are sorted; `None` elsewhere.

        So is one that people keep by the alphabet, whatever the case, and in which some entries stand elsewhere.
        """
        keys = [entry.key for entry in self.entries]
        if keys != sorted(keys):
            keys, key = [each.casefold() for each in keys], key.casefold()
            in_order = sum(one <= other for one, other in zip(keys, keys[1:], strict=False))
            if len(keys) < _FEW or in_order < _MOSTLY * (len(keys) - 1):
                return None
        return next((number for number, each in enumerate(keys) if each > key), len(keys))


def find_tables(content: bytes, path: Path, needed: re.Pattern[str]) -> list[Table]:
    """Every table of a module.

    Args:
        content: the module's bytes.
        path: where it stands; for errors.
        needed: names of tables that must be understood whole, so that none is passed over in silence.

    Raises:
        AddModelError: the module does not parse, or a table that is needed has a form that is unknown here.
    """
    return list(_Reader(content, path, needed).tables(parsed(content, path).body))


@lru_cache(maxsize=4)
def parsed(content: bytes, path: Path) -> ast.Module:
    """A module's syntax, which nobody changes: one module is looked at for several reasons in turn.

    Raises:
        AddModelError: it does not parse.
    """
    try:
        return syntax_tree(content)
    except SyntaxError as error:
        place = f"{path}:{error.lineno}:{error.offset}" if error.lineno else str(path)
        raise AddModelError(f"{place}: does not parse: {error.msg}; mend it and run again") from error
    except ValueError as error:
        raise AddModelError(f"{path}: does not parse: {error}; mend it and run again") from error


class _Reader:
    def __init__(self, content: bytes, path: Path, needed: re.Pattern[str]) -> None:
        self.content = content
        self.path = path
        self.needed = needed
        self.lines = [0, *(match.end() for match in _NEWLINE.finditer(content))]

    def tables(self, statements: Sequence[ast.stmt]) -> Iterator[Table]:
        for statement in statements:
            if isinstance(statement, (ast.If, ast.Try, ast.With, ast.ClassDef)):
                yield from self.tables(statement.body)
                for branch in (getattr(statement, "orelse", []), getattr(statement, "finalbody", [])):
                    yield from self.tables(branch)
                for handler in getattr(statement, "handlers", []):
                    yield from self.tables(handler.body)
            else:
                yield from self._of_statement(statement)

    def _of_statement(self, statement: ast.stmt) -> Iterator[Table]:
        named = _named_value(statement)
        if named is None:
            return
        name, value = named
        is_needed = self.needed.fullmatch(name) is not None
        for literal in self._literals(value, name, is_needed):
            opening = self.offset(literal.lineno, literal.col_offset) + 1
            yield Table(name, statement.lineno, opening, tuple(self._entries(literal, name, is_needed)))

    def _literals(self, value: ast.expr, name: str, is_needed: bool) -> Iterator[ast.expr]:
        """The literals that a value is made of: itself, or what a call of `OrderedDict` is given."""
        if isinstance(value, (ast.Dict, ast.List, ast.Set, ast.Tuple)):
            yield value
        elif isinstance(value, ast.Call) and _called(value.func) in _CONTAINERS:
            if is_needed and any(keyword.arg is not None for keyword in value.keywords):
                raise self._another_form(value, name)
            for argument in (*value.args, *(keyword.value for keyword in value.keywords)):
                yield from self._literals(argument, name, is_needed)
        elif isinstance(value, ast.BinOp) and not is_needed:
            # Lists that are put together: what one of them says is said.
            for side in (value.left, value.right):
                yield from self._literals(side, name, is_needed)
        elif is_needed and not isinstance(value, ast.Name):
            raise self._another_form(value, name)

    def _entries(self, literal: ast.expr, name: str, is_needed: bool) -> Iterator[Entry]:
        for key, value, node in _elements(literal):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield self._entry(key.value, value, node)
            elif is_needed and key is not None and not isinstance(key, ast.Starred):
                # What another table brings along (`**OTHER`, `*OTHER.items()`) is told from that table.
                raise self._another_form(node, name)

    def _entry(self, key: str, value: ast.expr | None, node: ast.expr) -> Entry:
        start, end = self.offset(node.lineno, node.col_offset), self._end(node)
        if value is not None:
            # Brackets around a value are no part of its node.
            between = self.content[end : self.offset(value.lineno, value.col_offset)]
            opened = _COMMENT.sub(b"", between).count(b"(")
            end = self._end(value)
            for _ in range(opened):
                end = _behind_space(self.content, end) + 1
        nodes = [found for part in (node, value) if part is not None for found in ast.walk(part)]
        texts = [
            self._text(found.value, found)
            for found in nodes
            if isinstance(found, ast.Constant) and isinstance(found.value, str)
        ]
        return Entry(key, node.lineno, start, end, tuple(sorted(texts, key=lambda text: text.start)))

    def _text(self, value: str, node: ast.Constant) -> Text:
        return Text(value, self.offset(node.lineno, node.col_offset) + 1, self._end(node) - 1)

    def _end(self, node: ast.expr) -> int:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.offset(node.end_lineno, node.end_col_offset)

    def offset(self, line: int, column: int) -> int:
        """The offset of a place as `ast` names it: the line from 1, the column in bytes of UTF-8."""
        return self.lines[line - 1] + column

    def _another_form(self, node: ast.expr, name: str) -> AddModelError:
        return AddModelError(f"{self.path}:{node.lineno}: {name} is no plain table here, so that no entry can be added; write it as one, of strings, and run again")  # fmt: skip


def _named_value(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """What a statement assigns, or updates, and with what."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id, statement.value
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value is not None:
        return statement.target.id, statement.value
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("update", "extend") and len(call.args) == 1:
            if isinstance(call.func.value, ast.Name):
                return call.func.value.id, call.args[0]
    return None


def _called(function: ast.expr) -> str | None:
    """The name of what is called: `OrderedDict`, also as `OrderedDict[str, str]` or `collections.OrderedDict`."""
    if isinstance(function, ast.Subscript):
        return _called(function.value)
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None


def _elements(literal: ast.expr) -> Iterator[tuple[ast.expr | None, ast.expr | None, ast.expr]]:
    """Key, value and node of each element: in a dict the node is the key, elsewhere the element, without a value."""
    if isinstance(literal, ast.Dict):
        for key, value in zip(literal.keys, literal.values, strict=True):
            yield key, value, value if key is None else key
    elif isinstance(literal, (ast.List, ast.Set, ast.Tuple)):
        for element in literal.elts:
            if isinstance(element, ast.Tuple) and len(element.elts) == 2:
                yield element.elts[0], None, element
            else:
                yield element, None, element


def _behind_space(content: bytes, offset: int) -> int:
    """The offset of what follows behind white space, line ends and comments."""
    match = _SPACE.match(content, offset)
    assert match is not None
    return match.end()
