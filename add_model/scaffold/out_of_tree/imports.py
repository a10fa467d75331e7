"""Imports that lead out of a model's folder into Transformers, made absolute, with the markers of what they stand in.

And the other way round: a model that calls itself by its full name would be looked for in Transformers.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from add_model.scaffold.checkout.layout import PACKAGE
from add_model.scaffold.copied_text.marking import lines_of
from add_model.syntax_tree import syntax_tree

_NONE: Mapping[str, str] = MappingProxyType({})
_MARKER = re.compile(r"^[ \t]*# Copied from (\S+)( with .+)?$")
_FROM = re.compile(r"from([ \t]+)[\w.]+")


@dataclass(frozen=True)
class _Import:
    """An import: its line from 0, its column in bytes, which module it reads, and how that is to be spelled."""

    line: int
    column: int
    before: str
    after: str


def with_absolute_imports(text: str, folder: str, below: Sequence[str] = (), own: Mapping[str, str] = _NONE) -> str:
    """Makes the relative imports of a module absolute that lead out of its model's folder, and those within it relative.

    A block that holds such an import is a copy of its original only with a replacement for it, which is added to the
    block's marker.

    Args:
        text: the source of the module.
        folder: dotted path of the model's folder, such as `transformers.models.llama`, as if the module stood there.
        below: the folders in it that the module stands in, the outermost first.
        own: name of a class -> the module of the model's folder that defines it, for what is taken from the package.
    """
    tree = syntax_tree(text)
    lines = lines_of(text)
    found = [
        known
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (known := _import(node, folder, below, own))
    ]
    for known in found:
        line = lines[known.line].encode()
        before, statement = line[: known.column].decode(), line[known.column :].decode()
        lines[known.line] = before + _FROM.sub(rf"from\g<1>{known.after}", statement, count=1)
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            header = node.lineno - 1
            inside = [known for known in found if node.lineno <= known.line + 1 <= (node.end_lineno or 0)]
            if inside and header and _MARKER.match(lines[header - 1]):
                lines[header - 1] = _with_replacements(lines[header - 1], inside)
    return "".join(lines)


def _import(node: ast.ImportFrom, folder: str, below: Sequence[str], own: Mapping[str, str]) -> _Import | None:
    module, above = node.module or "", node.level - 1 - len(below)
    if node.level == 0:
        homes = {f"{folder}.{own[alias.name]}" if alias.name in own else module for alias in node.names}
        target = homes.pop() if module == PACKAGE and len(homes) == 1 else module
        is_own = target == folder or target.startswith(f"{folder}.")
        after = "." * (1 + len(below)) + target[len(folder) + 1 :] if is_own else module
    else:
        outer = folder.split(".")[: -above or None]
        after = ".".join([*outer, module] if module else outer) if above > 0 else "." * node.level + module
    before = "." * node.level + module
    return None if after == before else _Import(node.lineno - 1, node.col_offset, before, after)


def _with_replacements(marker: str, imports: list[_Import]) -> str:
    """The marker's line with a replacement for each of the imports; the long ones first, so that none hits in another."""
    pairs = sorted({(known.before, known.after) for known in imports}, key=lambda pair: (-len(pair[0]), pair))
    added = ", ".join(f"{old}->{new}" for old, new in pairs)
    body, end = marker.rstrip("\r\n"), marker[len(marker.rstrip("\r\n")) :]
    return f"{body}, {added}{end}" if " with " in body else f"{body} with {added}{end}"
