"""Imports that a model does without, so guarded that code loaded with a checkpoint does not ask for them.

Who loads a model's code from a checkpoint's folder has Transformers look first at what it imports, wherever in a module
that stands: all of it must be installed, but for what is imported in a `try` or where a package is known to be there.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence

from add_model.copies.language.marker import Marker, read_comment
from add_model.copies.language.region import IGNORE_COPY
from add_model.scaffold.checkout.layout import PACKAGE
from add_model.scaffold.copied_text.marking import Unmarked, lines_of
from add_model.syntax_tree import syntax_tree

_AVAILABLE = re.compile(r"is_\w+_available")
# Whatever depends on Transformers to run models has these.
_ALWAYS_THERE = frozenset({PACKAGE, "torch", "numpy", *sys.stdlib_module_names})
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_WHY = "it guards an import that its original does not, so that it can be loaded where that package is missing"


def with_guarded_imports(text: str) -> tuple[str, tuple[Unmarked, ...]]:
    """A module whose optional imports stand in a `try` each.

    A method with such an import is no copy of its original any more, and says so; a function loses its marker.

    Args:
        text: the source of the module, marked.

    Returns:
        The source, and the functions that have lost their marker.
    """
    tree, lines = syntax_tree(text), lines_of(text)
    found = list(_optional(tree))
    unmarked: list[Unmarked] = []
    # From the end on, so that the numbers of what is left stay right.
    for function in sorted(
        {id(node): node for node, _ in found if node is not None}.values(), key=_line, reverse=True
    ):
        own = [statement for node, statement in found if node is function]
        for statement in reversed(own):
            _guard(lines, statement)
        if function.col_offset:
            lines.insert(_line(function), f"{' ' * function.col_offset}{IGNORE_COPY}\n")
        elif isinstance(read_comment(lines[function.lineno - 2].rstrip("\r\n")), Marker):
            del lines[function.lineno - 2]
            unmarked.append(Unmarked(function.name, _WHY))
    if not any(node is None for node, _ in found):
        return "".join(lines), tuple(reversed(unmarked))
    # What stands at the top level is found anew, where it stands by now.
    text = "".join(lines)
    lines = lines_of(text)
    for node, statement in reversed(list(_optional(syntax_tree(text)))):
        if node is None:
            _guard(lines, statement)
    return "".join(lines), tuple(reversed(unmarked))


def _line(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The number of a function's first line, decorators included, from 0."""
    return min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)]) - 1


def _optional(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef | None, ast.stmt]]:
    """Every statement that imports what need not be there, behind the function or method that it stands in."""
    required = {name for statement in tree.body for name in _imported(statement)} | _ALWAYS_THERE
    for function, statement in _nested(tree.body, None, True):
        if any(name not in required for name in _imported(statement)):
            yield function, statement


def _nested(
    body: Sequence[ast.stmt], function: ast.FunctionDef | ast.AsyncFunctionDef | None, is_top: bool
) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef | None, ast.stmt]]:
    """The imports below a module's top level that no `try` and no question for a package stands around."""
    for statement in body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            if not is_top:
                yield function, statement
        elif isinstance(statement, ast.Try) or (isinstance(statement, ast.If) and _asks(statement.test)):
            continue
        else:
            inner = statement if isinstance(statement, _FUNCTION) and function is None else function
            for part in ("body", "orelse"):
                yield from _nested(getattr(statement, part, ()), inner, False)


def _asks(test: ast.expr) -> bool:
    calls = (node.func for node in ast.walk(test) if isinstance(node, ast.Call))
    return any(isinstance(function, ast.Name) and _AVAILABLE.fullmatch(function.id) for function in calls)


def _imported(statement: ast.stmt) -> list[str]:
    """The packages that a statement imports from."""
    if isinstance(statement, ast.Import):
        return [alias.name.partition(".")[0] for alias in statement.names]
    if isinstance(statement, ast.ImportFrom) and not statement.level:
        return [(statement.module or "").partition(".")[0]]
    return []


def _guard(lines: list[str], statement: ast.stmt) -> None:
    """Puts the lines of a statement into a `try`."""
    first, last, indent = statement.lineno - 1, statement.end_lineno or statement.lineno, " " * statement.col_offset
    guarded = [f"    {line}" for line in lines[first:last]]
    lines[first:last] = [f"{indent}try:\n", *guarded, f"{indent}except ImportError:\n", f"{indent}    raise\n"]
