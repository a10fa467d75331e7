"""What a class inherits from, told by its header and the imports of its module; nothing is imported on the way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from add_model.copies.language.parsing import parse
from add_model.definitions import Definition
from add_model.lexical import logical_lines
from add_model.source import Module

_FROM = re.compile(r"^[ \t]*from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]*(\([^)]*\)|[^\n]*)", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([^\n]+)", re.MULTILINE)
_COMMENT = re.compile(r"#[^\n]*")
# No header is as long that somebody wrote.
_MOST_CHARACTERS = 2_000


def bases(module: Module, definition: Definition) -> list[str]:
    """The names of the classes that a class is derived from, as its header has them; none for a function."""
    start, end = next(logical_lines(module.text, definition.header))
    header = module.text[start:end].strip()
    if not header.startswith("class") or len(header) > _MOST_CHARACTERS:
        return []
    try:
        statement = parse(f"{header.partition('#')[0] if header.count(chr(10)) == 0 else header} pass").body[0]
    except (SyntaxError, ValueError, RecursionError, MemoryError, IndexError):
        return []
    named = statement.bases if isinstance(statement, ast.ClassDef) else []
    return [ast.unparse(base) for base in named if isinstance(base, (ast.Name, ast.Attribute))]


def imported_from(module: Module, path: str, name: str) -> str | None:
    """The dotted path that a module has a name from; `None` where no import brings it.

    Args:
        module: whose name it is.
        path: the module's own dotted path.
        name: what stands in its code, with dots where it is an attribute.
    """
    first, dot, rest = name.partition(".")
    if not re.search(rf"\b{re.escape(first)}\b", module.text):
        return None
    for found, bound in _imports(module, path):
        if bound == first:
            return f"{found}{dot}{rest}"
    return None


def _imports(module: Module, path: str) -> Iterator[tuple[str, str]]:
    """The paths that a module imports, each with the name that it has there."""
    for match in _FROM.finditer(module.text):
        source = _absolute(match[1], path, module.path.name == "__init__.py")
        for part in _COMMENT.sub("", match[2]).strip("()\\ \t\n").split(","):
            words = part.split()
            if source and words and words[0].isidentifier():
                yield f"{source}.{words[0]}", words[-1]
    for match in _IMPORT.finditer(module.text):
        for part in match[1].partition("#")[0].split(","):
            words = part.split()
            if len(words) == 3:
                yield words[0], words[2]
            elif len(words) == 1:
                yield words[0].partition(".")[0], words[0].partition(".")[0]


def _absolute(source: str, path: str, is_package: bool) -> str:
    """The path that an import in the module of a path means, dots at its start resolved; empty where it leads nowhere."""
    names = source.lstrip(".")
    dots = len(source) - len(names)
    if not dots:
        return source
    above = path.split(".")
    up = dots - is_package
    if up >= len(above):
        return ""
    return ".".join([*above[: len(above) - up], *([names] if names else [])])
