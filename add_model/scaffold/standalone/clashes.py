"""Names that a new model cannot have because the code that it is made of says something else by them.

`pre_trained` would make a second `PreTrainedModel`, `config` an attribute `self.config` that is not the configuration.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from add_model.errors import AddModelError
from add_model.library import Library
from add_model.names import ModelName
from add_model.references import Reference, read_text
from add_model.scaffold.naming import OF_EVERY_MODULE
from add_model.syntax_tree import syntax_tree

_DEFINITION = re.compile(r"^(?:class|(?:async )?def)\s+(\w+)", re.MULTILINE)


def check_clashes(name: ModelName, reference: Reference, library: Library) -> None:
    """Checks that no name which the new model brings means something else in its code, or in the library around it.

    Args:
        name: the new model's name.
        reference: the model that it starts from.
        library: the library whose base classes it will use.

    Raises:
        AddModelError: there is such a name, or a file of the reference or the library cannot be read or does not parse.
    """
    used = frozenset().union(*(identifiers(text, path) for path, text in reference.files.items()))
    if name.snake == reference.name.snake:
        return
    renaming = reference.renaming(name)
    renamed = {old: new for old in used if (new := renaming.identifier(old)) != old}
    taken = (used - renamed.keys()) | OF_EVERY_MODULE | {*_defined(library)}
    clashes = sorted({*renamed.values(), name.snake} & taken)
    if clashes:
        raise AddModelError(f"--name {name.snake!r} clashes with {clashes[0]!r}, which has a meaning of its own in the model's code; choose another")  # fmt: skip


@lru_cache(maxsize=64)
def identifiers(text: str, path: Path) -> frozenset[str]:
    """Every identifier of a module's code.

    Raises:
        AddModelError: the module does not parse.
    """
    return frozenset(name for node in ast.walk(_parsed(text, path)) for name in _identifiers(node))


def _identifiers(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name
    elif isinstance(node, (ast.arg, ast.keyword)) and node.arg is not None:
        yield node.arg
    elif isinstance(node, ast.alias):
        yield from node.name.split(".")
    elif isinstance(node, ast.ImportFrom) and node.module is not None:
        yield from node.module.split(".")


def _defined(library: Library) -> Iterator[str]:
    """The classes and functions of the library around its models."""
    for path in sorted(library.package_folder.glob("*.py")):
        yield from _DEFINITION.findall(read_text(path))


def _parsed(text: str, path: Path) -> ast.Module:
    try:
        return syntax_tree(text)
    except SyntaxError as error:
        raise AddModelError(f"{path}:{error.lineno}:{error.offset}: does not parse: {error.msg}; mend it and run again") from error  # fmt: skip
    except ValueError as error:
        raise AddModelError(f"{path}: does not parse: {error}; mend it and run again") from error
