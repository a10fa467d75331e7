"""Imports of a rewritten file that lead to nothing in the release that it follows now: dropped where the rewriting has left
them without use, and named where something still needs them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from typing import NamedTuple

from add_model.copies.fixing.edits import Edit, apply_edits
from add_model.copies.fixing.modules import Modules
from add_model.copies.fixing.scopes import Scopes, scopes_of
from add_model.encoding import SourceError
from add_model.source import Module, decode_module

# What has its names made when they are asked for, as the package of a library has.
_LAZY = ("_LazyModule(", "def __getattr__(")


class Dangling(NamedTuple):
    """Names that a file imports from a module that does not have them.

    Attributes:
        path: the file.
        line: that of the import, from 1.
        module: the module, as it is imported.
        names: the names.
    """

    path: str
    line: int
    module: str
    names: tuple[str, ...]

    @property
    def message(self) -> str:
        """What is wrong, and what to do."""
        listed = ", ".join(f"`{name}`" for name in self.names)
        return f"imports {listed} from {self.module}, which has {'it' if len(self.names) == 1 else 'them'} no more; replace what uses {'it' if len(self.names) == 1 else 'them'} here"  # fmt: skip


def drop_dangling(
    before: Mapping[str, bytes | None], after: Mapping[str, bytes], modules: Modules, follows: Collection[str]
) -> tuple[dict[str, bytes], tuple[Dangling, ...]]:
    """Rewritten files without the imports that lead to nothing and that nothing uses any more; and those that are used.

    Args:
        before: the bytes of each file as they were.
        after: its bytes as they are to be.
        modules: how modules are read.
        follows: the packages whose names are looked up; what others have cannot be told.
    """
    contents, left = dict(after), list[Dangling]()
    for path, content in sorted(after.items()) if follows else ():
        was = before[path]
        if path.endswith(".py") and was is not None:
            contents[path], found = without_dangling(path, was, content, modules, follows)
            left += found
    return contents, tuple(left)


def without_dangling(
    path: str, before: bytes, after: bytes, modules: Modules, follows: Collection[str]
) -> tuple[bytes, tuple[Dangling, ...]]:
    """A rewritten file without the imports that lead to nothing and that nothing uses any more; and those that are used.

    Args:
        path: the file.
        before: its bytes as they were.
        after: its bytes as they are to be.
        modules: how modules are read.
        follows: the packages whose names are looked up; what others have cannot be told.
    """
    try:
        old, module = decode_module(path, before), decode_module(path, after)
    except SourceError:
        return after, ()
    was, scopes = scopes_of(old.text), scopes_of(module.text)
    if was is None or scopes is None:
        return after, ()
    used_before, used = {use.name for use in was.uses}, {use.name for use in scopes.uses} | _listed(scopes)
    edits, left = list[Edit](), list[Dangling]()
    for node in scopes.tree.body:
        if not isinstance(node, ast.ImportFrom) or node.level or (node.module or "").partition(".")[0] not in follows:
            continue
        lost = {alias.name: alias.asname or alias.name for alias in node.names if _lacks(node.module or "", alias.name, modules)}  # fmt: skip
        idle = {name for name, bound in lost.items() if bound in used_before and bound not in used}
        edit = _without(node, idle, module) if idle else None
        edits += [edit] if edit is not None else []
        named = tuple(name for name in lost if edit is None or name not in idle)
        left += [Dangling(path, node.lineno, node.module or "", named)] if named else []
    return (apply_edits(after, module.encoding, edits) if edits else after), tuple(left)


def _listed(scopes: Scopes) -> set[str]:
    """The strings of `__all__`, which make a name one that others use."""
    assignments = (node for node in scopes.tree.body if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)))
    nodes = (node for node in assignments if ast.unparse(node).startswith("__all__"))
    inner = (each for node in nodes for each in ast.walk(node))
    return {each.value for each in inner if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def _lacks(dotted: str, name: str, modules: Modules) -> bool:
    """Whether a module has no such name for sure."""
    if name == "*" or modules.file(f"{dotted}.{name}") is not None:
        return False
    path = modules.file(dotted)
    if path is None:
        return _is_gone(dotted, modules)
    scopes, home = modules.scopes(path), modules.home(path)
    if scopes is None or home is None or scopes.binds(name, for_checkers=True):
        return False
    behind_stars = (modules.offers(home.absolute(star.level, star.module) or "", name) for star in scopes.stars)
    return all(answer is False for answer in behind_stars) and not any(word in modules.text(path) for word in _LAZY)


def _is_gone(dotted: str, modules: Modules) -> bool:
    """Whether there is no such module for sure: a package may give an old name to another one of its modules."""
    package, _, name = dotted.rpartition(".")
    path = modules.file(package) if package else None
    if path is None:
        return bool(package) and _is_gone(package, modules)
    return path.endswith("__init__.py") and f'"{name}"' not in modules.text(path)


def _without(node: ast.ImportFrom, names: Collection[str], module: Module) -> Edit | None:
    """The edit that takes names out of an import; `None` where more stands in its lines than the import."""
    starts = [0, *(number + 1 for number, character in enumerate(module.text) if character == "\n")]
    start, end = starts[node.lineno - 1], (*starts, len(module.text))[node.end_lineno or node.lineno]
    kept = [alias for alias in node.names if alias.name not in names]
    written = module.text[start:end].strip()
    if "#" in written or ";" in written or node.col_offset:
        return None
    if not kept:
        return Edit(start, end, "")
    parts = [alias.name if alias.asname is None else f"{alias.name} as {alias.asname}" for alias in kept]
    if "\n" not in written:
        return Edit(start, end, f"from {node.module} import {', '.join(parts)}\n")
    lines = "".join(f"    {part},\n" for part in parts)
    return Edit(start, end, f"from {node.module} import (\n{lines})\n")
