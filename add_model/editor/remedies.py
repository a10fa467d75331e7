"""What can be done about a finding, as edits of texts; nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from add_model.copies.finding import Code, Finding
from add_model.copies.fixing.edits import Edit
from add_model.copies.fixing.imports import NoImport
from add_model.copies.fixing.rewrite import rewritten
from add_model.copies.fixing.supplies import Supplies
from add_model.copies.judging.judge import HEADERS_DIFFER_IN
from add_model.copies.judging.pair import Pair
from add_model.copies.language.equality import blocks_match
from add_model.copies.language.marker import Marker
from add_model.copies.language.region import HEAD, IGNORE_COPY, members, own_name, with_name
from add_model.copies.reading.sources import Missing
from add_model.editor.carrying import Carried, carried
from add_model.editor.held import Held
from add_model.encoding import SourceError
from add_model.source import Module
from add_model.values import NamedTuple

# So many methods that differ are offered to be marked; who has changed more has another class.
_MOST_METHODS = 5


class Remedy(NamedTuple):
    """Something that can be done about a finding.

    Attributes:
        title: what an editor shows.
        finding: what it is about.
        edits: what it does; worked out when it is asked for.
        is_preferred: whether it is what most people want.
    """

    title: str
    finding: Finding
    edits: Callable[[], Mapping[Module, list[Edit]]]
    is_preferred: bool = False


def remedies(held: Held, path: str, finding: Finding) -> list[Remedy]:
    """What can be done about a finding in a file, the likeliest first."""
    module = held.module(path)
    if module is None:
        return []
    return [*_written_anew(held, module, finding), *_of_path(held, module, finding), *_of_copy(held, module, finding)]


def _written_anew(held: Held, module: Module, finding: Finding) -> Iterator[Remedy]:
    for each in held.malformed(module.place):
        if each.start < len(module.text) and module.line_of(each.start) == finding.line:
            edit = Edit(each.start, min(each.end + 1, len(module.text)), f"{each.line}\n")
            yield Remedy(f"Write `{each.line.strip()}`", finding, _one(module, edit), is_preferred=True)


def _of_path(held: Held, module: Module, finding: Finding) -> Iterator[Remedy]:
    """Names what a path was meant to be, or drops what has no effect."""
    found = held.marker_at(module.place, finding.line - 1)
    if found is None or finding.code not in (Code.CP002, Code.CP003, Code.CP005):
        return
    start, marker = found
    if finding.code is Code.CP005:
        pair = held.pair(module.place, start, marker)
        for replacement in pair.without_effect if pair is not None else ():
            if f"{replacement.old}->{replacement.new}" in finding.message:
                left = tuple(each for each in marker.replacements if each != replacement)
                edit = _line_edit(module, start, marker._replace(replacements=left))
                yield Remedy(f"Drop `{replacement}`", finding, _one(module, edit), is_preferred=True)
        return
    meant = _meant(held, marker, module)
    if meant is not None and meant != marker.source:
        edit = _line_edit(module, start, marker._replace(source=meant))
        yield Remedy(f"Name `{meant}`", finding, _one(module, edit), is_preferred=True)


def _meant(held: Held, marker: Marker, module: Module) -> str | None:
    """The path that leads to a definition, for one that does not lead there itself."""
    sources = held.sources
    sources.effort = 0
    try:
        original = sources.find(marker.source)
        if isinstance(original, Missing):
            return sources.suggestion(marker.source) or sources.meant_path(marker.source, in_tests=False)
        return original.elsewhere
    except SourceError:
        return None


def _of_copy(held: Held, module: Module, finding: Finding) -> Iterator[Remedy]:
    found = held.marker_at(module.place, finding.line - 1)
    if found is None or finding.code not in (Code.CP001, Code.CP009, Code.CP010, Code.CP011):
        return
    pair = held.pair(module.place, *found)
    if pair is None or pair.is_equal:
        return
    edits = _taken(held, pair)
    if edits is not None:
        yield Remedy("Take the original's text", finding, _all({module: edits}), finding.code is Code.CP001)
    if finding.code is Code.CP001:
        name = pair.original.definition.name
        others = len(held.copies(pair.original.place)) - 1
        count = f" and its {others} other {'copy' if others == 1 else 'copies'}" if others > 0 else ""
        # What the others come to takes reading their files.
        if carried(held, pair, Carried.ORIGINAL):
            yield Remedy(f"Carry this edit to {name}{count}", finding, lambda: carried(held, pair, Carried.ALL))
    for name, at, indent in _differing(pair):
        edit = Edit(at, at, f"{indent}{IGNORE_COPY}\n")
        yield Remedy(f"Mark {name} `{IGNORE_COPY}`", finding, _one(module, edit))
    below = module.text.index("\n", pair.start) + 1
    yield Remedy("Drop the marker", finding, _one(module, Edit(pair.start, below, "")))


def _taken(held: Held, pair: Pair) -> list[Edit] | None:
    """The edits that make a copy what its marker calls for; `None` where it would need what its module does not have."""
    text = rewritten(pair, bool(HEADERS_DIFFER_IN & held.library.packages.keys()))
    supplies = Supplies(held.sources)
    try:
        supplies.find(pair, text)
    except NoImport:
        return None
    return [Edit(pair.header, pair.end, text), *supplies.edits([pair])]


def _differing(pair: Pair) -> list[tuple[str, int, str]]:
    """The methods in which a copied class differs: name, where the line to be written above it starts, indentation."""
    block = pair.block
    expected = {member.name: pair.expected[member.header : member.end] for member in members(pair.expected)}
    found = []
    for member in members(block):
        own = block[member.header : member.end]
        wanted = expected.get(member.name)
        if member.name == HEAD or (
            wanted is not None and blocks_match(with_name(wanted, own[slice(*own_name(own))]), own)
        ):
            continue
        at = pair.header + member.start
        line = pair.module.text[at : pair.module.text.find("\n", at)]
        found.append((member.name, at, line[: len(line) - len(line.lstrip())]))
    # Where the head differs as well, or the original has what the copy has not, that alone does not make it a copy.
    return found[:_MOST_METHODS] if len(found) <= _MOST_METHODS else []


def _line_edit(module: Module, start: int, marker: Marker) -> Edit:
    end = module.text.find("\n", start)
    return Edit(start, len(module.text) if end < 0 else end + 1, f"{marker}\n")


def _one(module: Module, edit: Edit) -> Callable[[], Mapping[Module, list[Edit]]]:
    return _all({module: [edit]})


def _all(edits: Mapping[Module, list[Edit]]) -> Callable[[], Mapping[Module, list[Edit]]]:
    return lambda: edits
