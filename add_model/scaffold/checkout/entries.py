"""A new entry's text, made of the entry that it resembles: its strings replaced, its layout as a formatter leaves it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from add_model.errors import AddModelError
from add_model.scaffold.source_tree.listing import LINE_LENGTH
from add_model.scaffold.source_tree.tables import Entry
from add_model.syntax_tree import expression_tree

_INDENT = "    "
_BRACKETS: Mapping[type[ast.expr], tuple[str, str]] = {
    ast.Tuple: ("(", ")"),
    ast.List: ("[", "]"),
    ast.Set: ("{", "}"),
}


def resembling(content: bytes, path: Path, entry: Entry, key: str, values: Mapping[str, str]) -> str:
    """The entry with another key, and with the strings of its value replaced where `values` names them.

    Raises:
        AddModelError: a string to be replaced is not spelled plainly, in one pair of quotes.
    """
    parts, start = [], entry.start
    for place, text in enumerate(entry.texts):
        new = key if place == 0 else values.get(text.value, text.value)
        if new == text.value:
            continue
        if content[text.start : text.end] != text.value.encode():
            raise AddModelError(f"{path}:{entry.line}: {text.value!r} is not spelled as one plain string; write it so and run again")  # fmt: skip
        parts += [content[start : text.start], new.encode()]
        start = text.end
    return b"".join([*parts, content[start : entry.end]]).decode()


def fitted(entry: str, indent: str, line_length: int = LINE_LENGTH) -> str:
    """The entry with lines that are too long broken up, as ruff and black break them: each element on its own line.

    Args:
        entry: its text, without a comma; it starts behind the indentation of its first line.
        indent: that indentation.
        line_length: what a line may hold, comma included.
    """
    if all(len(line) < line_length for line in (indent + entry).splitlines()):
        return entry
    return _Layout(entry, line_length).entry(indent)


class _Layout:
    """One entry, laid out again from its syntax; comments in it are kept by leaving it as it is."""

    def __init__(self, entry: str, line_length: int) -> None:
        self.text = entry
        self.line_length = line_length

    def entry(self, indent: str) -> str:
        if "#" in self.text:
            return self.text
        try:
            dictionary = expression_tree(f"{{{self.text}}}").body
        except SyntaxError:
            return self.text
        if isinstance(dictionary, ast.Dict) and dictionary.keys[0] is not None:
            key = _source(dictionary.keys[0])
            return f"{key}: {self._value(dictionary.values[0], indent, len(key) + 2)}"
        if isinstance(dictionary, ast.Set):
            return self._value(dictionary.elts[0], indent, 0)
        return self.text

    def _value(self, node: ast.expr, indent: str, before: int) -> str:
        """A value on one line where it fits behind what stands before it, else with its elements on lines of their own."""
        flat, inner = _source(node), indent + _INDENT
        # The comma behind it is on the line, too.
        if len(indent) + before + len(flat) + 1 <= self.line_length:
            return flat
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            opening, closing = _BRACKETS[type(node)]
            lines = [f"{inner}{self._value(element, inner, 0)},\n" for element in node.elts]
            return f"{opening}\n{''.join(lines)}{indent}{closing}"
        if isinstance(node, ast.Dict) and all(node.keys):
            pairs = [
                (_source(key), value) for key, value in zip(node.keys, node.values, strict=True) if key is not None
            ]
            lines = [f"{inner}{key}: {self._value(value, inner, len(key) + 2)},\n" for key, value in pairs]
            return f"{{\n{''.join(lines)}{indent}}}"
        if isinstance(node, ast.IfExp):
            lines = [_source(node.body), f"if {_source(node.test)}", f"else {_source(node.orelse)}"]
            return f"\n{indent}".join(lines)
        return flat


def _source(node: ast.expr) -> str:
    """A node on one line, in the quotes that these tables use."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return f'"{node.value}"' if '"' not in node.value and "\\" not in node.value else repr(node.value)
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        inner = ", ".join(map(_source, node.elts))
        if isinstance(node, ast.Tuple):
            return f"({inner},)" if len(node.elts) == 1 else f"({inner})"
        return f"[{inner}]" if isinstance(node, ast.List) else f"{{{inner}}}"
    if isinstance(node, ast.Dict) and all(node.keys):
        pairs = zip(node.keys, node.values, strict=True)
        return "{" + ", ".join(f"{_source(key)}: {_source(value)}" for key, value in pairs if key is not None) + "}"
    if isinstance(node, ast.IfExp):
        orelse = _source(node.orelse)
        orelse = f"({orelse})" if isinstance(node.orelse, ast.IfExp) else orelse
        return f"{_source(node.body)} if {_source(node.test)} else {orelse}"
    return ast.unparse(node)
