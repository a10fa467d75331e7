"""Places of the library that treat the reference specially, and that somebody has to look at."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

from add_model.scaffold.source_tree.edits import Note
from add_model.scaffold.source_tree.tables import parsed


def mentions(path: Path, content: bytes, names: Collection[str], new: Collection[str]) -> Iterator[Note]:
    """The first place in the code of a module that names one of these, where nothing of the new model stands beside it.

    Args:
        path: where the module stands.
        content: its bytes, with the new model's entries.
        names: the reference's names.
        new: the new model's.

    Raises:
        AddModelError: the module does not parse.
    """
    found = [(node, name) for node in ast.walk(parsed(content, path)) if (name := _named(node)) is not None]
    here = [(node, name) for node, name in found if name in names]
    if here and not any(name in new for _, name in found):
        node, name = min(here, key=lambda each: getattr(each[0], "lineno", 0))
        yield Note(path, getattr(node, "lineno", 1), f"names {name}; look whether the new model is to be named there, too")  # fmt: skip


def _named(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.alias):
        return node.name
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
