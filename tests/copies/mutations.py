"""Single edits of copied blocks and of their originals, as people make them; each changes what the code or a comment says.

An edit is a stretch of a file's text and what stands there instead. Where one can be made is read off the syntax tree.
Whether it makes a difference to any marker, and leaves Python behind, is for the reference to say.
"""

from __future__ import annotations

import ast
import io
import random
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from .reference import Block, File, Mark, Tree, ignored_lines, parse

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_OPERATORS = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "*", "**": "*", "@": "*", "==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "is": "is not", "is not": "is", "in": "not in", "not in": "in", "and": "or", "or": "and", "&": "|", "|": "&", "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*="}  # fmt: skip
# Comments and docstring lines that mean something to a check are no prose.
_SPEAKS_TO_A_CHECK = re.compile(r"opied|# (?:Ignore|End) copy")


@dataclass(frozen=True)
class Edit:
    """New text for the characters `[start, end)` of a file."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Mutant:
    """A file with one edit in it.

    Attributes:
        kind: what sort of edit it is.
        side: whether it was made in a copied block, or in the original of one.
        mark: the marker of that block.
        path: the file that is edited.
        text: its text afterwards.
        before: the lines of the old text, 1-based, that the edit touches.
        lines: the lines of the new one that are no longer what they were; of a deletion the two around it.
    """

    kind: str
    side: str
    mark: Mark
    path: str
    text: str
    before: range
    lines: range

    def __str__(self) -> str:
        place = f"{self.path}:{self.lines.start}"
        return f"{self.kind} in the {self.side} at {place} (marker {self.mark.path}:{self.mark.line})"


class Source:
    """A block of a file as a syntax tree, with the offsets of its nodes."""

    def __init__(self, file: File, block: Block) -> None:
        self.file, self.block, self.text = file, block, file.text
        # Below as many empty lines as there are above it, and one that its indentation asks for, its places hold.
        lines = "\n".join(file.lines[block.header - 1 : block.end])
        above = "\n" * (block.header - 2) + "if 1:\n" if block.column else "\n" * (block.header - 1)
        outer = parse(above + lines).body[0]
        self.node = outer.body[0] if isinstance(outer, ast.If) else outer
        assert isinstance(self.node, (*_FUNCTIONS, ast.ClassDef))
        self.starts = _line_starts(file.text)

    def line(self, number: int) -> int:
        """The offset of a line's start; of the text's end behind its last line."""
        return self.starts[number - 1] if number <= len(self.starts) else len(self.text)

    def offset(self, line: int, column: int) -> int:
        """The offset of a place that `ast` gives as a line and a column in bytes."""
        text = self.file.lines[line - 1]
        return self.line(line) + (column if text.isascii() else len(text.encode()[:column].decode()))

    def span(self, node: ast.expr | ast.stmt | ast.arg) -> tuple[int, int]:
        """The extent of a node."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def whole_lines(self, node: ast.stmt) -> tuple[int, int] | None:
        """The extent of the lines of a statement that shares them with no other."""
        start, end = self.span(node)
        first, behind = self.line(node.lineno), self.line((node.end_lineno or node.lineno) + 1)
        alone = not self.text[first:start].strip() and re.fullmatch(r"\s*(#[^\n]*)?\n?", self.text[end:behind])
        return (first, behind) if alone else None

    def member(self, node: ast.stmt) -> tuple[int, int] | None:
        """The extent of a method with its decorators and the comments directly above it."""
        if not isinstance(node, _FUNCTIONS):
            return None
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        while self.file.lines[first - 2].startswith(" " * node.col_offset + "#"):
            first -= 1
        return self.line(first), self.line((node.end_lineno or node.lineno) + 1)

    def nodes(self) -> Iterator[ast.AST]:
        """Every node of the block; what stands in an f-string has no certain place."""
        waiting: list[ast.AST] = [self.node]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(() if isinstance(node, ast.JoinedStr) else ast.iter_child_nodes(node))

    def bodies(self) -> Iterator[list[ast.stmt]]:
        """Every sequence of statements in the block."""
        for node in self.nodes():
            for name in ("body", "orelse", "finalbody"):
                body = getattr(node, name, None)
                if isinstance(body, list) and body:
                    yield body

    def methods(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """The methods of the classes in the block."""
        for node in self.nodes():
            if isinstance(node, ast.ClassDef):
                yield from (part for part in node.body if isinstance(part, _FUNCTIONS))


@lru_cache(maxsize=16)
def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def _renamed_variables(source: Source) -> Iterator[Edit]:
    for node in source.nodes():
        if isinstance(node, ast.Name) and node.id not in ("self", "super"):
            yield Edit(*source.span(node), f"{node.id}_renamed")


def _docstrings(source: Source) -> Iterator[ast.Constant]:
    for node in source.nodes():
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and ast.get_docstring(node, clean=False) is not None:
            yield node.body[0].value  # type: ignore[attr-defined]


def _changed_constants(source: Source) -> Iterator[Edit]:
    docstrings = list(_docstrings(source))
    for node in source.nodes():
        if isinstance(node, ast.Constant) and node not in docstrings:
            start, end = source.span(node)
            changed = _another_value(node.value, source.text[start:end])
            if changed is not None:
                yield Edit(start, end, changed)


def _another_value(value: object, written: str) -> str | None:
    if isinstance(value, bool) or value is None:
        return {True: "False", False: "True", None: "0"}[value]
    if isinstance(value, (int, float)):
        return repr(value + 1) if value + 1 != value else None
    if isinstance(value, str) and re.fullmatch(r"'[^'\\\n]*'|\"[^\"\\\n]*\"", written):
        return f"{written[:-1]}_changed{written[-1]}"
    return None


def _changed_operators(source: Source) -> Iterator[Edit]:
    for node in source.nodes():
        sides: list[tuple[ast.expr, ast.expr]] = []
        if isinstance(node, ast.BinOp):
            sides = [(node.left, node.right)]
        elif isinstance(node, ast.BoolOp):
            sides = list(zip(node.values[:1], node.values[1:2], strict=True))
        elif isinstance(node, ast.Compare):
            sides = [(node.left, node.comparators[0])]
        elif isinstance(node, ast.AugAssign):
            sides = [(node.target, node.value)]
        for left, right in sides:
            start, end = source.span(left)[1], source.span(right)[0]
            written = source.text[start:end]
            changed = _OPERATORS.get(written.strip())
            if changed is not None:
                yield Edit(start, end, written.replace(written.strip(), changed))


def _deleted_lines(source: Source) -> Iterator[Edit]:
    for body in source.bodies():
        for statement in body if len(body) > 1 else []:
            lines = source.whole_lines(statement)
            if lines is not None and not isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
                yield Edit(*lines, "")


def _added_lines(source: Source) -> Iterator[Edit]:
    for body in source.bodies():
        for statement in body:
            lines = source.whole_lines(statement)
            if lines is not None and not hasattr(statement, "decorator_list"):
                yield Edit(lines[0], lines[0], f"{' ' * statement.col_offset}added_line = 1\n")


def _functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in source.nodes() if isinstance(node, _FUNCTIONS))


def _added_parameters(source: Source) -> Iterator[Edit]:
    for node in _functions(source):
        last = (node.args.defaults or node.args.args)[-1:]
        for parameter in last:
            end = source.span(parameter)[1]
            yield Edit(end, end, ", added_parameter=None")


def _changed_defaults(source: Source) -> Iterator[Edit]:
    for node in _functions(source):
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                yield Edit(*source.span(default), "changed_default")


def _changed_bases(source: Source) -> Iterator[Edit]:
    for node in source.nodes():
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                yield Edit(*source.span(base), "ChangedBase")
                yield Edit(source.span(base)[0], source.span(base)[0], "AddedBase, ")


def _edited_comments(source: Source) -> Iterator[Edit]:
    block = source.text[source.line(source.block.header) : source.line(source.block.end + 1)]
    try:
        for token in tokenize.generate_tokens(io.StringIO(block).readline):
            if token.type != tokenize.COMMENT or _SPEAKS_TO_A_CHECK.search(token.string):
                continue
            start = source.line(source.block.header + token.start[0] - 1) + token.start[1]
            end = start + len(token.string)
            yield Edit(end, end, " edited")
            if not token.line[: token.start[1]].strip():
                number = source.block.header + token.start[0] - 1
                yield Edit(source.line(number), source.line(number + 1), "")
    except (tokenize.TokenError, IndentationError):
        return


def _edited_docstrings(source: Source) -> Iterator[Edit]:
    for node in _docstrings(source):
        start, end = source.span(node)
        for word in re.finditer(r"[A-Za-z]{4,}", source.text[start:end]):
            yield Edit(start + word.start(), start + word.end(), f"{word.group()}s")


def _swapped_methods(source: Source) -> Iterator[Edit]:
    for node in source.nodes():
        if isinstance(node, ast.ClassDef):
            for one, other in zip(node.body, node.body[1:], strict=False):
                first, second = source.member(one), source.member(other)
                if first is not None and second is not None and first[1] <= second[0]:
                    between = source.text[first[1] : second[0]]
                    if not between.strip():
                        swapped = source.text[slice(*second)] + between + source.text[slice(*first)]
                        yield Edit(first[0], second[1], swapped)


def _changed_decorators(source: Source) -> Iterator[Edit]:
    for node in source.methods():
        if node is source.node:
            continue
        yield Edit(source.line(node.lineno), source.line(node.lineno), f"{' ' * node.col_offset}@added_decorator\n")
        for decorator in node.decorator_list:
            behind = source.line((decorator.end_lineno or decorator.lineno) + 1)
            yield Edit(source.line(decorator.lineno), behind, "")


def _changed_indentations(source: Source) -> Iterator[Edit]:
    for body in source.bodies():
        for before, statement in zip(body, body[1:], strict=False):
            lines = source.whole_lines(statement)
            if lines is None or statement.lineno != statement.end_lineno:
                continue
            # A line falls out of the block around it, or into the one above it.
            if statement is body[-1] and source.text[lines[0] : lines[0] + 4].isspace():
                yield Edit(lines[0], lines[0] + 4, "")
            if isinstance(before, (ast.If, ast.For, ast.While, ast.With)):
                yield Edit(lines[0], lines[0], "    ")


def _added_methods(source: Source) -> Iterator[Edit]:
    for node in source.methods():
        span = source.member(node)
        if node is not source.node and span is not None:
            indent = " " * node.col_offset
            text = f"{indent}def added_method(self):\n{indent}    return None\n\n"
            yield Edit(span[0], span[0], text)
            yield Edit(span[1], span[1], f"\n{text}")


def _removed_methods(source: Source) -> Iterator[Edit]:
    for node in source.methods():
        span = source.member(node)
        if node is not source.node and span is not None:
            yield Edit(*span, "")


KINDS: dict[str, Callable[[Source], Iterator[Edit]]] = {
    "a variable renamed": _renamed_variables,
    "a constant": _changed_constants,
    "an operator": _changed_operators,
    "a line deleted": _deleted_lines,
    "a line added": _added_lines,
    "a parameter added": _added_parameters,
    "a default": _changed_defaults,
    "a base class": _changed_bases,
    "a comment": _edited_comments,
    "a docstring": _edited_docstrings,
    "two methods swapped": _swapped_methods,
    "a decorator": _changed_decorators,
    "an indentation": _changed_indentations,
    "a method added": _added_methods,
    "a method removed": _removed_methods,
}


def edits_of_kind(source: Source, kind: str) -> list[Edit]:
    """Every edit of a kind that can be made in a block."""
    return list(KINDS[kind](source))


def applied(text: str, edits: list[Edit]) -> str:
    """The text with edits made in it, none of which overlap."""
    for edit in sorted(edits, key=lambda edit: -edit.start):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def mutate(tree: Tree, mark: Mark, kind: str, side: str, chance: random.Random) -> Mutant | None:
    """One edit of that kind on that side of a marker, chosen by chance; `None` where there is none to be made.

    The edit lies outside what the marker's copy ignores. The text that it leaves behind need not be Python.
    """
    file, block = _edited_block(tree, mark, side)
    if file is None or block is None:
        return None
    own_affair = ignored_lines(file, block) if side == "copy" else set()
    edits = edits_of_kind(Source(file, block), kind)
    if not edits:
        return None
    edit = chance.choice(edits)
    text = applied(file.text, [edit])
    first = file.text.count("\n", 0, edit.start) + 1
    last = file.text.count("\n", 0, max(edit.start, edit.end - 1)) + 1
    if own_affair & set(range(first - (edit.start == edit.end), last + 1)):
        return None
    behind = first + edit.text.rstrip("\n").count("\n")
    lines = range(first, behind + 1) if edit.text.strip() else range(first - 1, first + 1)
    return Mutant(kind, side, mark, file.path, text, range(first, last + 1), lines)


def _edited_block(tree: Tree, mark: Mark, side: str) -> tuple[File | None, Block | None]:
    if side == "copy":
        return tree.file(mark.path), mark.copy
    found = tree.original(mark.source)
    return (found[0], found[1]) if found is not None else (None, None)
