"""Imports written into a module: into a line that has others of the same module, or on one of their own where it sorts."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby

from add_model.copies.fixing.edits import Edit
from add_model.copies.fixing.imports import Guard, Import
from add_model.copies.fixing.modules import Home
from add_model.copies.fixing.scopes import scopes_of

_INDENT = "    "
# A line that holds more is laid out on several.
_LONG = 119
# How far from the package is what an import names: the language, other packages, the package by its name, and by dots.
_LANGUAGE, _OTHER, _OWN, _RELATIVE = range(1, 5)
# How far away, whether names are imported from it, its path, and what sorts it among those from there.
_Order = tuple[int, bool, int, str, str]


def import_edits(text: str, home: Home | None, imports: Sequence[Import]) -> list[Edit]:
    """The edits of a module's text that add imports to it, none of which it has.

    Args:
        text: the module's text, which this Python must be able to read.
        home: which module it is; `None` where it belongs to no package.
        imports: what is added.
    """
    scopes = scopes_of(text)
    assert scopes is not None
    head = _Head(text, scopes.tree, home)
    plain = sorted({known for known in imports if not known.guards}, key=head.order)
    for _, group in groupby(plain, head.statement_order):
        head.add(list(group))
    # In the order in which they were asked for, as a condition's own imports come first.
    for known in dict.fromkeys(known for known in imports if known.guards):
        head.add_guarded(known)
    return head.edits()


class _Head:
    """The statements that a module starts with, up to its first definition."""

    def __init__(self, text: str, tree: ast.Module, home: Home | None) -> None:
        self._lines = text.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._home = home
        self._statements = list(_before_definitions(tree.body))
        self._imports = [node for node in self._statements if isinstance(node, (ast.Import, ast.ImportFrom)) and self._has_lines(node)]  # fmt: skip
        # Line, 0-based -> what it becomes; and what is put above a line.
        self._changed: dict[int, str] = {}
        self._above: dict[int, list[str]] = {}
        self._last_group: dict[int, int] = {}

    def edits(self) -> list[Edit]:
        """What was added, as edits."""
        edits = []
        for number in sorted(self._changed.keys() | self._above.keys()):
            start = min(self._starts[number], self._starts[-1] - 1)
            above = "".join(f"{line}\n" for line in self._above.get(number, ()))
            if number in self._changed:
                edits.append(Edit(start, self._starts[number + 1], f"{above}{self._changed[number]}\n"))
            else:
                edits.append(Edit(start, start, above))
        return edits

    def order(self, known: Import) -> tuple[_Order, tuple[int, str, str]]:
        """Where an import sorts among others."""
        return self.statement_order(known), _name_order(known.part())

    def statement_order(self, known: Import) -> _Order:
        """Where the statement of an import sorts among others; of those from one module it is the same."""
        order = self._key(bool(known.name), known.path_in(self._home) if known.name else known.part())
        # What gets another name has a statement of its own.
        return (*order, known.part()) if known.name and " as " in known.part() else (*order, "")

    def add(self, group: Sequence[Import]) -> None:
        """Adds what one statement imports on no condition."""
        if group[0].name and " as " not in group[0].part() and self._extend(group):
            return
        statement = group[0].statement(self._home)
        statement += "".join(f", {known.part()}" for known in group[1:])
        key = self.statement_order(group[0])
        before = [node for node in self._imports if self._key_of(node) <= key]
        if before:
            last = max(before, key=lambda node: node.lineno)
            self._insert_in_group(last.end_lineno or 0, key[0], self._key_of(last)[0], statement, False)
        elif self._imports:
            self._insert_in_group(self._imports[0].lineno - 1, key[0], self._key_of(self._imports[0])[0], statement, True)  # fmt: skip
        else:
            self._insert_first([statement])

    def _insert_in_group(self, number: int, group: int, neighbour: int, statement: str, is_above: bool) -> None:
        """Adds a line above or below one of a group, apart from it where it belongs to another."""
        lines = self._above.setdefault(number, [])
        is_first = self._last_group.get(number) != group
        self._last_group[number] = group
        if group == neighbour:
            lines += _wrapped(statement)
        elif is_above:
            lines[len(lines) - (not is_first) :] = [*_wrapped(statement), ""]
        else:
            lines += [*([""] if is_first else []), *_wrapped(statement)]

    def add_guarded(self, known: Import) -> None:
        """Adds an import that stands on a condition, below others on the same one if there are any."""
        (outer, *inner), statement = known.guards, known.statement(self._home)
        for node in self._statements:
            if not inner and isinstance(node, ast.If) and not node.orelse and f"if {ast.unparse(node.test)}:" == outer.opening:  # fmt: skip
                last = node.body[-1]
                if last.lineno > node.lineno and self._has_lines(last):
                    indent = self._lines[last.lineno - 1][: last.col_offset]
                    self._insert(last.end_lineno or 0, [f"{indent}{statement}"])
                    return
        lines = _below(known.guards, statement)
        if self._imports:
            self._insert(max(node.end_lineno or 0 for node in self._imports), ["", *lines])
        else:
            self._insert_first(lines)

    def _extend(self, group: Sequence[Import]) -> bool:
        """Adds names to a statement that imports others from the same module, where its layout makes that plain."""
        path = group[0].path_in(self._home)
        for node in self._imports:
            if not isinstance(node, ast.ImportFrom) or "." * node.level + (node.module or "") != path:
                continue
            if any(alias.name == "*" for alias in node.names):
                continue
            if node.lineno == node.end_lineno:
                self._extend_line(node, [known.part() for known in group])
                return True
            if _is_one_a_line(node, self._lines):
                first = node.names[0]
                indent = self._lines[first.lineno - 1][: first.col_offset]
                for known in group:
                    behind = [alias for alias in node.names if _name_order(alias.name) > _name_order(known.part())]
                    line = behind[0].lineno - 1 if behind else node.names[-1].lineno
                    self._insert(line, [f"{indent}{known.part()},"])
                return True
        return False

    def _extend_line(self, node: ast.ImportFrom, added: Sequence[str]) -> None:
        line = self._lines[node.lineno - 1].encode()
        names = [line[alias.col_offset : alias.end_col_offset].decode() for alias in node.names]
        for name in added:
            place = next((at for at, other in enumerate(names) if _name_order(other) > _name_order(name)), len(names))
            names.insert(place, name)
        start, end = node.names[0].col_offset, node.names[-1].end_col_offset
        before, behind = line[:start].decode(), line[end:].decode()
        changed = f"{before}{', '.join(names)}{behind}"
        self._changed[node.lineno - 1] = changed if behind.strip() else "\n".join(_wrapped(changed))

    def _insert(self, number: int, lines: list[str]) -> None:
        self._above.setdefault(number, []).extend(lines)

    def _has_lines(self, node: ast.stmt) -> bool:
        """Whether a statement shares its lines with no other."""
        last = self._lines[(node.end_lineno or 0) - 1].encode()[node.end_col_offset :].decode().strip()
        first = self._lines[node.lineno - 1].encode()[: node.col_offset].decode()
        return not first.strip() and (not last or last.startswith("#"))

    def _insert_first(self, lines: list[str]) -> None:
        """Adds what imports something to a module that imports nothing: behind its docstring, or what it says at its start."""
        first = self._statements[0] if self._statements else None
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            self._insert(first.end_lineno or 0, ["", *lines])
            return
        number = 0
        while self._lines[number].startswith("#"):
            number += 1
        # What stands directly above code is about that.
        is_apart = not self._lines[number].strip()
        shebang = int(self._lines[0].startswith("#!"))
        self._insert(number + 1 if number and is_apart and number + 1 < len(self._lines) else shebang, [*lines, ""])

    def _key_of(self, node: ast.Import | ast.ImportFrom) -> _Order:
        if isinstance(node, ast.Import):
            return (*self._key(False, node.names[0].name), "")
        return (*self._key(True, "." * node.level + (node.module or "")), "")

    def _key(self, is_from: bool, path: str) -> tuple[int, bool, int, str]:
        name = path.lstrip(".")
        level, top = len(path) - len(name), name.partition(".")[0]
        if top == "__future__":
            return 0, is_from, 0, name
        own = self._home is not None and top == self._home.top
        group = _RELATIVE if level else _OWN if own else _LANGUAGE if top in sys.stdlib_module_names else _OTHER
        return group, is_from, -level, name.lower()


def _wrapped(statement: str) -> list[str]:
    """The lines of an import, one for each of its names where they are too many for one."""
    before, _, names = statement.partition(" import ")
    if len(statement) <= _LONG or "," not in names:
        return [statement]
    return [f"{before} import (", *(f"{_INDENT}{name}," for name in names.split(", ")), ")"]


def _before_definitions(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            return
        yield node


def _is_one_a_line(node: ast.ImportFrom, lines: Sequence[str]) -> bool:
    """Whether each name that is imported has a line, with a comma behind it."""
    numbers = [alias.lineno for alias in node.names]
    behind = [lines[alias.lineno - 1].encode()[alias.end_col_offset :].decode().strip() for alias in node.names]
    return len(set(numbers)) == len(numbers) and numbers[0] > node.lineno and (node.end_lineno or 0) > numbers[-1] and all(rest == "," or rest.startswith(", #") or rest.startswith(",  #") for rest in behind)  # fmt: skip


def _below(guards: Sequence[Guard], statement: str) -> list[str]:
    if not guards:
        return [statement]
    first, *others = guards
    inner = [f"{_INDENT}{line}" for line in _below(others, statement)]
    return [first.opening, *inner, *first.closing.split("\n")] if first.closing else [first.opening, *inner]


def _name_order(name: str) -> tuple[int, str, str]:
    """Constants first, then classes, then all else."""
    name = name.partition(" ")[0]
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name.lower(), name
