"""Markers for what was copied: above every block, the shortest list of replacements that reproduces it.

The checker decides: a marker is written only where it confirms that the block is what the marker says.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from add_model.copies.marker import Marker
from add_model.scaffold.copied_text.replacements import Pair, shortest_replacements

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+\Z")
_DEFINITION = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_CONDITIONAL = (ast.If, ast.Try, ast.With)


def lines_of(text: str) -> list[str]:
    """The lines of a module with their ends, as Python counts them.

    `str.splitlines` knows more ends of lines, which may stand in strings.
    """
    return _LINE.findall(text)


class Renames(Protocol):
    """A renaming, as far as markers are concerned."""

    def identifier(self, identifier: str) -> str:
        """The new name of a definition."""

    def pairs(self) -> Sequence[Pair]:
        """Every way in which the old name is spelled, with what it becomes."""


@dataclass(frozen=True)
class Block:
    """A class or function of a module, at its top level or below an `if` or `try` there.

    Attributes:
        name: its name.
        first: the 0-based number of its first line, decorators included.
        last: the number of the line behind its last one.
        column: how far it is indented.
    """

    name: str
    first: int
    last: int
    column: int = 0


def with_markers(text: str, original: str, original_module: str, renaming: Renames) -> tuple[str, tuple[str, ...]]:
    """Puts a marker above every definition of a module's top level that is a copy of one of `original`.

    Args:
        text: the source of the new module.
        original: the source of the module it was copied from.
        original_module: dotted path of that module, as markers name it.
        renaming: the renaming that led from one to the other.

    Returns:
        The marked source, and the names of the definitions that no list of replacements reproduces.
    """
    return mark_blocks(text, list(blocks(text)), original, list(blocks(original)), original_module, renaming)


def mark_blocks(
    text: str, own: Sequence[Block], original: str, theirs: Sequence[Block], original_module: str, renaming: Renames
) -> tuple[str, tuple[str, ...]]:
    """Does what `with_markers` does, for modules whose blocks are known."""
    # Of several definitions of one name a marker names the first.
    originals = {renaming.identifier(block.name): block for block in reversed(theirs)}
    lines, original_lines = lines_of(text), lines_of(original)
    unmarked: list[str] = []
    for block in reversed(own):
        source = originals.get(block.name)
        if source is None:
            continue
        source_text, block_text = _dedented(original_lines, source), _dedented(lines, block)
        replacements = shortest_replacements(source_text, block_text, renaming.pairs())
        if replacements is None:
            unmarked.append(block.name)
            continue
        marker = Marker(" " * block.column, f"{original_module}.{source.name}", replacements)
        lines.insert(block.first, f"{marker}\n")
    return "".join(lines), tuple(reversed(unmarked))


def blocks(text: str) -> Iterator[Block]:
    """The classes and functions of a module's top level, those below `if`, `try` and `with` included."""
    return blocks_of(ast.parse(text).body)


def blocks_of(body: Iterable[ast.stmt]) -> Iterator[Block]:
    """The classes and functions among statements of a module's top level.

    An `@overload` is left out: it says how the function is called that follows it, and no marker can name it.
    """
    for node in top_level(body):
        if isinstance(node, _DEFINITION) and not any(map(_is_overload, node.decorator_list)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield Block(node.name, first - 1, node.end_lineno or node.lineno, node.col_offset)


def top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module's top level, those below `if`, `try` and `with` included."""
    for statement in body:
        yield statement
        if isinstance(statement, _CONDITIONAL):
            for part in ("body", "orelse", "finalbody"):
                yield from top_level(getattr(statement, part, ()))
            for handler in getattr(statement, "handlers", ()):
                yield from top_level(handler.body)


def _is_overload(decorator: ast.expr) -> bool:
    return ast.unparse(decorator).rpartition(".")[2] == "overload"


def _dedented(lines: Sequence[str], block: Block) -> str:
    indent = " " * block.column
    return "".join(line.removeprefix(indent) for line in lines[block.first : block.last])
