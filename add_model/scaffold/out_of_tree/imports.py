"""Imports that lead out of a model's folder into Transformers, made absolute, with the markers of what they stand in."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from add_model.scaffold.marking import lines_of

_MARKER = re.compile(r"^[ \t]*# Copied from (\S+)( with .+)?$")
_FROM = re.compile(r"from([ \t]+)(\.+)([\w.]*)")


@dataclass(frozen=True)
class _Import:
    """A relative import: its line from 0, its column in bytes, how it reads, and how it has to."""

    line: int
    column: int
    relative: str
    absolute: str


def with_absolute_imports(text: str, folder: str) -> str:
    """Makes the relative imports of a module absolute that lead out of its folder.

    A block that holds such an import is a copy of its original only with a replacement for it, which is added to the
    block's marker.

    Args:
        text: the source of the module.
        folder: dotted path of the folder, such as `transformers.models.llama`, as if the module stood there.
    """
    tree = ast.parse(text)
    lines = lines_of(text)
    found = [known for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and (known := _import(node, folder))]
    for known in found:
        line = lines[known.line].encode()
        before, statement = line[: known.column].decode(), line[known.column :].decode()
        lines[known.line] = before + _FROM.sub(lambda match: f"from{match[1]}{known.absolute}", statement, count=1)  # noqa: B023
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
            inside = [known for known in found if node.lineno <= known.line + 1 <= (node.end_lineno or 0)]
            if inside and first and _MARKER.match(lines[first - 1]):
                lines[first - 1] = _with_replacements(lines[first - 1], inside)
    return "".join(lines)


def _import(node: ast.ImportFrom, folder: str) -> _Import | None:
    if node.level < 2:
        return None
    outer = folder.split(".")[: 1 - node.level]
    module = node.module or ""
    absolute = ".".join([*outer, module] if module else outer)
    return _Import(node.lineno - 1, node.col_offset, "." * node.level + module, absolute)


def _with_replacements(marker: str, imports: list[_Import]) -> str:
    """The marker's line with a replacement for each of the imports; the long ones first, so that none hits in another."""
    pairs = sorted({(known.relative, known.absolute) for known in imports}, key=lambda pair: (-len(pair[0]), pair))
    added = ", ".join(f"{old}->{new}" for old, new in pairs)
    body, end = marker.rstrip("\r\n"), marker[len(marker.rstrip("\r\n")) :]
    return f"{body}, {added}{end}" if " with " in body else f"{body} with {added}{end}"
