"""The engine: every file is read, its markers judged, and what the files come to together is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from add_model.copies.finding import Code, Counts, Finding, Severity
from add_model.copies.judging.cycles import Edge, find_cycles
from add_model.copies.judging.judge import Judge
from add_model.copies.judging.pair import Pair
from add_model.copies.judging.records import FileResult
from add_model.copies.language.marker import NEEDLE
from add_model.copies.reading.files import CheckedFile, Tree, relative_path, search
from add_model.copies.reading.selection import read_selection
from add_model.copies.reading.sources import Sources
from add_model.encoding import SourceError
from add_model.library import Library
from add_model.reading import read_bytes

# What tells of paths that lead out of the library, or may do so.
LEAD_OUTSIDE = frozenset({Code.CP002, Code.CP003, Code.CP009, Code.CP013})
# Parsing costs many times what checking does: trees up to this size are parsed whole, of larger ones what differs.
PARSED_BYTES = 1_000_000
# What Transformers' converter writes at the top of a file that it makes of a modular one, within so many bytes.
BANNER, HEAD = b"automatically generated from ", 2_000
# How many members of a circle a finding names.
_NAMED = 20


class Check:
    """One run over a library's files.

    Attributes:
        library: what is checked.
        counts: what the run has looked at; filled while `findings` is consumed.
        drifted: the copies that `--fix` would rewrite, likewise.
        misplaced: the copies whose markers it would move, likewise.
        malformed: the markers that it would write anew, likewise.
        pairs: every copy that others may be copies of, likewise, if the caller has asked for them.
        files: what is checked of it.
        sources: what the markers lead to.
    """

    def __init__(
        self,
        library: Library,
        paths: Sequence[Path] = (),
        read: Callable[[str], bytes] = read_bytes,
        progress: Callable[[int, int], None] = lambda done, total: None,
        tree: Tree | None = None,
        keep_pairs: bool = False,
    ) -> None:
        """Prepares a run.

        Args:
            library: what is checked.
            paths: files and folders to check instead of all its packages.
            read: how a file's bytes are read; a fix shows the run what it is about to write.
            progress: told, for each file, how many are done and how many there are.
            tree: what `search` answered, if the caller has asked it.
            keep_pairs: whether all copies are kept, also those that do not differ.

        Raises:
            AddModelError: one of the paths does not exist.
        """
        self.library = library
        self.counts = Counts()
        self._read, self._progress = read, progress
        tree = search(library, paths) if tree is None else tree
        self.files = tree.files
        self.sources = Sources(library, read, tree, is_whole=not paths)
        self._selection = read_selection(library)
        self._named = {relative for relative, _ in self.files} if paths else set()
        self._judge = Judge(library, self.sources, self._selection, keep_pairs)
        self.drifted, self.pairs = self._judge.drifted, self._judge.pairs
        self.misplaced, self.malformed = self._judge.misplaced, self._judge.malformed

    def findings(self) -> Iterator[Finding]:
        """Checks file by file, and yields what is wrong; not in the order of a report."""
        return self.merged(dict(self.results(self.files, len(self.files))))

    def results(self, files: Iterable[CheckedFile], total: int) -> Iterator[tuple[str, FileResult]]:
        """Checks these files, about `total` of them, and yields for each its path and what its check comes to."""
        for number, (relative, path) in enumerate(files, 1):
            self._progress(number, total)
            yield path, self._check_file(relative, path)

    def merged(self, results: Mapping[str, FileResult]) -> Iterator[Finding]:
        """What is wrong with the library, from what is wrong with each of its files, in their order."""
        markers = sum(result.markers for result in results.values())
        unchecked = sum(result.unchecked for result in results.values())
        prose = sum(result.prose for result in results.values())
        self.counts = Counts(len(results), markers, unchecked, prose)
        unreadable: set[str] = set()
        outside: list[Finding] = []
        for finding in self._of_all(results):
            if finding.code is Code.CP006:
                if finding.path in unreadable:
                    continue
                unreadable.add(finding.path)
            if finding.code in LEAD_OUTSIDE:
                outside.append(finding)
            yield finding
        unreached = [name for result in results.values() for name in result.unreached]
        if outside or unreached:
            from add_model.copies.judging.notes import notes, of_addresses

            said = (*notes(self.library, outside, self.sources), *of_addresses(unreached))
            self.counts = self.counts._replace(notes=said)

    def _of_all(self, results: Mapping[str, FileResult]) -> Iterator[Finding]:
        circles = list(self._cycles([edge for result in results.values() for edge in result.edges]))
        # No fix can tell which member of a circle is right.
        members = {(finding.path, finding.line) for finding in circles}
        for result in results.values():
            for finding in result.findings:
                yield finding._replace(fixable=False) if (finding.path, finding.line) in members else finding
        if sum(result.size for result in results.values()) <= PARSED_BYTES:
            for path in results:
                try:
                    yield from self._judge.parsed(self.sources.module(path))
                except SourceError as error:
                    yield self._judge.unreadable(error)
        yield from circles
        if self.library.configuration.full_copies:
            from add_model.copies.judging.full_copies import check_full_copies

            for finding in check_full_copies(self.library, self._read, self._named):
                # What the configuration passes over is nobody's to rewrite either.
                yield finding if self._selection.reports(finding) else finding._replace(fixable=False)

    def _check_file(self, relative: str, path: str) -> FileResult:
        self.sources.used = set()
        judge, size = self._judge, 0
        judge.begin()
        findings: list[Finding] = []
        try:
            content = self._read(path)
            size = len(content)
            first, is_generated = content.find(NEEDLE), content.find(BANNER, 0, HEAD) >= 0
            if is_generated:
                from add_model.copies.judging.generated import check_generated

                findings.extend(check_generated(content, path, relative, self.sources))
            if first < 0:
                self.sources.forget(path)
                return FileResult(size, tuple(findings), used=tuple(sorted(self.sources.used - {path})))
            judge.allow(size)
            module = self.sources.remember(path, content)
            # Where each byte is a character the text need not be searched up to there once more.
            findings.extend(judge.findings(module, relative, first if len(module.text) == size else 0))
        except SourceError as error:
            findings.append(judge.unreadable(error))
        except OSError as error:
            problem = f"cannot be read: {error.strerror or error}"
            findings.append(judge.unreadable(SourceError(Path(path), problem)))
        used = tuple(sorted(self.sources.used - {path}))
        self.sources.forget(path)
        checked = judge.markers, judge.unchecked, tuple(judge.edges), used, judge.prose, tuple(judge.unreached)
        return FileResult(size, tuple(findings), *checked)

    def would_rewrite(self, pair: Pair) -> bool:
        """Whether a fix is to rewrite a copy, if it differs."""
        return self._judge.would_rewrite(pair)

    def would_rewrite_file(self, relative: str) -> bool:
        """Whether a fix is to rewrite a full copy, if it differs."""
        finding = Finding(Code.CP001, Severity.ERROR, relative, 1, 1, "", "", "")
        return (not self._named or relative in self._named) and self._selection.reports(finding)

    def _cycles(self, edges: Sequence[Edge]) -> Iterator[Finding]:
        for cycle in find_cycles(edges):
            sources = [source for _, _, _, source in cycle]
            named = [*sources[:_NAMED], f"({len(sources) - _NAMED} more)"] if len(sources) > _NAMED + 1 else sources
            members = " <- ".join([*named, sources[0]])
            for (path, header), _, marker, source in cycle:
                module = self.sources.module(path)
                yield Finding(
                    Code.CP004,
                    Severity.ERROR,
                    relative_path(path, self.library.root),
                    module.line_of(marker),
                    module.line_of(module.block_end(header) - 1),
                    module.name_at(header),
                    source,
                    f"a circle of copies has no original: {members}; drop one of the markers",
                )
