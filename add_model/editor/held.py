"""A library's check, kept while its files are edited: what changes is judged anew, and what had that for an original."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from add_model.copies.finding import Code, Finding
from add_model.copies.fixing.edits import Edit, apply_edits
from add_model.copies.judging.check import Check
from add_model.copies.judging.cycles import Edge, Place
from add_model.copies.judging.mending import Malformed
from add_model.copies.judging.pair import Pair, governed_header
from add_model.copies.judging.records import FileResult
from add_model.copies.language.marker import GrownTooLong, Marker, find_comments
from add_model.copies.reading.files import fits, relative_path, search
from add_model.copies.reading.selection import read_selection
from add_model.copies.reading.sources import Original, Sources
from add_model.editor.documents import Documents
from add_model.encoding import SourceError
from add_model.library import Library
from add_model.source import Module

_DIFFERENT = frozenset({Code.CP001, Code.CP009, Code.CP011})


class Held:
    """A library, what its check came to file by file, and the texts that count by now.

    Attributes:
        library: the library.
    """

    def __init__(self, library: Library, documents: Documents) -> None:
        self.library, self._documents = library, documents
        self._selection = read_selection(library)
        self._results: dict[str, FileResult] = {}
        self._of_all: dict[str, list[Finding]] = {}
        self._tree = search(library)
        self._malformed: dict[str, list[Malformed]] = {}
        self._sources: Sources | None = None

    @property
    def sources(self) -> Sources:
        """Where markers lead, by the texts as they are; its modules hold until the next of them changes."""
        if self._sources is None:
            self._sources = Sources(self.library, self._documents.read, self._tree)
        return self._sources

    def holds(self, path: str) -> bool:
        """Whether a file is one of those that are checked, or would be if it were saved."""
        relative = relative_path(path, self.library.root)
        if not path.endswith(".py") or os.path.isabs(relative):
            return False
        return not any(fits(relative, pattern) for pattern in self.library.configuration.exclude)

    def changed(self) -> None:
        """Takes note that a text is another by now."""
        self._sources = None

    def check_all(self) -> set[str]:
        """Checks every file, those included that came since; the paths of all that something was or is found in.

        Raises:
            AddModelError: a folder of the library is gone.
        """
        before = self.with_findings
        self._tree = search(self.library)
        check = self._check()
        known = {path for _, path in check.files}
        files = [*check.files, *((relative_path(path, self.library.root), path) for path in self._open(known))]
        results = dict(check.results(files, len(files)))
        own = {finding for result in results.values() for finding in result.findings}
        self._of_all = {}
        for finding in check.merged(results):
            if finding._replace(fixable=True) not in own and finding not in own:
                self._of_all.setdefault(self._path(finding), []).append(finding)
        self._results = results
        self._take_malformed(check, results)
        return before | self.with_findings

    def _open(self, known: set[str]) -> Iterator[str]:
        """The documents of the library that are not on disk."""
        return (path for path in self._results if path not in known and path in self._documents and self.holds(path))

    def _check(self) -> Check:
        check = Check(self.library, (), self._documents.read, tree=self._tree)
        self._sources = check.sources
        return check

    def check(self, paths: Iterable[str]) -> None:
        """Checks these files anew."""
        check = self._check()
        files = [(relative_path(path, self.library.root), path) for path in paths]
        results = dict(check.results(files, len(files)))
        self._results |= results
        self._take_malformed(check, results)

    def _take_malformed(self, check: Check, paths: Iterable[str]) -> None:
        for path in paths:
            self._malformed.pop(path, None)
        for each in check.malformed:
            self._malformed.setdefault(each.module.place, []).append(each)

    def using(self, path: str) -> list[str]:
        """The files of which the check has looked at another one."""
        return [other for other, result in self._results.items() if path in result.used]

    def would_find(self, module: Module, edits: Sequence[Edit]) -> bool:
        """Whether copies in a module would differ, with these edits made, that do not do so now."""
        path = module.place
        content = apply_edits(self._documents.read(path), module.encoding, edits)
        check = Check(
            self.library, (), lambda each: content if each == path else self._documents.read(each), tree=self._tree
        )
        result = dict(check.results([(relative_path(path, self.library.root), path)], 1))[path]
        before = {finding.object for finding in self.findings(path) if finding.code in _DIFFERENT}
        return any(finding.code in _DIFFERENT and finding.object not in before for finding in result.findings)

    @property
    def with_findings(self) -> set[str]:
        """The paths of the files in which something is wrong."""
        own = {path for path, result in self._results.items() if result.findings}
        return own | self._of_all.keys()

    def findings(self, path: str) -> list[Finding]:
        """What is wrong in a file, in the order of a report."""
        result = self._results.get(path, FileResult())
        found = {*(each for each in result.findings if self._path(each) == path), *self._of_all.get(path, ())}
        return sorted(filter(self._selection.reports, found), key=lambda finding: finding.sort_key)

    def malformed(self, path: str) -> list[Malformed]:
        """The markers of a file that a fix would write anew."""
        return self._malformed.get(path, [])

    def _path(self, finding: Finding) -> str:
        return os.path.normpath(os.path.join(self.library.root, finding.path))

    def module(self, path: str) -> Module | None:
        """A file as it is by now; `None` where it cannot be read."""
        try:
            return self.sources.module(path)
        except SourceError:
            return None

    def marker_at(self, path: str, line: int) -> tuple[int, Marker] | None:
        """The marker in a line, counted from 0, with the offset of the line; `None` where none stands there."""
        module = self.module(path)
        if module is None:
            return None
        start = offset_of(module.text, line)
        found = next(find_comments(module.text, start), None)
        if found is None or found[0] != start or not module.is_code(start) or not isinstance(found[1], Marker):
            return None
        return found[0], found[1]

    def original(self, marker: Marker) -> Original | None:
        """What a marker names; `None` where that is not there."""
        try:
            found = self.sources.find(marker.source)
        except SourceError:
            return None
        return found if isinstance(found, Original) else None

    def pair(self, path: str, start: int, marker: Marker) -> Pair | None:
        """A copy with its original, for the marker that stands at an offset; `None` where one of them is missing."""
        module, original = self.module(path), self.original(marker)
        header = governed_header(module, marker, start) if module is not None else None
        if module is None or original is None or header is None or original.place == (path, header):
            return None
        try:
            return Pair(module, marker, start, header, original)
        except GrownTooLong:
            return None

    def copies(self, place: Place) -> list[Edge]:
        """What leads from each copy to the definition whose header stands at a place, in the order of files."""
        return [edge for result in self._results.values() for edge in result.edges if edge[1] == place]

    def places(self, path: str) -> dict[int, int]:
        """How many copies there are of each definition of a file that has some, by where their headers start."""
        found: dict[int, int] = {}
        for result in self._results.values():
            for _, original, _, _ in result.edges:
                if original[0] == path:
                    found[original[1]] = found.get(original[1], 0) + 1
        return found

    def modules_holding(self, word: str) -> Iterator[Module]:
        """The modules of the library in which a word stands, markers included."""
        sought = word.encode()
        for path in list(self._results):
            try:
                holds = sought in self._documents.read(path)
            except OSError:
                continue
            module = self.module(path) if holds else None
            if module is not None:
                yield module


def offset_of(text: str, line: int) -> int:
    """Where a line starts, counted from 0; the end of the text where there is no such line."""
    offset = 0
    for _ in range(line):
        offset = text.find("\n", offset) + 1
        if not offset:
            return len(text)
    return offset
