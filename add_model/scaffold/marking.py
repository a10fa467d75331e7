"""Markers for what was copied: above every block, the shortest list of replacements that reproduces it.

The checker decides: a marker is written only where it confirms that the block is what the marker says.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from add_model.copies.equality import is_copy
from add_model.copies.marker import Marker, Replacement
from add_model.names import Renaming

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
# Ends of lines as Python counts them; `str.splitlines` knows more of them, which may stand in strings.
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+\Z")
_MOST_PAIRS = 5


@dataclass(frozen=True)
class Block:
    """A top-level class or function of a module: its name, and its lines as `[first, last)`, decorators included."""

    name: str
    first: int
    last: int


def with_markers(text: str, original: str, original_module: str, renaming: Renaming) -> tuple[str, tuple[str, ...]]:
    """Puts a marker above every top-level definition of `text` that is a copy of one of `original`.

    Args:
        text: the source of the new module.
        original: the source of the module it was copied from.
        original_module: dotted path of that module, as markers name it.
        renaming: the renaming that led from one to the other.

    Returns:
        The marked source, and the names of the definitions that no list of replacements reproduces.
    """
    originals = {renaming.identifier(block.name): block for block in blocks(original)}
    lines, original_lines = _LINE.findall(text), _LINE.findall(original)
    unmarked: list[str] = []
    for block in reversed(list(blocks(text))):
        source = originals.get(block.name)
        if source is None:
            continue
        source_text = "".join(original_lines[source.first : source.last])
        replacements = shortest_replacements(source_text, "".join(lines[block.first : block.last]), renaming)
        if replacements is None:
            unmarked.append(block.name)
            continue
        lines.insert(block.first, f"{Marker('', f'{original_module}.{source.name}', replacements)}\n")
    return "".join(lines), tuple(reversed(unmarked))


def shortest_replacements(original: str, copy: str, renaming: Renaming) -> tuple[Replacement, ...] | None:
    """The shortest list of replacements that turns one definition's source into another's; `None` where none does."""
    pairs = [pair for pair in renaming.pairs() if pair[0] in original][:_MOST_PAIRS]
    candidates = itertools.chain(_combinations(pairs), _identifier_lists(original, copy))
    for candidate in candidates:
        replacements = tuple(Replacement(old, new) for old, new in candidate)
        if is_copy(original, copy, replacements):
            return replacements
    return None


def blocks(text: str) -> Iterator[Block]:
    """The top-level classes and functions of a module."""
    for node in ast.parse(text).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield Block(node.name, first - 1, node.end_lineno or node.lineno)


def _combinations(pairs: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    """Every list of some of the pairs, the short ones first, in every order."""
    for count in range(len(pairs) + 1):
        yield from itertools.permutations(pairs, count)


def _identifier_lists(original: str, copy: str) -> Iterator[Sequence[tuple[str, str]]]:
    """Whole identifiers, where no casing of the bare name will do: the long ones first, so that none hits in another."""
    before, after = _IDENTIFIER.findall(original), _IDENTIFIER.findall(copy)
    if len(before) == len(after):
        changed = {pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]}
        yield sorted(changed, key=lambda pair: (-len(pair[0]), pair))
