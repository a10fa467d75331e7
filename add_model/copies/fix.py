"""Drifted copies rewritten, originals first, until nothing is left to rewrite; in memory, to be shown or written."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from add_model.copies.check import HEADERS_DIFFER_IN, Check
from add_model.copies.cycles import place_of_copy, place_of_original
from add_model.copies.edits import Edits
from add_model.copies.files import relative_path
from add_model.copies.finding import Code, Counts, Finding
from add_model.copies.pair import Pair
from add_model.copies.region import own_name
from add_model.copies.rewrite import rewritten
from add_model.copies.sources import read_bytes
from add_model.copies.syntax import syntax_problem
from add_model.library import Library
from add_model.source import decode_module
from add_model.transaction import Change, write_files

ReadBytes = Callable[[str], bytes]
# A copy: its file, its source, its name.
_Key = tuple[str, str, str]
# The lines of a definition: its file, where its header starts, where it ends.
_Extent = tuple[str, int, int]
# No chain of copies is as long; what is rewritten as often will not settle.
_MOST_TRIES = 20
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


@dataclass(frozen=True)
class Edit:
    """New lines for a part of a module's text, `[start, end)` by offsets that are starts of lines."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Fixed:
    """What a fix comes to.

    Attributes:
        library: whose files they are.
        before: the bytes of every file that it changes, by path.
        after: their new bytes.
        rewritten: how many copies were rewritten.
        findings: what is left afterwards.
        counts: what was looked at.
        edits: what it writes, for later runs to know it again.
    """

    library: Library
    before: dict[str, bytes | None]
    after: dict[str, bytes]
    rewritten: int
    findings: list[Finding]
    counts: Counts
    edits: Edits

    def write(self) -> None:
        """Writes every changed file, or none.

        Raises:
            AddModelError: a file was changed meanwhile, or cannot be written.
        """
        changes = [Change(Path(path), content, expected=self.before[path]) for path, content in self.after.items()]
        if changes:
            write_files(self.library.root, changes)
            self.edits.remember()

    def diff(self) -> Iterator[str]:
        """Unified diffs of every changed file, line by line."""
        for path in sorted(self.after):
            name = relative_path(path, self.library.root)
            before, after = _lines(path, self.before[path]), _lines(path, self.after[path])
            for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"):
                yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def fix(
    library: Library,
    paths: Sequence[Path] = (),
    force: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Fixed:
    """Works out the files that put every drifted copy right.

    A copy whose original is about to be rewritten itself waits for that, so that copies of copies settle in one run.

    Args:
        library: what is fixed.
        paths: files and folders to fix instead of all its packages.
        force: whether a copy is rewritten, too, that was edited since the last commit.
        progress: told, for each file, how many are done and how many there are; from the start in every round.

    Raises:
        AddModelError: one of the paths does not exist.
    """
    before: dict[str, bytes | None] = {}
    after: dict[str, bytes] = {}

    def read(path: str) -> bytes:
        return after[path] if path in after else read_bytes(path)

    tries: Counter[_Key] = Counter()
    edits = Edits(library.root)
    while True:
        check = Check(library, paths, read, progress)
        findings = list(check.findings())
        fixable = _fixable(library, check.drifted, findings)
        edited = [] if force else [pair for pair in fixable if edits.touch(pair)]
        pairs = _ready([pair for pair in fixable if pair not in edited and tries[_key(pair)] < _MOST_TRIES])
        contents = _rewritten_files(library, pairs, read, edits) | _full_copies(library, findings, read)
        if not contents:
            left = _with_choices(library, findings, edited)
            return Fixed(library, before, after, len(tries), left, check.counts, edits)
        tries.update(map(_key, pairs))
        for path in contents:
            before.setdefault(path, read_bytes(path) if Path(path).exists() else None)
        after.update(contents)


def apply_edits(content: bytes, encoding: str, edits: Sequence[Edit]) -> bytes:
    """The bytes of a file with some of its lines exchanged, and every other byte as it was.

    Args:
        content: the file's bytes.
        encoding: how they are decoded.
        edits: new lines, by offsets in the text with every line ending in a single line feed; they may not overlap.

    Raises:
        UnicodeEncodeError: the encoding has no such character.
    """
    lines = _LINE.findall(content.decode(encoding))
    starts: dict[int, int] = {}
    position = 0
    for number, line in enumerate(lines):
        starts.setdefault(position, number)
        position += len(line.rstrip("\r\n")) + (line[-1:] in "\r\n" and line != "")
    for edit in sorted(edits, key=lambda edit: -edit.start):
        first, last = starts[edit.start], starts.get(edit.end, len(lines))
        ending = lines[first][len(lines[first].rstrip("\r\n")) :] or "\n"
        text = edit.text.replace("\n", ending)
        if last and not lines[last - 1].endswith(("\r", "\n")):
            text = text.removesuffix(ending)
        lines[first:last] = [text]
    return "".join(lines).encode(encoding)


def _lines(path: str, content: bytes | None) -> list[str]:
    return re.findall(r".*\n|.+\Z", decode_module(Path(path), content or b"").text)


def _fixable(library: Library, drifted: Sequence[Pair], findings: Sequence[Finding]) -> list[Pair]:
    """The drifted copies that are no members of a circle, of which none is the original, and whose files both parse."""
    circles = {(finding.path, finding.line) for finding in findings if finding.code is Code.CP004}
    broken = {finding.path for finding in findings if finding.code is Code.CP006}

    def can_be_fixed(pair: Pair) -> bool:
        copy, original = (relative_path(module.path, library.root) for module in (pair.module, pair.original.module))
        return (copy, pair.marker.line) not in circles and not {copy, original} & broken

    return list(filter(can_be_fixed, drifted))


def _ready(drifted: Sequence[Pair]) -> list[Pair]:
    """The copies whose originals stand as they will, and that do not stand in one another."""
    blocks = [(str(pair.module.path), pair.header, pair.end) for pair in drifted]

    def waits(pair: Pair) -> bool:
        original = (*place_of_original(pair), pair.original.definition.end)
        copy = (*place_of_copy(pair), pair.end)
        around = (block for block in blocks if block != copy)
        return any(map(partial(_overlap, original), blocks)) or any(_contains(block, copy) for block in around)

    # Where each waits for another, the first has to do; what it settles is seen in the next round.
    return [pair for pair in drifted if not waits(pair)] or list(drifted[:1])


def _overlap(first: _Extent, second: _Extent) -> bool:
    return first[0] == second[0] and first[1] < second[2] and second[1] < first[2]


def _contains(outer: _Extent, inner: _Extent) -> bool:
    return outer[0] == inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2]


def _with_choices(library: Library, findings: Sequence[Finding], edited: Sequence[Pair]) -> list[Finding]:
    """The findings; those about copies that were not rewritten because they hold an edit say so, and what can be done."""
    places = {(relative_path(pair.module.path, library.root), pair.marker.line) for pair in edited}
    choices = (
        "edited since the last commit and left alone: carry the edit to the original, "
        "mark it `# Ignore copy`, drop the marker, or use --force to lose it"
    )
    return [
        replace(finding, message=f"{finding.message}; {choices}", fixable=False)
        if finding.code is Code.CP001 and (finding.path, finding.line) in places
        else finding
        for finding in findings
    ]


def _rewritten_files(library: Library, pairs: Sequence[Pair], read: ReadBytes, known: Edits) -> dict[str, bytes]:
    """New bytes for every file in which one of the copies stands, where that can be done and changes anything."""
    keep_header = bool(HEADERS_DIFFER_IN & library.packages.keys())
    files: dict[str, list[Pair]] = {}
    for pair in pairs:
        files.setdefault(str(pair.module.path), []).append(pair)
    contents: dict[str, bytes] = {}
    for path, copies in files.items():
        # Two markers above one definition make one edit; what the other one asks for is seen in the next round.
        edits = {pair.header: Edit(pair.header, pair.end, rewritten(pair, keep_header)) for pair in reversed(copies)}
        content, encoding = read(path), copies[0].module.encoding
        try:
            changed = apply_edits(content, encoding, list(edits.values()))
        except UnicodeEncodeError:
            continue
        if changed != content and syntax_problem(decode_module(Path(path), changed)) is None:
            contents[path] = changed
            known.wrote(edit.text for edit in edits.values())
    return contents


def _full_copies(library: Library, findings: Sequence[Finding], read: ReadBytes) -> dict[str, bytes]:
    """New bytes for every file that is registered as a full copy and is none."""
    return {
        str(library.root / finding.path): read(str(library.root / finding.source))
        for finding in findings
        if finding.fixable and library.configuration.full_copies.get(finding.path) == finding.source
    }


def _key(pair: Pair) -> _Key:
    return str(pair.module.path), pair.marker.source, pair.block[slice(*own_name(pair.block))]
