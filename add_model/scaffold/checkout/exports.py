"""A new model's place in `models/__init__.py`, which lists the folders of the models."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from add_model.errors import AddModelError
from add_model.scaffold.checkout.edits import FileEdit, Names, Reader, read_file
from add_model.scaffold.checkout.insertions import line_insertion
from add_model.scaffold.checkout.tables import parsed

_NUMBER = re.compile(r"(\d+)")


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


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key to sort names by, as the library's tools do: the numbers in them as numbers, so that `v4` precedes `v32`."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in _NUMBER.split(name) if part]


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
