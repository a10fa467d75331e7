"""Whether every name that a new folder has and its reference has not is bound there: what is somebody else's keeps its name."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.transformers_models.pairing import module_files

# What a package's modules say of themselves behind their copies, in the words of the library.
_WORDS_OF_THE_LIBRARY = frozenset({"overwrite", "register", "exist_ok"})


def lost_names(reference: Path, new: Path) -> list[str]:
    """Where a new folder uses a name that its reference does not, and that nothing in it is called."""
    before = {name for tree in _trees(module_files(reference)) for node in ast.walk(tree) for name in used(node)}
    files = module_files(new)
    trees = list(_trees(files))
    known = (
        before
        | _WORDS_OF_THE_LIBRARY
        | set(dir(builtins))
        | {path.stem for path in files}
        | {name for tree in trees for name in bound(tree)}
    )
    return [
        f"{path.name}:{getattr(node, 'lineno', '?')} {name} is bound nowhere"
        for path, tree in zip(files, trees, strict=True)
        for node in ast.walk(tree)
        for name in used(node)
        if name not in known
    ]


def bound(tree: ast.AST) -> Iterator[str]:
    """The names that a module gives to something, in whatever way."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield from (node.asname or node.name).split(".")
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from node.module.split(".")


def used(node: ast.AST) -> Iterator[str]:
    """The identifier that a node spells, if it is one of a name, an attribute or a keyword."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.keyword) and node.arg is not None:
        yield node.arg


def _trees(files: Sequence[Path]) -> Iterator[ast.Module]:
    for path in files:
        yield ast.parse(path.read_bytes())
