"""Whether every public class of a model, and every argument of it, is described: read from the source, nothing is run.

An argument counts as described where a docstring of its class, of one of its bases, or of the method has an entry for
it (`name: what it is`), or where the method's docstring names another method whose docstring has one ("the other
arguments are those of `BertModel.forward`").
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError
from add_model.references import read_text
from add_model.syntax_tree import syntax_tree

_CALLED = ("__init__", "forward", "__call__")
# Decorators of Transformers that write the arguments' description themselves.
_DESCRIBING_DECORATORS = ("auto_docstring", "add_start_docstrings", "add_start_docstrings_to_model_forward")
_ENTRY = re.compile(r"^[ \t]*(\*{0,2}\w+(?:[ \t]*\([^\n]*?\))?(?:,[ \t]*\*{0,2}\w+)*)[ \t]*:", re.MULTILINE)
_WRAPPED_NAMES = re.compile(r"(?m)^([ \t]*\w+(?:,[ \t]*\w+)*,)[ \t]*\n[ \t]*(?=\w+(?:,[ \t]*\w+)*[ \t]*[:,])")
_REFERENCE = re.compile(r"`(\w+)\.(\w+)`")


@dataclass(frozen=True)
class Finding:
    """Something that is left to do, at its place.

    Attributes:
        path: the file.
        line: the line, counted from 1.
        message: what is left to do.
    """

    path: Path
    line: int
    message: str


@dataclass(frozen=True)
class PublicClass:
    """A class that users import.

    Attributes:
        name: its name.
        path: the file it stands in.
        line: the line it starts at.
        arguments: of its constructor and of its call, each with the method that takes it, in order.
    """

    name: str
    path: Path
    line: int
    arguments: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Found:
    path: Path
    node: ast.ClassDef

    @property
    def methods(self) -> dict[str, ast.FunctionDef]:
        return {node.name: node for node in self.node.body if isinstance(node, ast.FunctionDef)}


def public_classes(modules: Sequence[Path]) -> tuple[PublicClass, ...]:
    """The classes that the modules export, by the imports of their `__init__` or by their `__all__`.

    Where neither names any, it is every class whose name begins with no underscore.

    Raises:
        AddModelError: a module cannot be read or does not parse.
    """
    trees = {path: parse(path) for path in modules}
    classes = _classes(trees)
    exported = set().union(*(_exported(tree, path.name == "__init__.py") for path, tree in trees.items()))
    names = [name for name in classes if name in exported] or [name for name in classes if not name.startswith("_")]
    return tuple(
        PublicClass(name, classes[name].path, classes[name].node.lineno, tuple(_arguments(classes[name], classes)))
        for name in names
    )


def undescribed(modules: Sequence[Path], shared: Sequence[Path]) -> tuple[Finding, ...]:
    """What is not described of the public classes in the modules; `shared` are further modules with base classes.

    Raises:
        AddModelError: a module cannot be read or does not parse.
    """
    public = public_classes(modules)
    classes = _classes({path: parse(path) for path in (*shared, *modules)})
    return tuple(finding for found in public for finding in _undescribed(classes[found.name], classes))


def parse(path: Path) -> ast.Module:
    """The syntax tree of a module.

    Raises:
        AddModelError: it cannot be read or does not parse; the line is named.
    """
    try:
        return syntax_tree(read_text(path))
    except SyntaxError as error:
        raise AddModelError(f"{path}:{error.lineno}: does not parse: {error.msg}; mend it and run again") from error
    except ValueError as error:
        raise AddModelError(f"{path}: does not parse: {error}; mend it and run again") from error
    except (RecursionError, MemoryError) as error:
        raise AddModelError(f"{path}: does not parse: it is nested too deeply; mend it and run again") from error


def _classes(trees: Mapping[Path, ast.Module]) -> dict[str, _Found]:
    return {
        node.name: _Found(path, node)
        for path, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


def _exported(tree: ast.Module, is_package: bool) -> set[str]:
    """The names that an `__init__` imports, or that a module lists in its `__all__`."""
    if is_package:
        # Also those for type checkers only: where everything is imported lazily, they say what there is.
        imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
        return {alias.asname or alias.name for node in imports for alias in node.names}
    return {
        element.value
        for node in tree.body
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "__all__" for target in node.targets)
        for element in ast.walk(node.value)
        if isinstance(element, ast.Constant) and isinstance(element.value, str)
    }


def _arguments(found: _Found, classes: Mapping[str, _Found]) -> Iterator[tuple[str, str]]:
    """The arguments that need describing; a configuration describes itself in its own class."""
    for name in _CALLED:
        method = found.methods.get(name)
        if method is None:
            continue
        for argument in (*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs):
            annotation = ast.unparse(argument.annotation).strip("'\"") if argument.annotation is not None else ""
            is_configuration = annotation in classes and annotation.endswith("Config")
            if argument.arg not in ("self", "cls") and not is_configuration:
                yield name, argument.arg


def _undescribed(found: _Found, classes: Mapping[str, _Found]) -> Iterator[Finding]:
    name = found.node.name
    if _describes_itself(found.node):
        return
    if not ast.get_docstring(found.node):
        yield Finding(found.path, found.node.lineno, f"{name} has no docstring; say what it is")
    for method_name, argument in _arguments(found, classes):
        method = found.methods[method_name]
        if _describes_itself(method) or argument in _described(name, method_name, classes):
            continue
        where = name if method_name == "__init__" else f"{name}.{method_name}"
        yield Finding(found.path, method.lineno, f"argument {argument} of {where} is not described in a docstring")


def _describes_itself(node: ast.ClassDef | ast.FunctionDef) -> bool:
    names = {ast.unparse(decorator).partition("(")[0] for decorator in node.decorator_list}
    return not names.isdisjoint(_DESCRIBING_DECORATORS)


def _described(name: str, method: str, classes: Mapping[str, _Found], seen: frozenset[str] = frozenset()) -> set[str]:
    """The names that the docstrings of a class, its bases, the method, and methods they refer to, have entries for."""
    found = classes.get(name)
    if found is None or f"{name}.{method}" in seen:
        return set()
    seen = seen | {f"{name}.{method}"}
    texts = [ast.get_docstring(found.node) or ""]
    if method in found.methods:
        texts.append(ast.get_docstring(found.methods[method]) or "")
    described = {entry for text in texts for entry in _entries(text)}
    for text in texts:
        for other, other_method in _REFERENCE.findall(text):
            described |= _described(other, other_method, classes, seen)
    for base in found.node.bases:
        described |= _described(ast.unparse(base).rpartition(".")[2], method, classes, seen)
    return described


def _entries(docstring: str) -> Iterator[str]:
    joined, changes = docstring, 1
    while changes:
        joined, changes = _WRAPPED_NAMES.subn(r"\1 ", joined)
    for match in _ENTRY.finditer(joined):
        yield from re.findall(r"\w+", re.sub(r"\(.*\)", "", match[1]))
