"""What is wrong with the markers of one file after the other: each is resolved, and its copy compared."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from add_model.copies.finding import Code, Finding, Severity
from add_model.copies.judging.cycles import Edge, place_of_copy, place_of_original
from add_model.copies.judging.mending import Mender, may_be_malformed
from add_model.copies.judging.pair import Pair, Verdict, governed_header
from add_model.copies.judging.place import Place, digests_of
from add_model.copies.language.allowance import Allowance, Exhausted
from add_model.copies.language.by_lines import reads_by_lines, unreadable
from add_model.copies.language.marker import Address, GrownTooLong, Marker, Mention, Oversized, find_comments
from add_model.copies.reading.files import relative_path
from add_model.copies.reading.selection import Selection
from add_model.copies.reading.sources import TESTS, Missing, Origin, Sources
from add_model.definitions import indent_at
from add_model.encoding import SourceError
from add_model.library import Library
from add_model.source import Module
from add_model.values import TYPE_CHECKING

# What is wrong is rare: only where something is, what tells it is loaded.
if TYPE_CHECKING:
    from add_model.copies.language.syntax import SyntaxProblem
    from add_model.copies.reading.addresses import Addresses

# Libraries whose own script compares a copy from behind the first line of its header on, so that those of their releases differ.
HEADERS_DIFFER_IN = frozenset({"diffusers"})

_METACHARACTER = re.compile(r"[\\^$*+?{}\[\]|()]")


class Judge:
    """Judges the markers of one file after the other.

    Attributes:
        drifted: the copies that `--fix` would rewrite, of all files.
        misplaced: the copies whose markers it would move.
        malformed: the markers that it would write anew.
        pairs: every copy that others may be copies of, likewise, if the caller has asked for them.
        markers: how many markers the last file has.
        unchecked: how many of them, and of what looks like one, could not be checked.
        prose: how many lines that read like markers are taken for words.
        unreached: the repositories whose addresses it names, each as often as it could not be looked into.
        edges: what its copies are copies of.
    """

    def __init__(self, library: Library, sources: Sources, selection: Selection, keep_pairs: bool) -> None:
        self.drifted: list[Pair] = []
        self.misplaced: list[Pair] = []
        self._addresses: Addresses | None = None
        self._mender = Mender(sources, selection)
        self.malformed = self._mender.malformed
        self._is_read_by_lines = reads_by_lines(library.packages)
        self.pairs: list[Pair] | None = [] if keep_pairs else None
        self._library, self._sources, self._selection = library, sources, selection
        tests = library.packages.get(TESTS)
        self._tests = None if tests is None else f"{relative_path(tests, library.root)}/"
        self._problems: dict[str, SyntaxProblem | None] = {}
        self.begin()

    def begin(self) -> None:
        """Forgets the last file."""
        self.edges: list[Edge] = []
        self.markers = self.unchecked = self.prose = 0
        self.unreached: list[str] = []

    def allow(self, size: int) -> None:
        """Says how many bytes the file has: what its markers may ask for is in proportion."""
        self._allowance = Allowance(size)
        self._sources.effort, self._sources.most_effort = 0, self._allowance.hints

    def findings(self, module: Module, relative: str, first: int) -> Iterator[Finding]:
        """What is wrong with the markers of a file of that path, of which none stands before `first`."""
        outer: Pair | None = None
        for start, comment in find_comments(module.text, first):
            if not module.is_code(start):
                continue
            place = Place(module, relative, start, comment.source)
            if isinstance(comment, Mention):
                if not (yield from self._mended(None, place)):
                    yield from self._check_mention(comment, place)
                continue
            if isinstance(comment, Address):
                yield from self._check_address(comment, place)
                continue
            if isinstance(comment, Oversized):
                self.unchecked += 1
                yield self._refused(place, comment.why)
                continue
            try:
                if isinstance(comment, Marker) and may_be_malformed(comment, place):
                    comment = (yield from self._mended(comment, place)) or comment
                    place = place._replace(source=comment.source)
                pair = yield from self._resolve(comment, place)
                if pair is None:
                    continue
                nested = outer is not None and outer.governs(pair.header)
                yield from self._judge(pair, place, nested)
            except GrownTooLong as error:
                self.unchecked += 1
                yield self._refused(place, str(error))
                continue
            except Exhausted as error:
                # Whatever markers are left would ask for more.
                self.unchecked += 1
                yield self._refused(place, str(error))
                return
            if not nested:
                outer = pair

    def _mended(self, marker: Marker | None, place: Place) -> Generator[Finding, None, Marker | None]:
        """Yields what keeps a comment from being the marker that it was meant to be; that marker, if there is one."""
        found = self._mender.repaired(marker, place)
        if found is None:
            return None
        self.unchecked += marker is None
        meant, finding = found
        yield finding
        return meant

    def _check_address(self, address: Address, place: Place) -> Iterator[Finding]:
        """Compares what stands below the address of its original, if it is a definition, and the original is here."""
        from add_model.copies.reading.addresses import Addresses

        marker = Marker(address.indent, address.source, address.replacements)
        header = governed_header(place.module, marker, place.start)
        if header is None:
            return
        if self._addresses is None:
            self._addresses = Addresses(self._sources)
        original = self._addresses.find(address, place.module.name_at(header))
        if original is None:
            self.unchecked += 1
            self.unreached.append(address.repository)
            return
        self.markers += 1
        try:
            self._allowance.compare(len(original.block), marker.replacements)
            pair = Pair(place.module, marker, place.start, header, original)
            self._allowance.tell_apart(len(pair.expected))
        except (GrownTooLong, Exhausted) as error:
            yield self._refused(place, str(error))
            return
        if not pair.is_equal:
            from add_model.copies.judging.kinds import kinds_of_change

            kinds = kinds_of_change(pair)
            where = f"{original.definition.name} of {address.path} in {address.repository} at {address.revision}"
            message = f"differs from {where}, in {' and '.join(kinds)}"
            if not set(kinds).issubset(self._library.configuration.ignore_kinds):
                yield self._of_pair(pair, place, Code.CP009, Severity.WARNING, message)

    def _check_mention(self, mention: Mention, place: Place) -> Iterator[Finding]:
        in_tests = self._is_test(place.path)
        written = mention.source
        source = self._sources.absolute(written, place.module.place) if written.startswith(".") else written
        if not source or not self._sources.names_a_definition(source):
            return
        meant: str | None = source
        if not self._sources.leads_into_library(source, in_tests):
            meant = self._sources.meant_path(source, in_tests)
        if meant is None or not self._sources.names_a_definition(meant):
            return
        hint = self._other_path(written, meant) if mention.first else ""
        yield place._replace(source=source).warning(Code.CP003, f"checks nothing: {mention.why}{hint}")

    def _other_path(self, written: str, meant: str) -> str:
        """Offers the path that exists and is closest to one that was meant, unless that is what is written."""
        try:
            found = self._sources.find(meant)
            nearest = (self._sources.suggestion(meant) if isinstance(found, Missing) else found.elsewhere) or meant
        except SourceError:
            return ""
        return "" if nearest == written else f"; did you mean `{nearest}`?"

    def _resolve(self, marker: Marker, place: Place) -> Generator[Finding, None, Pair | None]:
        """Yields what is wrong with a marker itself; the pair of the marker, where it has one."""
        in_tests = self._is_test(place.path)
        own = self._sources.leads_into_library(marker.source, in_tests)
        if not own:
            meant = self._sources.meant_path(marker.source, in_tests)
            is_for_tests = self._tests is not None and marker.source.startswith(f"{TESTS}.")
            if meant is not None or is_for_tests:
                hint = f"; did you mean `{meant}`?" if meant is not None else ""
                self.unchecked += 1
                yield place.warning(Code.CP003, f"checks nothing: `{marker.source}` leads out of the library{hint}")
                return None
        try:
            original = self._sources.find(marker.source)
            suggestion = self._sources.suggestion(marker.source) if isinstance(original, Missing) else None
        except SourceError as error:
            self.unchecked += 1
            yield self.unreadable(error)
            return None
        if isinstance(original, Missing):
            if not own and (_has_capitals(marker.source) or (marker.problems and not marker.replacements)):
                self.prose += 1
                return None
            yield self._missing(original, suggestion, place, marker)
            if original.module is not None:
                yield from self.parsed(original.module)
            return None
        self.markers += 1
        for problem in marker.problems:
            yield place.warning(Code.CP003, f"checks less than it says: {problem}")
        if original.elsewhere is not None:
            how = "is inherited from" if original.is_inherited else "is not defined there; compared with"
            where = "and compared there" if original.is_inherited else "which follows"
            message = f"{how} `{original.elsewhere}`, {where}: name that"
            yield place.warning(Code.CP002, message)
        header = governed_header(place.module, marker, place.start)
        if header is None:
            message = "no class or function follows the marker at its indentation; put it directly above its copy"
            yield place.finding(Code.CP007, Severity.ERROR, message)
            return None
        if original.module is place.module:
            if original.definition.header == header:
                yield place.warning(Code.CP003, "checks nothing: it names the very definition that it stands above")
                return None
            if _is_within(place.module, *sorted((original.definition.header, header))):
                message = (
                    f"a part of {marker.source} cannot be its copy, nor the whole a copy of its part; drop the marker"
                )
                yield place.finding(Code.CP004, Severity.ERROR, message)
                return None
        self._allowance.compare(len(original.block), marker.replacements)
        return Pair(place.module, marker, place.start, header, original)

    def _of_pair(self, pair: Pair, place: Place, code: Code, severity: Severity, message: str) -> Finding:
        """A finding about a copy that differs."""
        from add_model.copies.judging.difference import first_difference

        return Finding(
            code,
            severity,
            place.path,
            pair.line,
            pair.module.line_of(pair.end - 1),
            pair.module.name_at(pair.header),
            pair.marker.source,
            message,
            code is Code.CP001,
            first_difference(pair),
            digests=digests_of(pair.block, pair.original.block),
        )

    def _check_by_lines(self, pair: Pair, place: Place) -> Iterator[Finding]:
        """Says of a marker that the library's own script, which reads it as well, ends with an error there."""
        if pair.marker.source.partition(".")[0] not in self._library.packages:
            return
        found = unreadable(pair.module, pair.start, pair.header, pair.end, self._library.packages)
        if found is not None:
            message = f"the library's own script cannot read this marker: {found.why}"
            finding = place.warning(Code.CP012, message)._replace(
                end_line=pair.module.line_of(pair.end - 1),
                object=pair.module.name_at(pair.header),
                fixable=found.is_misplaced,
            )
            if found.is_misplaced and self._selection.reports(finding):
                self.misplaced.append(pair)
            yield finding

    def _judge(self, pair: Pair, place: Place, nested: bool) -> Iterator[Finding]:
        if not nested:
            self.edges.append((place_of_copy(pair), place_of_original(pair), pair.start, pair.marker.source))
            if self.pairs is not None:
                self.pairs.append(pair)
        yield from _replacement_findings(pair, place)
        is_equal = pair.is_equal_in_place
        if self._is_read_by_lines:
            yield from self._check_by_lines(pair, place)
        if not nested and self._library.configuration.decorators:
            yield from self._check_decorators(pair, place)
        if is_equal:
            return
        self._allowance.tell_apart(len(pair.expected))
        if pair.is_equal:
            return
        code, severity, message = self._drift(pair, nested)
        if code is Code.CP009:
            from add_model.copies.judging.kinds import headers, kinds_of_change

            kinds = kinds_of_change(pair)
            if self._library.configuration.ignore_kinds and set(kinds).issubset(
                self._library.configuration.ignore_kinds
            ):
                return
            both = headers(pair)
            message += f", in {' and '.join(kinds)}" if both is None else f": `{both[0]}` there, `{both[1]}` here"
        finding = self._of_pair(pair, place, code, severity, message)
        fixable = finding.fixable
        # What the configuration passes over is nobody's to rewrite either.
        if fixable and self._selection.reports(finding):
            self.drifted.append(pair)
        yield finding
        if severity is Severity.ERROR:
            yield from self.parsed(pair.module)
            yield from self.parsed(pair.original.module)

    def _check_decorators(self, pair: Pair, place: Place) -> Iterator[Finding]:
        """Says of a copy that its decorators are not those of its original."""
        from add_model.copies.judging.decorators import decorators_differ

        both = decorators_differ(pair)
        if both is not None:
            _, severity, message = self._drift(pair, nested=False)
            code = Code.CP001 if severity is Severity.ERROR else Code.CP009
            message = f"its decorators differ from those of {pair.marker.source}: {both[0]} there, {both[1]} here"
            yield place.finding(code, severity, message)._replace(object=pair.module.name_at(pair.header))

    def _as_installed(self, source: str) -> str:
        """The package of a path, with the version that is installed."""
        package = source.partition(".")[0]
        return f"{package} {self._sources.outlook.version(package)}, which is installed"

    def would_rewrite(self, pair: Pair) -> bool:
        """Whether a fix is to rewrite a copy, if it differs."""
        code, severity, message = self._drift(pair, nested=False)
        path = relative_path(pair.module.place, self._library.root)
        return code is Code.CP001 and self._selection.reports(Finding(code, severity, path, 1, 1, "", "", message))

    def _drift(self, pair: Pair, nested: bool) -> tuple[Code, Severity, str]:
        source = pair.marker.source
        if nested:
            return Code.CP011, Severity.WARNING, f"differs from {source}; the marker of the block around it rules"
        followed = source.partition(".")[0] in self._library.configuration.follows
        if pair.original.origin is Origin.INSTALLED and not followed:
            return Code.CP009, Severity.WARNING, f"differs from {source} in {self._as_installed(source)}"
        if HEADERS_DIFFER_IN & self._library.packages.keys() and pair.verdict is Verdict.HEADER_DIFFERS:
            return Code.CP010, Severity.WARNING, f"differs from {source} in its header"
        return Code.CP001, Severity.ERROR, f"differs from {source}"

    def _missing(self, missing: Missing, suggestion: str | None, place: Place, marker: Marker) -> Finding:
        hint = f"; did you mean `{suggestion}`?" if suggestion else ""
        self.unchecked += 1
        if missing.is_module and (path := self._mender.definition_meant(marker, place)) is not None:
            meant, end = marker._replace(source=path), place.module.text.find("\n", place.start)
            message = f"{missing.reason}; write `{str(meant).strip()}`"
            return self._mender.written_anew(place.finding(Code.CP002, Severity.ERROR, message), place, end, meant)
        package = marker.source.partition(".")[0]
        if missing.origin is Origin.INSTALLED and package not in self._library.configuration.follows:
            return place.warning(Code.CP013, f"{missing.reason} in {self._as_installed(package)}{hint}")
        if missing.checkable:
            message = f"{missing.reason}{hint or '; name the original, or drop the marker'}"
            return place.finding(Code.CP002, Severity.ERROR, message)
        return place.warning(Code.CP002, f"unchecked: {missing.reason}{hint}")

    def _refused(self, place: Place, why: str) -> Finding:
        """Says of a marker that it is not judged, as that would take too much."""
        column = len(indent_at(place.module.text, place.start)) + 1
        return self.unreadable(SourceError(place.module.place, why, place.module.line_of(place.start), column))

    def parsed(self, module: Module) -> Iterator[Finding]:
        """Reports a module that does not parse."""
        from add_model.copies.language.syntax import syntax_problem

        path = module.place
        if path not in self._problems:
            self._problems[path] = syntax_problem(module)
        problem = self._problems[path]
        if problem is not None:
            message = f"does not parse: {problem.message}"
            yield self.unreadable(SourceError(module.path, message, problem.line, problem.column))

    def unreadable(self, error: SourceError) -> Finding:
        """Reports a file that cannot be read, or a place in one that is not judged."""
        relative = relative_path(error.path, self._library.root)
        place = f" (line {error.line}, column {error.column})" if error.line else ""
        line = max(1, error.line)
        return Finding(Code.CP006, Severity.ERROR, relative, line, line, "", "", f"{error.problem}{place}")

    def _is_test(self, relative: str) -> bool:
        return self._tests is not None and relative.startswith(self._tests)


def _is_within(module: Module, outer: int, inner: int) -> bool:
    """Whether one of two definitions, which start at these headers, is a part of the other."""
    deep, deeper = (len(indent_at(module.text, header)) for header in (outer, inner))
    return deep < deeper and inner < module.block_end(outer)


def _has_capitals(source: str) -> bool:
    """Whether a path begins with something that is a class, to look at it, rather than a package."""
    package = source.partition(".")[0]
    return package != package.lower()


def _replacement_findings(pair: Pair, place: Place) -> Iterator[Finding]:
    for replacement in pair.without_effect:
        yield place.warning(Code.CP005, f"`{replacement}` changes nothing in the original")
    for replacement in pair.marker.replacements:
        if _METACHARACTER.search(replacement.old):
            message = f"`{replacement.old}` is read as text, not as the regular expression it would be elsewhere"
            yield place.warning(Code.CP008, message)
