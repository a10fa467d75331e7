"""Whether the decorators of a copy are those of its original, for libraries that ask for it."""

from __future__ import annotations

import ast

from add_model.copies.judging.pair import Pair
from add_model.copies.language.marker import replace
from add_model.copies.language.parsing import parse
from add_model.copies.language.region import reindent
from add_model.source import Module


def decorators_differ(pair: Pair) -> tuple[str, str] | None:
    """The decorators that a copy should have and those that it has, each in a line; `None` where they are the same."""
    original = pair.original
    expected = _decorators(original.module, original.definition.header)
    expected = [replace(each, pair.marker.replacements) for each in expected]
    found = _decorators(pair.module, pair.header)
    return None if expected == found else (_shown(expected), _shown(found))


def _decorators(module: Module, header: int) -> list[str]:
    """The decorators above a header, as Python writes them."""
    start = module.text.rfind("\n", 0, header) + 1
    named = module.name_at(header)
    definition = module.definitions.get(named) if named else None
    if definition is not None and definition.header == header:
        start = definition.start
    text = reindent(module.text[start:header], "")
    try:
        statement = parse(f"{text}def _(): ...\n").body[0]
    except (SyntaxError, ValueError, RecursionError, MemoryError, IndexError):
        return []
    return [f"@{ast.unparse(each)}" for each in statement.decorator_list] if isinstance(statement, ast.FunctionDef) else []  # fmt: skip


def _shown(decorators: list[str]) -> str:
    return f"`{' '.join(decorators)}`" if decorators else "none"
