"""From a copy to its original, and from an original to its copies."""

from __future__ import annotations

from add_model.copies.judging.cycles import Place
from add_model.editor.held import Held
from add_model.source import Module
from add_model.values import NamedTuple


class Span(NamedTuple):
    """A part of a module's text, `[start, end)`."""

    module: Module
    start: int
    end: int


def original_at(held: Held, path: str, line: int) -> Span | None:
    """The header of what the marker in a line names; `None` where no marker stands there, or it leads nowhere."""
    found = held.marker_at(path, line)
    original = held.original(found[1]) if found is not None else None
    return None if original is None else _line(original.module, original.definition.header)


def definition_at(held: Held, path: str, line: int) -> Place | None:
    """The innermost definition whose header, decorators or body hold a line, of those that have copies."""
    module = held.module(path)
    places = held.places(path)
    if module is None or not places:
        return None
    around = [
        each.header
        for each in module.definitions.values()
        if each.header in places and module.line_of(each.start) - 1 <= line <= module.line_of(each.end - 1) - 1
    ]
    return (path, max(around)) if around else None


def copies_of(held: Held, place: Place) -> list[Span]:
    """The markers of all copies of a definition."""
    found = []
    for (path, _), _, marker, _ in held.copies(place):
        module = held.module(path)
        if module is not None and marker < len(module.text):
            found.append(_line(module, marker))
    return found


def place_at(held: Held, path: str, line: int) -> Place | None:
    """The definition that is asked about in a line: what its marker names, or else what it stands in."""
    found = held.marker_at(path, line)
    if found is None:
        return definition_at(held, path, line)
    original = held.original(found[1])
    return original.place if original is not None else None


def with_copies(held: Held, path: str) -> list[tuple[Span, int]]:
    """The headers of a file's definitions that have copies, each with their number."""
    module = held.module(path)
    if module is None:
        return []
    return [
        (_line(module, header), count)
        for header, count in sorted(held.places(path).items())
        if header < len(module.text)
    ]


def _line(module: Module, offset: int) -> Span:
    """What stands in the line that starts there, from its first character on."""
    end = module.text.find("\n", offset)
    end = len(module.text) if end < 0 else end
    line = module.text[offset:end]
    return Span(module, offset + len(line) - len(line.lstrip()), end)
