"""What a docs page says of a model's classes, read from their source, and the entry in the docs index."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from add_model.syntax_tree import syntax_tree
from add_model.visible import visible

_INDEX_HEADING = "## Models"
_ENTRY = "- "
# A string as `ast` writes it, whose quotes can be others without changing more.
_SINGLE_QUOTED = re.compile(r"""(?<![\w'"\\])'([^'"\\]*)'""")


@dataclass(frozen=True)
class DocumentedClass:
    """A class for the docs page.

    Attributes:
        name: its name.
        module: the stem of the file it stands in.
        docstring: its docstring, dedented; empty where it has none.
        signature: what is called: `BertModel.forward(...)`, or the constructor of a class that has no forward.
        is_public: whether users import it, rather than a building block of the file.
    """

    name: str
    module: str
    docstring: str
    signature: str
    is_public: bool

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.docstring.split("\n", 1)[0]


def document(modules: Mapping[Path, str]) -> tuple[DocumentedClass, ...]:
    """Every class of a model's own modules; its tests' are left out."""
    public: set[str] = set()
    for path, text in modules.items():
        public |= _exported(text) if path.name == "__init__.py" else listed(text)
    sources = {path: text for path, text in modules.items() if not path.name.startswith(("test_", "__init__"))}
    return tuple(found for path, text in sources.items() for found in _classes(path.stem, text, public))


def listed(text: str) -> set[str]:
    """What a module says in its `__all__` that it offers."""
    return {
        element.value
        for node in syntax_tree(text).body
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "__all__" for target in node.targets)
        for element in ast.walk(node.value)
        if isinstance(element, ast.Constant) and isinstance(element.value, str)
    }


def with_index_entry(text: str, entry: str) -> str | None:
    """Adds a line to the list below the heading `## Models`, at its place by the alphabet.

    Returns:
        The new text; the same text where the entry stands already; `None` where there is no such heading.
    """
    lines = text.splitlines(keepends=True)
    headings = [number for number, line in enumerate(lines) if line.strip() == _INDEX_HEADING]
    if not headings:
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    start = headings[0] + 1
    end = next((number for number in range(start, len(lines)) if lines[number].startswith("#")), len(lines))
    target = entry.partition(")")[0]
    entries = [number for number in range(start, end) if lines[number].startswith(_ENTRY)]
    if any(lines[number].startswith(target) for number in entries):
        return text
    later = [number for number in entries if lines[number].casefold() > entry.casefold()]
    if later:
        place = later[0]
    elif entries:
        place = entries[-1] + 1
        # The lines that continue the last entry are indented.
        while place < end and lines[place].startswith((" ", "\t")):
            place += 1
    else:
        place = start
        while place < end and not lines[place].strip():
            place += 1
        entry = f"{entry}{newline}" if place < len(lines) else entry
    if place and not lines[place - 1].endswith("\n"):
        lines[place - 1] += newline
    return "".join([*lines[:place], f"{entry}{newline}", *lines[place:]])


def _exported(text: str) -> set[str]:
    return {
        alias.asname or alias.name
        for node in syntax_tree(text).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _classes(module: str, text: str, public: set[str]) -> Iterator[DocumentedClass]:
    for node in syntax_tree(text).body:
        if isinstance(node, ast.ClassDef):
            docstring = inspect.cleandoc(ast.get_docstring(node) or "")
            yield DocumentedClass(node.name, module, _paged(docstring), _paged(_signature(node)), node.name in public)


def _paged(text: str) -> str:
    """A text of the code as a page shows it, where nobody sees what hides in it."""
    return visible(text, keep="\t\n")


def _signature(node: ast.ClassDef) -> str:
    methods = {method.name: method for method in node.body if isinstance(method, ast.FunctionDef)}
    for name, shown in (
        ("forward", f"{node.name}.forward"),
        ("__call__", f"{node.name}.__call__"),
        ("__init__", node.name),
    ):
        if name in methods:
            return _call(shown, methods[name])
    return f"{node.name}(...)"


def _call(shown: str, method: ast.FunctionDef) -> str:
    arguments = _as_text(method.args).removeprefix("self, ").removeprefix("self")
    returns = f" -> {_as_text(method.returns)}" if method.returns is not None and method.name != "__init__" else ""
    one_line = f"{shown}({arguments}){returns}"
    if len(one_line) <= 88:
        return one_line
    parts = _parameters(method.args)
    return f"{shown}(\n" + "".join(f"    {part},\n" for part in parts) + f"){returns}"


def _parameters(arguments: ast.arguments) -> list[str]:
    """Each parameter with its annotation and default, as written between the parentheses, `self` left out."""
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    parts = [_parameter(argument, default) for argument, default in zip(positional, defaults, strict=True)]
    if arguments.vararg is not None:
        parts.append(f"*{ast.unparse(arguments.vararg)}")
    elif arguments.kwonlyargs:
        parts.append("*")
    parts += [
        _parameter(argument, default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg is not None:
        parts.append(f"**{ast.unparse(arguments.kwarg)}")
    return parts[1:] if positional and positional[0].arg == "self" else parts


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    shown = _as_text(argument)
    if default is None:
        return shown
    return f"{shown} = {_as_text(default)}" if argument.annotation is not None else f"{shown}={_as_text(default)}"


def _as_text(node: ast.AST) -> str:
    """A piece of code as a formatter writes it, which may look into pages, too."""
    return _SINGLE_QUOTED.sub(r'"\1"', ast.unparse(node))
