"""Which name of a new model's folder stands for which of the reference's.

Told by position alone: a renaming changes no module's syntax, so that the files of two folders pair up by their shape and
the definitions of two files by their order. What the tool thinks it renamed is never asked.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What `like` says that it does not copy.
NOT_COPIED = ("convert_", "modular_")
# What a package's configurations say of the code that goes along with them.
_ADDED = re.compile(r"_\w+_to_dict")


@dataclass(frozen=True)
class Pairing:
    """Two model folders, file by file and name by name.

    Attributes:
        files: file name in the reference's folder -> in the new one.
        names: module-level name of the reference, from every file -> of the new model.
        problems: what pairs with nothing.
    """

    files: dict[str, str]
    names: dict[str, str]
    problems: tuple[str, ...]


def pair_folders(reference: Path, new: Path, may_add: bool = False) -> Pairing:
    """Pairs the files of two folders, and the names that they bind at module level.

    Args:
        reference: the reference's folder.
        new: the new model's.
        may_add: whether the new model brings what a package of its own needs besides.
    """
    old_files = {path.name: _shape(path) for path in module_files(reference)}
    new_files = {path.name: _shape(path) for path in module_files(new)}
    files: dict[str, str] = {}
    problems: list[str] = []
    for exact in (True, False):
        # First the files of the same shape, then by their kind, where something in one of them was rewritten.
        for name in sorted(old_files.keys() - files.keys()):
            left = [
                other
                for other in sorted(new_files.keys() - set(files.values()))
                if _kind(other) == _kind(name) and (not exact or new_files[other] == old_files[name])
            ]
            if left:
                files[name] = max(left, key=lambda other: _shared_words(name, other))
    problems += [f"{name} has no counterpart" for name in sorted(old_files.keys() - files.keys())]
    problems += [f"{name} is a copy of nothing" for name in sorted(new_files.keys() - set(files.values()))]
    names: dict[str, str] = {}
    for old_name, new_name in sorted(files.items()):
        before, after = list(_bound(reference / old_name)), list(_bound(new / new_name))
        if may_add:
            after = [name for name in after if not _ADDED.fullmatch(name)]
        if len(before) != len(after):
            problems.append(f"{new_name} binds {len(after)} names, {old_name} {len(before)}")
            continue
        for old, fresh in zip(before, after, strict=True):
            if names.setdefault(old, fresh) != fresh:
                problems.append(f"{old} is {names[old]} in one file and {fresh} in another")
    return Pairing(files, names, tuple(problems))


def module_files(folder: Path) -> list[Path]:
    """The modules of a model folder that a new model gets: no script, no modular file, no `__init__`."""
    return sorted(
        path for path in folder.glob("*.py") if path.name != "__init__.py" and not path.name.startswith(NOT_COPIED)
    )


def _kind(file_name: str) -> str:
    return file_name.partition("_")[0]


def _shared_words(first: str, second: str) -> int:
    return len({*Path(first).stem.split("_")} & {*Path(second).stem.split("_")})


def _shape(path: Path) -> str:
    """A digest of the kinds of the nodes of a module's syntax tree: the same whatever its names are."""
    tree = ast.parse(path.read_bytes())
    kinds = (type(node).__name__ for node in ast.walk(tree) if not isinstance(node, (ast.Import, ast.alias)))
    return hashlib.sha256(" ".join(kinds).encode()).hexdigest()


def _bound(path: Path) -> Iterator[str]:
    """The names that a module defines or assigns at its top level, also below a condition, in order."""
    pending: list[ast.stmt] = list(ast.parse(path.read_bytes()).body)
    while pending:
        node = pending.pop(0)
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            inner = [*node.body, *getattr(node, "orelse", ()), *getattr(node, "finalbody", ())]
            pending[:0] = [*inner, *(line for handler in getattr(node, "handlers", ()) for line in handler.body)]
