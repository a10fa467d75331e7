"""A class or function under another name: where it stands, in the modules that import it, and in the markers that name it."""

from __future__ import annotations

import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from itertools import pairwise

from add_model.copies.fixing.edits import Edit
from add_model.copies.fixing.modules import Modules
from add_model.copies.language.marker import Marker, find_comments
from add_model.copies.reading.inherited import imported_from
from add_model.copies.reading.sources import Origin, Original
from add_model.editor.held import Held, offset_of
from add_model.editor.ways import Span
from add_model.encoding import SourceError
from add_model.errors import AddModelError
from add_model.source import Module

_NAME = re.compile(r"\w+")


def renamed_at(held: Held, path: str, line: int, column: int) -> Span | None:
    """The name at a column of a line, both counted from 0, if it is one that can be changed with the markers that name it."""
    found = _target(held, path, line, column)
    return found[0] if found is not None else None


def renamed(held: Held, path: str, line: int, column: int, new: str) -> dict[Module, list[Edit]]:
    """The edits that give the definition at a column of a line another name.

    Raises:
        AddModelError: there is none, or nothing can have the new name.
    """
    if not new.isidentifier() or keyword.iskeyword(new):
        raise AddModelError(f"{new!r} is no name; a name is made of letters, digits and underscores")
    found = _target(held, path, line, column)
    if found is None:
        raise AddModelError(
            "only classes and functions at the left of a module are renamed, at their header or in a marker"
        )
    original = found[1]
    old, home = original.definition.name, original.module
    if new in home.definitions:
        raise AddModelError(f"{home.path.name} holds a {new} already")
    edits: dict[Module, list[Edit]] = {
        home: [Edit(*extent, new) for extent in _names(home.text, old, with_strings=True)]
    }
    modules = Modules(held.sources)
    for module in held.modules_holding(old):
        own = modules.home(module.place)
        source = imported_from(module, own.dotted, old) if own is not None and module is not home else None
        if source is not None and _is(held, source, original):
            edits.setdefault(module, []).extend(Edit(*extent, new) for extent in _names(module.text, old))
        for start, end in _in_markers(held, module, original):
            edits.setdefault(module, []).append(Edit(start, end, new))
    return edits


def _target(held: Held, path: str, line: int, column: int) -> tuple[Span, Original] | None:
    module = held.module(path)
    if module is None:
        return None
    at = offset_of(module.text, line) + column
    marker = held.marker_at(path, line)
    original = held.original(marker[1]) if marker is not None else None
    if original is not None and original.origin is Origin.LIBRARY:
        top = original.module.find(original.definition.name.partition(".")[0])
        found = Original(original.module, top, original.origin) if top is not None else None
        extents = _in_markers(held, module, found) if found is not None else ()
        return next(((Span(module, *each), found) for each in extents if found and each[0] <= at <= each[1]), None)
    for definition in module.definitions.values():
        name = module.text.find(definition.name, definition.header)
        if "." not in definition.name and name <= at <= name + len(definition.name):
            span = Span(module, name, name + len(definition.name))
            return span, Original(module, definition, Origin.LIBRARY)
    return None


def _is(held: Held, source: str, original: Original) -> bool:
    """Whether a path leads to a definition."""
    try:
        found = held.sources.find(source)
    except SourceError:
        return False
    return isinstance(found, Original) and found.place == original.place


def _in_markers(held: Held, module: Module, original: Original) -> Iterator[tuple[int, int]]:
    """Where the name of a definition stands in the paths of a module's markers that lead to it, or into it."""
    name = original.definition.name
    for start, comment in find_comments(module.text):
        if not isinstance(comment, Marker) or name not in comment.source.split("."):
            continue
        found = held.original(comment)
        if found is None or found.module.place != original.module.place:
            continue
        path, _, _ = comment.source.partition(f".{name}.") if f".{name}." in comment.source else comment.source.rpartition(f".{name}")  # fmt: skip
        if found.definition.name != name and not found.definition.name.startswith(f"{name}."):
            continue
        at = module.text.index(path, start) + len(path) + 1
        yield at, at + len(name)


def _names(text: str, name: str, with_strings: bool = False) -> Iterator[tuple[int, int]]:
    """Where a name stands in code, not behind a dot; and where it is all that a string says, as in `__all__`."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return
    for before, token in pairwise([tokens[0], *tokens]):
        (line, column), (last, end) = token.start, token.end
        if token.type == tokenize.NAME and token.string == name and before.string != ".":
            yield starts[line - 1] + column, starts[last - 1] + end
        elif with_strings and token.type == tokenize.STRING and token.string[1:-1] == name:
            yield starts[line - 1] + column + 1, starts[last - 1] + end - 1
