"""Markers for what was copied: above every block, the shortest list of replacements that reproduces it.

The checker decides: a marker is written only where it confirms that the block is what the marker says. And only where a
script that reads line by line, as the libraries have one of their own, can take original and copy apart: there, right
above the header, so that decorators stand above the marker.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from add_model.copies.language.equality import is_copy
from add_model.copies.language.marker import Marker, Replacement, read_comment, replace
from add_model.copies.language.parts import parts_of
from add_model.scaffold.copied_text.replacements import Pair, shortest_replacements
from add_model.syntax_tree import syntax_tree

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+\Z")
_DEFINITION = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_CONDITIONAL = (ast.If, ast.Try, ast.With)
_NOT_REPRODUCED = "no list of replacements reproduces it"
_ASTRAY = "a marker within it has replacements that hit each other under the new name"
_SORTED = "what it imports stands in another order under the new names"
_NOT_READABLE = "scripts that read line by line cannot take it apart"


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
        header: the number of the line with its `class` or `def`.
        last: the number of the line behind its last one.
        column: how far it is indented.
    """

    name: str
    first: int
    header: int
    last: int
    column: int = 0


class Unmarked(NamedTuple):
    """A definition that is a copy and gets no marker, and why that is."""

    name: str
    why: str


def with_markers(
    text: str, original: str, original_module: str, renaming: Renames
) -> tuple[str, tuple[Unmarked, ...]]:
    """Puts a marker above every definition of a module's top level that is a copy of one of `original`.

    Args:
        text: the source of the new module.
        original: the source of the module it was copied from.
        original_module: dotted path of that module, as markers name it.
        renaming: the renaming that led from one to the other.

    Returns:
        The marked source, and the definitions that get no marker.
    """
    return mark_blocks(text, list(blocks(text)), original, list(blocks(original)), original_module, renaming)


def mark_blocks(
    text: str, own: Sequence[Block], original: str, theirs: Sequence[Block], original_module: str, renaming: Renames
) -> tuple[str, tuple[Unmarked, ...]]:
    """Does what `with_markers` does, for modules whose blocks are known."""
    # Of several definitions of one name a marker names the first.
    originals = {renaming.identifier(block.name): block for block in reversed(theirs)}
    lines, original_lines = lines_of(text), lines_of(original)
    unmarked: list[Unmarked] = []
    for block in reversed(own):
        source = originals.get(block.name)
        if source is None:
            continue
        found = _replacements(original_lines, source, lines, block, renaming)
        if isinstance(found, str):
            unmarked.append(Unmarked(block.name, found))
            continue
        inner = {number: replace(line, found) for number, line in _inner_markers(original_lines, source, lines, block)}
        astray = [number for number, line in inner.items() if _goes_astray(line)]
        if astray:
            unmarked.append(Unmarked(block.name, _ASTRAY))
            for number in reversed(astray):
                del lines[number]
            continue
        for number in reversed([*_marker_numbers(lines, block)]):
            # One that cannot be told from the original's others is none of them.
            lines[number : number + 1] = [inner[number]] if number in inner else []
        marker = Marker(" " * block.column, f"{original_module}.{source.name}", found)
        lines.insert(block.header, f"{marker}\n")
    return "".join(lines), tuple(reversed(unmarked))


def readable_markers(before: str, after: str) -> tuple[str, tuple[Unmarked, ...]]:
    """A marked module as it was laid out, less the markers of what is no copy as it stands now.

    A header that has grown longer may stand on several lines, and its original's on one; and what is imported within a
    definition is sorted by its new names.

    Args:
        before: the module as it was marked, line by line like its original.
        after: the same module, laid out.

    Returns:
        The module as it can be written, and the definitions that have lost their marker.
    """
    known = {place: lines for place, lines, _ in _marked(before)}
    marked = [(number, place[0], _why_lost(known.get(place), lines)) for place, lines, number in _marked(after)]
    lines = lines_of(after)
    lost = [(number, Unmarked(name, why)) for number, name, why in marked if why is not None]
    for number, _ in reversed(lost):
        del lines[number]
    return "".join(lines), tuple(unmarked for _, unmarked in lost)


def _why_lost(before: list[str] | None, after: list[str]) -> str | None:
    """Why a definition has lost its marker by how it was laid out; `None` where it has not."""
    if before is None or parts_of(before) != parts_of(after):
        return _NOT_READABLE
    is_same = before == after or is_copy("\n".join(before), "\n".join(after))
    return None if is_same else _SORTED


def _marked(text: str) -> Iterator[tuple[tuple[str, str], list[str], int]]:
    """Every definition right below a marker: its name and the marker's path, its lines, and the marker's number."""
    lines = lines_of(text)
    for block in blocks(text):
        marker = read_comment(lines[block.header - 1].rstrip("\r\n")) if block.header else None
        if isinstance(marker, Marker):
            yield (block.name, marker.source), _from_header(lines, block), block.header - 1


def _replacements(
    original_lines: Sequence[str], source: Block, lines: Sequence[str], block: Block, renaming: Renames
) -> tuple[Replacement, ...] | str:
    """The shortest list that makes one block of the other, or why there is to be no marker."""
    parts = parts_of(_from_header(original_lines, source))
    # What stands below a condition, or behind an `@overload` of its name, is found by no such script.
    if (
        parts is None
        or source.header != _first_of(original_lines, source.name)
        or parts != parts_of(_from_header(lines, block))
    ):
        return _NOT_READABLE
    source_text, block_text = _dedented(original_lines, source), _dedented(lines, block)
    found = shortest_replacements(source_text, block_text, renaming.pairs())
    return _NOT_REPRODUCED if found is None else found


def _first_of(lines: Sequence[str], name: str) -> int | None:
    """The number of the first line at column 0 that begins a definition of a name."""
    begins = re.compile(rf"(?:class|def) +{re.escape(name)}[(:]")
    return next((number for number, line in enumerate(lines) if begins.match(line)), None)


def _inner_markers(
    original_lines: Sequence[str], source: Block, lines: Sequence[str], block: Block
) -> Iterator[tuple[int, str]]:
    """The markers in a block, each by its number and with that of the original.

    To a library's own script they are lines of the block, which its copy has with the same replacements.
    """
    own, theirs = ([*_marker_numbers(*each)] for each in ((lines, block), (original_lines, source)))
    if len(own) == len(theirs):
        yield from ((number, original_lines[other]) for number, other in zip(own, theirs, strict=True))


def _goes_astray(line: str) -> bool:
    """Whether a replacement of a marker hits what one before it has made: `T5->MyMt5, t5->my_mt5`."""
    marker = read_comment(line.rstrip("\r\n"))
    made: list[str] = []
    for replacement in marker.replacements if isinstance(marker, Marker) else ():
        for old, new in replacement.pairs():
            if any(old in text for text in made):
                return True
            made.append(new)
    return False


def _marker_numbers(lines: Sequence[str], block: Block) -> Iterator[int]:
    for number in range(block.header, block.last):
        if isinstance(read_comment(lines[number].rstrip("\r\n")), Marker):
            yield number


def blocks(text: str) -> Iterator[Block]:
    """The classes and functions of a module's top level, those below `if`, `try` and `with` included."""
    return blocks_of(syntax_tree(text).body)


def blocks_of(body: Iterable[ast.stmt]) -> Iterator[Block]:
    """The classes and functions among statements of a module's top level.

    An `@overload` is left out: it says how the function is called that follows it, and no marker can name it.
    """
    for node in top_level(body):
        if isinstance(node, _DEFINITION) and not any(map(_is_overload, node.decorator_list)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield Block(node.name, first - 1, node.lineno - 1, node.end_lineno or node.lineno, node.col_offset)


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


def _from_header(lines: Sequence[str], block: Block) -> list[str]:
    """The lines of a block without its decorators, at column 0 and without their ends.

    Comments behind its last statement are lines of it to whoever goes by their indentation.
    """
    indent = " " * block.column
    end = block.last
    for number in range(block.last, len(lines)):
        if lines[number].strip() and not lines[number].startswith(f"{indent} "):
            break
        end = number + 1 if lines[number].strip() else end
    return [line.removeprefix(indent).rstrip("\r\n") for line in lines[block.header : end]]


def _dedented(lines: Sequence[str], block: Block) -> str:
    indent = " " * block.column
    return "".join(line.removeprefix(indent) for line in lines[block.first : block.last])
