"""The way from a library to its unmarked copies: index, search, proof; and to the files with their markers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from add_model.copies.finding import Code, Finding, SearchCode, Severity
from add_model.copies.reading.files import relative_path, search
from add_model.copies.reading.layout import Layout
from add_model.copies.searching.age import first_known
from add_model.copies.searching.index import IndexedFile, indexed
from add_model.copies.searching.places import Places
from add_model.copies.searching.proof import Proven, prove
from add_model.copies.searching.search import Proposal, Search
from add_model.library import Library
from add_model.source import Module, read_module
from add_model.transaction import Change, write_files
from add_model.values import NamedTuple


class Found(NamedTuple):
    """What a search came to.

    Attributes:
        findings: each copy, with the marker to write; and each file that cannot be read.
        proven: the proposals behind them.
        files: how many files were looked at.
        definitions: how many definitions stand in them.
    """

    findings: list[Finding]
    proven: Proven
    files: int
    definitions: int


def find(library: Library, paths: Sequence[Path], min_lines: int) -> Found:
    """The copies in these files and folders, or in the whole library, that carry no marker.

    Originals may stand anywhere in the library.

    Raises:
        AddModelError: one of the paths does not exist.
    """
    tree = search(library)
    wanted = {path for _, path in search(library, paths).files} if paths else {path for _, path in tree.files}
    files = indexed(tree.files)
    layout = Layout(library, lambda: tree)
    places = Places(library, tree.files, files, layout.packages, _module)
    proposals = Search(places, min_lines, wanted, lambda asked: first_known(library.root, asked)).run()
    proven = prove(library, tree, places, proposals)
    findings = [_finding(places, proposal) for proposal in proven.proposals]
    findings += [_unreadable(library, path, file) for path, file in files.items() if file.problem and path in wanted]
    definitions = sum(len(file.definitions) for file in files.values())
    return Found(sorted(findings, key=lambda finding: finding.sort_key), proven, len(files), definitions)


def write(library: Library, proven: Proven) -> None:
    """Writes the markers: all of them, or none.

    Raises:
        AddModelError: a file was changed meanwhile, or cannot be written.
    """
    # A file and a link to it are one, and it is the file that is written.
    files = {os.path.realpath(path): path for path in proven.after}
    changes = [Change(Path(real), proven.after[path], expected=proven.before[path]) for real, path in files.items()]
    if changes:
        write_files(library.root, changes)


def _module(path: str) -> Module:
    return read_module(Path(path))


def _finding(places: Places, proposal: Proposal) -> Finding:
    definition, text = places.definition(proposal.copy), places.module(proposal.copy.file).text
    line = text.count("\n", 0, definition.header) + 1
    return Finding(
        SearchCode.FC001,
        Severity.WARNING,
        places.relative[proposal.copy.file],
        line,
        line + definition.lines - 1,
        definition.name,
        proposal.marker.source,
        f"write `{str(proposal.marker).strip()}`",
        fixable=True,
    )


def _unreadable(library: Library, path: str, file: IndexedFile) -> Finding:
    relative = relative_path(path, library.root)
    return Finding(Code.CP006, Severity.ERROR, relative, file.line, file.line, "", "", file.problem)
