"""What a package file says that others can import, statement by statement: lazily, for type checkers, or at once.

A package of Diffusers names what it offers twice: in `_import_structure`, by module, and in imports for type checkers.
Either stands below a condition where it needs a library that may be absent.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from add_model.reading import read_bytes
from add_model.scaffold.source_tree.tables import parsed

STRUCTURE = "_import_structure"


@dataclass(frozen=True)
class Item:
    """A name that a statement lists, and the extent of what spells it: `Name`, or `"Name"` with its quotes."""

    name: str
    first: tuple[int, int]
    last: tuple[int, int]


@dataclass(frozen=True)
class Export:
    """A statement, or an entry of the first dict, that lists names of one module.

    Attributes:
        module: the module, relative to the package: `transformers.transformer_flux`.
        form: `import`, `assign`, `append`, `extend` or `entry`.
        items: what it lists.
        node: the statement; of an entry its value.
        key: of an entry, the node of its key.
    """

    module: str
    form: str
    items: tuple[Item, ...]
    node: ast.stmt | ast.expr
    key: ast.expr | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it lists."""
        return tuple(item.name for item in self.items)


@dataclass(frozen=True)
class Branch:
    """Exports that stand one below the other, and the module of dummies that stands in where they cannot be had."""

    exports: tuple[Export, ...]
    dummies: str | None


def branches(content: bytes, path: Path) -> list[Branch]:
    """Every run of statements of a package file that export something.

    Raises:
        AddModelError: the file does not parse.
    """
    return list(_branches(parsed(content, path).body, None))


def exported_names(path: Path) -> frozenset[str]:
    """Every name that a package file exports.

    Raises:
        AddModelError: the file does not parse.
    """
    found = branches(read_bytes(path), path)
    return frozenset(name for branch in found for export in branch.exports for name in export.names)


def _branches(body: Sequence[ast.stmt], dummies: str | None) -> Iterator[Branch]:
    for _, run in groupby(body, key=lambda statement: any(_exports(statement))):
        exports = tuple(export for statement in run for export in _exports(statement))
        if exports:
            yield Branch(exports, dummies)
    for statement in body:
        if isinstance(statement, ast.Try):
            yield from _branches(statement.body, None)
            yield from _branches(statement.orelse, _dummies_of(statement))
        elif isinstance(statement, ast.If):
            yield from _branches(statement.body, None)
            yield from _branches(statement.orelse, None)


def _exports(statement: ast.stmt) -> Iterator[Export]:
    if isinstance(statement, ast.ImportFrom):
        if statement.level == 1 and statement.module is not None:
            items = tuple(_imported(alias) for alias in statement.names if alias.asname is None and alias.name != "*")
            yield Export(statement.module, "import", items, statement)
    elif isinstance(statement, ast.Assign):
        yield from _assigned(statement)
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func
        if isinstance(function, ast.Attribute) and function.attr in ("append", "extend"):
            module = _subscripted(function.value)
            if module is not None:
                items = tuple(item for argument in statement.value.args for item in _strings(argument))
                yield Export(module, function.attr, items, statement)


def _assigned(statement: ast.Assign) -> Iterator[Export]:
    target = statement.targets[0]
    module = _subscripted(target)
    if module is not None:
        if isinstance(statement.value, (ast.List, ast.Tuple)):
            yield Export(module, "assign", tuple(_strings(statement.value)), statement)
    elif isinstance(target, ast.Name) and target.id == STRUCTURE and isinstance(statement.value, ast.Dict):
        for key, value in zip(statement.value.keys, statement.value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield Export(key.value, "entry", tuple(_strings(value)), value, key)


def _imported(alias: ast.alias) -> Item:
    assert alias.end_lineno is not None and alias.end_col_offset is not None
    return Item(alias.name, (alias.lineno, alias.col_offset), (alias.end_lineno, alias.end_col_offset))


def _strings(node: ast.expr) -> Iterator[Item]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            assert inner.end_lineno is not None and inner.end_col_offset is not None
            yield Item(inner.value, (inner.lineno, inner.col_offset), (inner.end_lineno, inner.end_col_offset))


def _subscripted(node: ast.expr) -> str | None:
    """`models` of `_import_structure["models"]`."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name) or node.value.id != STRUCTURE:
        return None
    key = node.slice.value if isinstance(node.slice, ast.Constant) else None
    return key if isinstance(key, str) else None


def _dummies_of(statement: ast.Try) -> str | None:
    """The module of dummies that is imported where the libraries of this block are absent."""
    for handler in statement.handlers:
        for inner in handler.body:
            if not isinstance(inner, ast.ImportFrom) or not inner.module:
                continue
            *_, last = inner.module.split(".")
            if last.startswith("dummy_"):
                return last
            if last == "utils" and inner.names[0].name.startswith("dummy_"):
                return inner.names[0].name
    return None
