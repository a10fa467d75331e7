"""What stands in for classes where a library is absent: `utils/dummy_*.py`, as the library's own script writes it.

The script makes one for each name that the package file exports below the check for that library, in their order.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from add_model.scaffold.diffusers.exports import branches
from add_model.scaffold.source_tree.edits import FileEdit
from add_model.scaffold.source_tree.insertions import Insertion, line_starts, newline_of
from add_model.scaffold.source_tree.tables import parsed


def dummy_edits(package: FileEdit, names: Mapping[str, str], read: Callable[[Path], bytes]) -> Iterator[FileEdit]:
    """Adds the dummies of a new model's names.

    Args:
        package: what is done to the package file.
        names: the reference's public names, with the new model's.
        read: reads a file of the tree.

    Raises:
        AddModelError: a file cannot be read, or does not parse.
    """
    order: dict[str, list[str]] = {}
    for branch in branches(package.after, package.path):
        if branch.dummies is not None:
            imported = (name for each in branch.exports if each.form == "import" for name in each.names)
            order.setdefault(branch.dummies, []).extend(imported)
    olds = {new: old for old, new in names.items()}
    for module, exported in order.items():
        path = package.path.parent / "utils" / f"{module}.py"
        if path.is_file() and not olds.keys().isdisjoint(exported):
            content = read(path)
            yield FileEdit(path, content, tuple(_insertions(path, content, exported, olds)))


def _insertions(path: Path, content: bytes, exported: list[str], olds: Mapping[str, str]) -> Iterator[Insertion]:
    starts, gap = line_starts(content), newline_of(content) * 2
    blocks = {name: node for node in parsed(content, path).body if (name := _name(node)) is not None}
    previous: str | None = None
    for name in exported:
        if name in blocks:
            previous = name
        old = olds.get(name)
        if old is None or name in blocks or old not in blocks:
            continue
        block = content[starts[blocks[old].lineno - 1] : starts[blocks[old].end_lineno or 0]]
        text = re.sub(rb"\b" + re.escape(old.encode()) + rb"\b", name.encode(), block)
        if previous is not None:
            yield Insertion(starts[blocks[previous].end_lineno or 0], gap + text)
        else:
            first = min(node.lineno for node in blocks.values())
            yield Insertion(starts[first - 1], text + gap)


def _name(node: ast.stmt) -> str | None:
    return node.name if isinstance(node, (ast.ClassDef, ast.FunctionDef)) else None
