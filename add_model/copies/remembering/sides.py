"""Which side of a copy that differs has moved, and so whose turn it is.

A side has moved when what counts of it differs from what it was at a revision; layout never counts. Text that a fix
wrote is nobody's edit: where it no longer fits, its original has moved on since. Git alone is asked, and only about
copies that differ; outside a work tree, and of a copy that git does not know, nobody can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from add_model.copies.finding import Code, Finding, Moved
from add_model.copies.judging.check import Check
from add_model.copies.judging.pair import Pair
from add_model.copies.judging.versions import Birth, Versions, digest, versions_sentence
from add_model.copies.language import marker
from add_model.copies.language.equality import blocks_match, equal
from add_model.copies.language.marker import without_markers
from add_model.copies.language.region import compared, ignored_names, reindent
from add_model.copies.reading.files import relative_path
from add_model.copies.reading.identity import header_of, identity
from add_model.copies.remembering.history import Histories
from add_model.copies.remembering.kept import memory
from add_model.copies.remembering.written import Written
from add_model.encoding import SourceError, decode
from add_model.library import Library
from add_model.reading import read_bytes
from add_model.source import Module

# The content of a file, by its path relative to the library's root; `None` where there is none.
ReadIfThere = Callable[[str], bytes | None]
_Place = tuple[str, int]
_BY_A_FIX = "the original moved since --fix wrote the copy"


@dataclass(frozen=True)
class Side:
    """What is known of a copy that differs.

    Attributes:
        moved: which side has; `None` where git cannot tell.
        edited: whether the copy holds somebody's edit, so that it is not for a fix to overwrite.
        recorded: whether its text, as it is, stands in a commit or was written by a fix.
        committed: the copy as it was at the revision, with its marker and its original as they are now.
        sentence: the same for people.
    """

    moved: Moved | None = None
    edited: bool = False
    recorded: bool = False
    committed: Pair | None = None
    sentence: str = ""


class Sides:
    """The copies of a library that differ, seen against a revision."""

    def __init__(self, library: Library, base: str | None = None) -> None:
        """Looks at a library against the commit of that name; the last commit, where none is named."""
        self._library = library
        self._history = Histories(library.root, base)
        self._written: Written | None = None
        self.versions = Versions(library)

    @property
    def refusal(self) -> str:
        """Why git tells nothing about a work tree that is there; empty where it does, or there is none."""
        return self._history.main.refusal

    @property
    def are_cut_short(self) -> bool:
        """Whether git knows more of the files that were looked at than is kept in mind."""
        return self._history.are_cut_short

    @property
    def written(self) -> Written:
        """What fixes have written here."""
        if self._written is None:
            repository = self._history.main.repository
            self._written = Written(memory(self._library.root if repository is None else repository.common))
        return self._written

    def know_of(self, paths: Iterable[Path]) -> bool:
        """Whether there is anything to tell about copies in any of these files: a history, or a record of versions.

        Raises:
            AddModelError: the revision was named by the user, and git knows none of that name here.
        """
        return self.versions.are_recorded or any(self._history.of(path).repository is not None for path in paths)

    def look_at(self, pairs: Sequence[Pair]) -> None:
        """Reads at once what git knows of the files of these copies and their originals."""
        if pairs:
            places = dict.fromkeys(module.place for pair in pairs for module in (pair.module, pair.original.module))
            self._history.load(map(Path, places))

    def of(self, pair: Pair) -> Side:
        """What is known of a copy that differs.

        Raises:
            AddModelError: the revision was named by the user, and git knows none of that name here.
        """
        committed = self._committed(pair)
        by_a_fix = self.written.holds(self.name(pair), pair.block)
        birth = self.versions.of(pair)
        if birth is not None:
            return self._since(birth, pair, by_a_fix, committed)
        if committed is None:
            return Side(recorded=by_a_fix)
        copy_moved = not blocks_match(committed.block, pair.block)
        recorded = by_a_fix or committed.block.rstrip() == pair.block.rstrip()
        if copy_moved and by_a_fix:
            return Side(Moved.ORIGINAL, recorded=True, committed=committed, sentence=_BY_A_FIX)
        moved = _moved(self._original_moved(pair, committed), copy_moved)
        return Side(moved, copy_moved, recorded, committed, self._sentence(moved))

    def _since(self, birth: Birth, pair: Pair, by_a_fix: bool, committed: Pair | None) -> Side:
        """What is known of a copy of an installed package's, which has no history here but its versions."""
        copy_moved = birth.copy != digest(pair.block) and not by_a_fix
        moved = _moved(birth.original != digest(pair.original.block), copy_moved)
        recorded = not copy_moved or (committed is not None and committed.block.rstrip() == pair.block.rstrip())
        return Side(moved, copy_moved, recorded, committed, versions_sentence(self._library, moved, birth))

    def of_full_copy(self, copy: str, original: str, now: bytes | None, original_now: bytes | None) -> Side:
        """The same of a whole file that is registered as a copy of another.

        Args:
            copy: its path, relative to the root.
            original: the other's.
            now: what it holds; `None` where it does not exist.
            original_now: what the other holds.
        """
        if now is None:
            return Side()
        paths = [self._library.root / path for path in (copy, original)]
        self._history.load(paths)
        before, original_before = map(self._history.content, paths)
        by_a_fix = self.written.holds(copy, now.decode("latin-1"))
        if before is None:
            return Side(recorded=by_a_fix)
        copy_moved = not _is_same_file(before, now)
        if copy_moved and by_a_fix:
            return Side(Moved.ORIGINAL, recorded=True, sentence=_BY_A_FIX)
        moved = _moved(not _is_same_file(original_before, original_now), copy_moved)
        recorded = by_a_fix or _text_of(before) == _text_of(now)
        return Side(moved, copy_moved, recorded, sentence=self._sentence(moved))

    def told(
        self, findings: Iterable[Finding], drifted: Sequence[Pair], read: ReadIfThere | None = None
    ) -> list[Finding]:
        """The findings; those about copies that differ say which side has moved, and whether a fix is the answer.

        Args:
            findings: what a check has found.
            drifted: the copies that it has found to differ.
            read: how files are read whole; a fix has them as it is about to write them.

        Raises:
            AddModelError: the revision was named by the user, and git knows none of that name here.
        """
        self.look_at(drifted)
        pairs = {self.place(pair): pair for pair in drifted}
        full_copies = self._library.configuration.full_copies
        result = []
        for finding in findings:
            pair = pairs.get((finding.path, finding.line)) if finding.code is Code.CP001 else None
            if pair is not None:
                finding = _with_side(finding, self.of(pair))
            elif finding.code is Code.CP001 and full_copies.get(finding.path) == finding.source:
                now, original_now = map(read or self._read, (finding.path, finding.source))
                finding = _with_side(finding, self.of_full_copy(finding.path, finding.source, now, original_now))
            result.append(finding)
        return result

    def _read(self, path: str) -> bytes | None:
        """The content of a file, by its path relative to the library's root."""
        try:
            return read_bytes(str(self._library.root / path))
        except OSError:
            return None

    def name(self, pair: Pair) -> str:
        """What the memory of fixes calls the place of a copy: its file, and which definition of it."""
        return f"{relative_path(pair.module.place, self._library.root)}:{identity(pair.module, pair.header)}"

    def place(self, pair: Pair) -> _Place:
        """Where reports show a copy."""
        return relative_path(pair.module.place, self._library.root), pair.line

    def _committed(self, pair: Pair) -> Pair | None:
        header = self._header_at_revision(pair.module, pair.header)
        module = self._history.module(pair.module.path)
        if header is None or module is None:
            return None
        # The marker may not have been there yet.
        return Pair(module, pair.marker, header, header, pair.original)

    def _header_at_revision(self, module: Module, header: int) -> int | None:
        """Where the header of a definition stood at the revision."""
        before = self._history.module(module.path)
        if before is None:
            return None
        named = module.name_at(header)
        if named not in module.definitions or module.definitions[named].header != header:
            # A property's setter, or a variant below `else`: one of several of its name.
            return header_of(before, identity(module, header))
        known = before.find(named)
        return known.header if known is not None else None

    def _original_moved(self, pair: Pair, committed: Pair) -> bool:
        """Whether what the original calls for is not what it was; no matter where its own file stood."""
        module = self._history.module(pair.original.module.path)
        name = pair.original.definition.name
        before = module.find(name) if module is not None else None
        if module is None or before is None:
            # Git does not know the original: if it has not moved, then a copy that held holds still.
            return not blocks_match(pair.expected, committed.block)
        text = module.text[before.header : before.end]
        text = reindent(without_markers(text if text.endswith("\n") else f"{text}\n"), pair.marker.indent)
        ignored = ignored_names(pair.block)
        expected = marker.replace(text, pair.marker.replacements)
        return not equal(compared(expected, ignored), compared(pair.expected, ignored))

    def _sentence(self, moved: Moved) -> str:
        who = {
            Moved.ORIGINAL: "the original",
            Moved.COPY: "the copy",
            Moved.BOTH: "both sides",
            Moved.NONE: "neither side",
        }
        return f"{who[moved]} moved since {self._history.main.revision}"


def with_sides(library: Library, findings: Sequence[Finding], base: str | None = None) -> list[Finding]:
    """The findings of a check, wherever they come from; those about copies that differ say which side has moved.

    Files with such findings are looked at once more; where there are none, nothing is read and git is not asked.

    Raises:
        AddModelError: the revision was named by the user, and git knows none of that name here.
    """
    paths = {library.root / finding.path for finding in findings if finding.code is Code.CP001}
    paths = {path for path in paths if path.exists()}
    if not paths:
        return list(findings)
    sides = Sides(library, base)
    if not sides.know_of(paths):
        return list(findings)
    check = Check(library, sorted(paths))
    for _ in check.findings():
        pass
    return sides.told(findings, check.drifted)


def _moved(original: bool, copy: bool) -> Moved:
    if original:
        return Moved.BOTH if copy else Moved.ORIGINAL
    return Moved.COPY if copy else Moved.NONE


def _is_same_file(before: bytes | None, now: bytes | None) -> bool:
    """Whether a file holds the same but for its layout; its line endings may be those of a checkout."""
    if before is None or now is None:
        return before is now
    first, second = _text_of(before), _text_of(now)
    return first == second or (isinstance(first, str) and isinstance(second, str) and equal(first, second))


def _text_of(content: bytes) -> str | bytes:
    try:
        return decode("", content)[0]
    except SourceError:
        return content


def _with_side(finding: Finding, side: Side) -> Finding:
    if side.moved is None:
        return finding
    message = f"{finding.message}; {side.sentence}"
    return finding._replace(message=message, moved=side.moved, fixable=finding.fixable and not side.edited)
