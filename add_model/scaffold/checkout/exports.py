"""A new model's place in `models/__init__.py`, which lists the folders of the models."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from add_model.errors import AddModelError
from add_model.scaffold.checkout.edits import Names
from add_model.scaffold.source_tree.edits import FileEdit, Reader, read_file
from add_model.scaffold.source_tree.insertions import line_insertion
from add_model.scaffold.source_tree.order import natural
from add_model.scaffold.source_tree.tables import parsed


def models_edit(names: Names, read: Reader = read_file) -> FileEdit:
    """Adds the new folder to `models/__init__.py`, beside the reference's: 5.x imports each, 4.x lists them.

    Raises:
        AddModelError: the file cannot be read, does not parse, or lists no models.
    """
    path = names.checkout.models_folder / "__init__.py"
    content = read(path)
    listed = _listed(parsed(content, path))
    if not listed:
        raise AddModelError(f"{path}: lists no models, neither as `from .NAME import *` nor as `from . import (NAME, ...)`; restore it and run again")  # fmt: skip
    if names.new_folder in listed:
        return FileEdit(path, content, ())
    previous = _previous(list(listed), names.new_folder, names.old_name)
    lines = content.splitlines(keepends=True)
    number = listed[previous] if previous is not None else min(listed.values())
    resembled = lines[number - 1]
    if resembled.count(b",") > 1 or (previous or min(listed)).encode() not in resembled:
        raise AddModelError(f"{path}:{number}: lists several models on one line; give each a line of its own and run again")  # fmt: skip
    line = resembled.replace((previous or next(iter(listed))).encode(), names.new_folder.encode(), 1)
    offset = sum(map(len, lines[: number if previous is not None else number - 1]))
    return FileEdit(path, content, (line_insertion(content, offset - 1, line.rstrip(b"\r\n")),))


def _previous(listed: Sequence[str], new: str, old: str) -> str | None:
    """The name that the new one goes behind; `None` where it is the first."""
    if list(listed) == sorted(listed, key=natural):
        smaller = [name for name in listed if natural(name) < natural(new)]
        return smaller[-1] if smaller else None
    return old if old in listed else listed[-1]


def _listed(module: ast.Module) -> dict[str, int]:
    """The folders that the module lists, each with its line."""
    listed: dict[str, int] = {}
    for node in ast.walk(module):
        if not isinstance(node, ast.ImportFrom) or node.level != 1:
            continue
        if node.module is None:
            listed.update((alias.name, alias.lineno) for alias in node.names)
        elif "." not in node.module and [alias.name for alias in node.names] == ["*"]:
            listed[node.module] = node.lineno
    return listed
