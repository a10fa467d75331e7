"""The engine: every marker of the given files, resolved, compared, and reported where something is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from add_model.copies.cycles import Edge, find_cycles, place_of_copy, place_of_original
from add_model.copies.difference import first_difference
from add_model.copies.files import CheckedFile, files_to_check, relative_path
from add_model.copies.finding import Code, Counts, Finding, Severity
from add_model.copies.full_copies import check_full_copies
from add_model.copies.marker import NEEDLE, Marker, Mention, find_comments
from add_model.copies.pair import Pair, Verdict, governed_header
from add_model.copies.records import FileResult
from add_model.copies.region import own_name
from add_model.copies.selection import read_selection
from add_model.copies.sources import TESTS, Missing, Origin, Sources, read_bytes
from add_model.copies.syntax import SyntaxProblem, syntax_problem
from add_model.library import Library
from add_model.source import Module, SourceError, block_end

# Libraries whose own script compares a copy from behind its header on, so that the headers of their releases differ.
HEADERS_DIFFER_IN = frozenset({"diffusers"})
# Parsing costs many times what checking does: trees up to this size are parsed whole, of larger ones what differs.
PARSED_BYTES = 1_000_000

_METACHARACTER = re.compile(r"[\\^$*+?{}\[\]|()]")


class Check:
    """One run over a library's files.

    Attributes:
        library: what is checked.
        counts: what the run has looked at; filled while `findings` is consumed.
        drifted: the copies that `--fix` would rewrite, likewise.
        files: what is checked of it.
        sources: what the markers lead to.
    """

    def __init__(
        self,
        library: Library,
        paths: Sequence[Path] = (),
        read: Callable[[str], bytes] = read_bytes,
        progress: Callable[[int, int], None] = lambda done, total: None,
        files: Sequence[CheckedFile] | None = None,
    ) -> None:
        """Prepares a run.

        Args:
            library: what is checked.
            paths: files and folders to check instead of all its packages.
            read: how a file's bytes are read; a fix shows the run what it is about to write.
            progress: told, for each file, how many are done and how many there are.
            files: what `files_to_check` answered, if the caller has asked it.

        Raises:
            AddModelError: one of the paths does not exist.
        """
        self.library = library
        self.counts = Counts()
        self.drifted: list[Pair] = []
        self._read, self._progress = read, progress
        self.sources = Sources(library, read)
        self.files = files_to_check(library, paths) if files is None else list(files)
        self._selection = read_selection(library)
        self._named = {relative for relative, _ in self.files} if paths else set()
        self._problems: dict[str, SyntaxProblem | None] = {}
        self._edges: list[Edge] = []
        self._markers = self._unchecked = 0

    def findings(self) -> Iterator[Finding]:
        """Checks file by file, and yields what is wrong; not in the order of a report."""
        return self.merged(dict(self.results(self.files)))

    def results(self, files: Sequence[CheckedFile]) -> Iterator[tuple[str, FileResult]]:
        """Checks these files, and yields for each its path and what its check comes to."""
        for number, (relative, path) in enumerate(files, 1):
            self._progress(number, len(files))
            yield path, self._check_file(relative, path)

    def merged(self, results: Mapping[str, FileResult]) -> Iterator[Finding]:
        """What is wrong with the library, from what is wrong with each of its files, in their order."""
        for result in results.values():
            self.counts.files += 1
            self.counts.markers += result.markers
            self.counts.unchecked += result.unchecked
        unreadable: set[str] = set()
        for finding in self._of_all(results):
            if finding.code is Code.CP006:
                if finding.path in unreadable:
                    continue
                unreadable.add(finding.path)
            yield finding

    def _of_all(self, results: Mapping[str, FileResult]) -> Iterator[Finding]:
        for result in results.values():
            yield from result.findings
        if sum(result.size for result in results.values()) <= PARSED_BYTES:
            for path in results:
                try:
                    yield from self._parsed(self.sources.module(Path(path)))
                except SourceError as error:
                    yield self._unreadable(error)
        yield from self._cycles([edge for result in results.values() for edge in result.edges])
        yield from check_full_copies(self.library, self._read, self._named)

    def _check_file(self, relative: str, path: str) -> FileResult:
        self.sources.used = set()
        self._edges, self._markers, self._unchecked = [], 0, 0
        size = 0
        findings: list[Finding] = []
        try:
            content = self._read(path)
            size = len(content)
            if NEEDLE not in content:
                return FileResult(size)
            module = self.sources.remember(path, content)
            findings.extend(self._check_module(module, relative))
        except SourceError as error:
            findings.append(self._unreadable(error))
        except OSError as error:
            problem = f"cannot be read: {error.strerror or error}"
            findings.append(self._unreadable(SourceError(Path(path), problem)))
        used = tuple(sorted(self.sources.used - {path}))
        return FileResult(size, tuple(findings), self._markers, self._unchecked, tuple(self._edges), used)

    def _check_module(self, module: Module, relative: str) -> Iterator[Finding]:
        outer: Pair | None = None
        for line, comment in find_comments(module.text):
            if not module.is_code(line):
                continue
            if isinstance(comment, Mention):
                yield from self._check_mention(comment, relative)
                continue
            pair = None
            for result in self._resolve(module, comment, line, relative):
                if isinstance(result, Pair):
                    pair = result
                else:
                    yield result
            if pair is None:
                continue
            nested = outer is not None and outer.governs(pair.header)
            yield from self._judge(pair, relative, nested)
            if not nested:
                outer = pair

    def _check_mention(self, mention: Mention, relative: str) -> Iterator[Finding]:
        in_tests = self._is_test(relative)
        if not self.sources.names_a_definition(mention.source):
            return
        meant = mention.source
        if not self.sources.leads_into_library(mention.source, in_tests):
            meant = self.sources.meant_path(mention.source, in_tests) or ""
        if meant:
            yield _warning(Code.CP003, relative, mention.line, mention.source, f"checks nothing: {mention.why}")

    def _resolve(self, module: Module, marker: Marker, line: int, relative: str) -> Iterator[Finding | Pair]:
        """The pair of a marker, and what is wrong with the marker itself."""
        in_tests = self._is_test(relative)
        own = self.sources.leads_into_library(marker.source, in_tests)
        if not own:
            meant = self.sources.meant_path(marker.source, in_tests)
            if meant is not None:
                message = f"checks nothing: `{marker.source}` leads out of the library; did you mean `{meant}`?"
                yield _warning(Code.CP003, relative, marker.line, marker.source, message)
                return
        try:
            original = self.sources.find(marker.source)
        except SourceError as error:
            self._unchecked += 1
            yield self._unreadable(error)
            return
        if isinstance(original, Missing):
            if not own and marker.problems and not marker.replacements:
                return  # prose
            yield self._missing(marker, original, relative)
            if original.module is not None:
                yield from self._parsed(original.module)
            return
        self._markers += 1
        for problem in marker.problems:
            yield _warning(Code.CP003, relative, marker.line, marker.source, f"checks less than it says: {problem}")
        if original.elsewhere is not None:
            message = f"is not defined there; compared with `{original.elsewhere}`, which follows: name that"
            yield _warning(Code.CP002, relative, marker.line, marker.source, message)
        header = governed_header(module.text, marker, line)
        if header is None:
            message = "no class or function follows the marker at its indentation; put it directly above its copy"
            yield Finding(Code.CP007, Severity.ERROR, relative, marker.line, marker.line, "", marker.source, message)
            return
        pair = Pair(module, marker, header, original)
        if place_of_copy(pair) == place_of_original(pair):
            message = "checks nothing: it names the very definition that it stands above"
            yield _warning(Code.CP003, relative, marker.line, marker.source, message)
            return
        yield pair

    def _judge(self, pair: Pair, relative: str, nested: bool) -> Iterator[Finding]:
        if not nested:
            self._edges.append(
                Edge(place_of_copy(pair), place_of_original(pair), pair.marker.line, pair.marker.source)
            )
        yield from _replacement_findings(pair, relative)
        if pair.verdict is Verdict.EQUAL:
            return
        code, severity, message = self._drift(pair, nested)
        fixable = code is Code.CP001
        finding = Finding(
            code,
            severity,
            relative,
            pair.marker.line,
            pair.module.line_of(pair.end - 1),
            _object_at(pair.module, pair.header),
            pair.marker.source,
            message,
            fixable,
            first_difference(pair),
        )
        # What the configuration passes over is nobody's to rewrite either.
        if fixable and self._selection.reports(finding):
            self.drifted.append(pair)
        yield finding
        if severity is Severity.ERROR:
            yield from self._parsed(pair.module)
            yield from self._parsed(pair.original.module)

    def _drift(self, pair: Pair, nested: bool) -> tuple[Code, Severity, str]:
        source = pair.marker.source
        if nested:
            return Code.CP011, Severity.WARNING, f"differs from {source}; the marker of the block around it rules"
        followed = source.partition(".")[0] in self.library.configuration.follows
        if pair.original.origin is Origin.INSTALLED and not followed:
            return Code.CP009, Severity.WARNING, f"differs from {source} as installed here"
        if pair.verdict is Verdict.HEADER_DIFFERS and HEADERS_DIFFER_IN & self.library.packages.keys():
            return Code.CP010, Severity.WARNING, f"differs from {source} in its header"
        return Code.CP001, Severity.ERROR, f"differs from {source}"

    def _missing(self, marker: Marker, missing: Missing, relative: str) -> Finding:
        hint = f"; did you mean `{missing.suggestion}`?" if missing.suggestion else ""
        if missing.checkable:
            message = f"{missing.reason}{hint or '; name the original, or drop the marker'}"
            return Finding(Code.CP002, Severity.ERROR, relative, marker.line, marker.line, "", marker.source, message)
        self._unchecked += 1
        return _warning(Code.CP002, relative, marker.line, marker.source, f"unchecked: {missing.reason}{hint}")

    def _cycles(self, edges: Sequence[Edge]) -> Iterator[Finding]:
        for cycle in find_cycles(edges):
            members = " <- ".join([edge.source for edge in cycle] + [cycle[0].source])
            for edge in cycle:
                path, header = edge.copy
                module = self.sources.module(Path(path))
                yield Finding(
                    Code.CP004,
                    Severity.ERROR,
                    relative_path(path, self.library.root),
                    edge.line,
                    module.line_of(block_end(module.text, header) - 1),
                    _object_at(module, header),
                    edge.source,
                    f"a circle of copies has no original: {members}; drop one of the markers",
                )

    def _parsed(self, module: Module) -> Iterator[Finding]:
        """Reports a module that does not parse."""
        path = str(module.path)
        if path not in self._problems:
            self._problems[path] = syntax_problem(module)
        problem = self._problems[path]
        if problem is not None:
            message = f"does not parse: {problem.message}"
            yield self._unreadable(SourceError(module.path, message, problem.line, problem.column))

    def _unreadable(self, error: SourceError) -> Finding:
        relative = relative_path(error.path, self.library.root)
        place = f" (line {error.line}, column {error.column})" if error.line else ""
        line = max(1, error.line)
        return Finding(Code.CP006, Severity.ERROR, relative, line, line, "", "", f"{error.problem}{place}")

    def _is_test(self, relative: str) -> bool:
        tests = self.library.packages.get(TESTS)
        return tests is not None and relative.startswith(f"{relative_path(tests, self.library.root)}/")


def _replacement_findings(pair: Pair, relative: str) -> Iterator[Finding]:
    marker, text = pair.marker, pair.original.block
    for replacement in marker.replacements:
        before = text
        for old, new in replacement.pairs():
            text = text.replace(old, new)
        if text == before:
            yield _warning(Code.CP005, relative, marker.line, marker.source, f"`{replacement}` changes nothing in the original")  # fmt: skip
        if _METACHARACTER.search(replacement.old):
            message = f"`{replacement.old}` is read as text, not as the regular expression it would be elsewhere"
            yield _warning(Code.CP008, relative, marker.line, marker.source, message)


def _object_at(module: Module, header: int) -> str:
    """The dotted name of the definition whose header starts there, told from the class above it where that is enough."""
    text = module.text
    name = text[slice(*(header + offset for offset in own_name(text[header : text.find("\n", header)])))]
    around = text.rfind("\nclass ", 0, header) + 1
    outer = text[slice(*(around + offset for offset in own_name(text[around : text.find("\n", around)])))]
    likely = f"{outer}.{name}" if text[header].isspace() else name
    definition = module.find(likely) if name else None
    if definition is not None and definition.header == header:
        return likely
    names = (name for name, definition in module.definitions.items() if definition.header == header)
    return next(names, "")


def _warning(code: Code, path: str, line: int, source: str, message: str) -> Finding:
    return Finding(code, Severity.WARNING, path, line, line, "", source, message)
