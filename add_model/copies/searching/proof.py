"""Proposals held against the checker: the files as they would be written are checked, and what it says anything of goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from add_model.copies.fixing.edits import Edit, apply_edits
from add_model.copies.judging.check import Check
from add_model.copies.language.marker import Marker, read_comment, replace
from add_model.copies.reading.files import Tree
from add_model.copies.searching.places import Candidate, Places
from add_model.copies.searching.search import Proposal
from add_model.library import Library
from add_model.reading import read_bytes
from add_model.source import decode_module
from add_model.values import NamedTuple


class Proven(NamedTuple):
    """Proposals that the checker accepts, and what they come to.

    Attributes:
        proposals: those, in the order of a report.
        before: what each file holds in which a marker is to stand.
        after: what it is to hold.
    """

    proposals: list[Proposal]
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]


def prove(library: Library, tree: Tree, places: Places, proposals: Sequence[Proposal]) -> Proven:
    """The proposals of which the checker finds nothing to say once they are written, all of them together."""
    left, before = list(proposals), dict[str, bytes]()
    while True:
        by_file: dict[str, list[_Line]] = defaultdict(list)
        for line in _lines(places, left):
            by_file[line.below.file].append(line)
        after = {}
        for path, own in by_file.items():
            if path not in before:
                before[path] = read_bytes(path)
            after[path] = _with_markers(places, path, before[path], own)
        said = _said(library, tree._replace(files=[file for file in tree.files if file[1] in after]), after)
        refused = {
            line.proposal.copy
            for path, own in by_file.items()
            for number, line in _numbered(places, path, own)
            if (places.relative[path], number) in said
        }
        if not refused:
            return Proven(left, {path: before[path] for path in after}, after)
        left = [proposal for proposal in left if proposal.copy not in refused]


class _Line(NamedTuple):
    """A marker to write, above which definition, and the proposal that calls for it."""

    below: Candidate
    marker: Marker
    proposal: Proposal


def _lines(places: Places, proposals: Sequence[Proposal]) -> Iterator[_Line]:
    """The markers that these proposals call for.

    To the scripts that libraries check their copies with, a marker within an original is a line of it. So its copies get
    that line, too, with what their own markers replace.
    """
    copies: dict[Candidate, list[Proposal]] = defaultdict(list)
    for proposal in proposals:
        copies[proposal.original].append(proposal)
    pending = [_Line(proposal.copy, proposal.marker, proposal) for proposal in proposals]
    while pending:
        line = pending.pop()
        yield line
        for outer in places.around(line.below):
            for whole in copies[outer]:
                # Blocks that are equal hold the same definitions in the same order.
                below = Candidate(whole.copy.file, whole.copy.number + line.below.number - outer.number)
                marker = read_comment(replace(str(line.marker), whole.marker.replacements))
                if isinstance(marker, Marker):
                    pending.append(_Line(below, marker._replace(indent=places.indent(below)), line.proposal))


def _with_markers(places: Places, path: str, content: bytes, lines: Sequence[_Line]) -> bytes:
    """A file with these markers right above the headers, so that decorators stand above the markers."""
    headers = ((places.definition(line.below).header, line.marker) for line in lines)
    edits = [Edit(header, header, f"{marker}\n") for header, marker in headers]
    return apply_edits(content, decode_module(path, content).encoding, edits)


def _numbered(places: Places, path: str, lines: Sequence[_Line]) -> Iterator[tuple[int, _Line]]:
    """The number of the line on which each marker is to stand."""
    text = places.module(path).text
    for above, line in enumerate(sorted(lines, key=lambda line: line.below.number)):
        yield text.count("\n", 0, places.definition(line.below).header) + 1 + above, line


def _said(library: Library, tree: Tree, after: Mapping[str, bytes]) -> set[tuple[str, int]]:
    """Where the checker has something to say of the files as they would be written."""

    def read(path: str) -> bytes:
        return after[path] if path in after else read_bytes(Path(path))

    return {(finding.path, finding.line) for finding in Check(library, read=read, tree=tree).findings()}
