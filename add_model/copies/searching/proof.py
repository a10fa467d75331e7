"""Proposals held against the checker: the files as they would be written are checked, and what it says anything of goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from add_model.copies.fixing.edits import Edit, apply_edits
from add_model.copies.judging.check import Check
from add_model.copies.reading.files import Tree
from add_model.copies.searching.places import Places
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
        by_file: dict[str, list[Proposal]] = defaultdict(list)
        for proposal in left:
            by_file[proposal.copy.file].append(proposal)
        after = {}
        for path, own in by_file.items():
            if path not in before:
                before[path] = read_bytes(path)
            after[path] = _with_markers(places, path, before[path], own)
        said = _said(library, tree._replace(files=[file for file in tree.files if file[1] in after]), after)
        refused = {
            proposal.copy
            for path, own in by_file.items()
            for line, proposal in _lines(places, path, own)
            if (places.relative[path], line) in said
        }
        if not refused:
            return Proven(left, {path: before[path] for path in after}, after)
        left = [proposal for proposal in left if proposal.copy not in refused]


def _with_markers(places: Places, path: str, content: bytes, proposals: Sequence[Proposal]) -> bytes:
    """A file with these markers right above the headers, so that decorators stand above the markers."""
    headers = ((places.definition(proposal.copy).header, proposal.marker) for proposal in proposals)
    edits = [Edit(header, header, f"{marker}\n") for header, marker in headers]
    return apply_edits(content, decode_module(path, content).encoding, edits)


def _lines(places: Places, path: str, proposals: Sequence[Proposal]) -> list[tuple[int, Proposal]]:
    """The line on which each marker is to stand."""
    text = places.module(path).text
    ordered = sorted(proposals, key=lambda proposal: proposal.copy.number)
    return [
        (text.count("\n", 0, places.definition(proposal.copy).header) + 1 + above, proposal)
        for above, proposal in enumerate(ordered)
    ]


def _said(library: Library, tree: Tree, after: Mapping[str, bytes]) -> set[tuple[str, int]]:
    """Where the checker has something to say of the files as they would be written."""

    def read(path: str) -> bytes:
        return after[path] if path in after else read_bytes(Path(path))

    return {(finding.path, finding.line) for finding in Check(library, read=read, tree=tree).findings()}
