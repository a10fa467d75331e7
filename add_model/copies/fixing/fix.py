"""Drifted copies rewritten, originals first, until nothing is left to rewrite; in memory, to be shown or written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from add_model.copies.baseline import set_aside
from add_model.copies.finding import Code, Finding, Moved
from add_model.copies.fixing.dangling import drop_dangling
from add_model.copies.fixing.edits import Edit, apply_edits
from add_model.copies.fixing.fixable import FixablePairs
from add_model.copies.fixing.fixed import Fixed
from add_model.copies.fixing.imports import NoImport
from add_model.copies.fixing.marker_edits import mended, moved
from add_model.copies.fixing.modules import Modules
from add_model.copies.fixing.order import Blocks, originals_first
from add_model.copies.fixing.outcomes import Outcomes, ended
from add_model.copies.fixing.supplies import Supplies
from add_model.copies.judging.check import Check
from add_model.copies.judging.cycles import Place, place_of_copy
from add_model.copies.judging.full_copies import originals_first as full_copies_in_order
from add_model.copies.judging.judge import HEADERS_DIFFER_IN
from add_model.copies.judging.pair import Pair
from add_model.copies.language.equality import blocks_match, equal
from add_model.copies.language.marker import GrownTooLong
from add_model.copies.language.syntax import SyntaxProblem, syntax_problem
from add_model.copies.remembering.history import TRUST
from add_model.copies.remembering.sides import Sides
from add_model.definitions import indent_at
from add_model.encoding import SourceError
from add_model.errors import AddModelError
from add_model.library import Library
from add_model.reading import read_bytes
from add_model.source import Module, decode_module

# Of a small tree a fix looks at so many characters of copies, a file counting for some, round by round, before it leaves the rest to another run.
_MOST_CHARACTERS, _FILE = 1_000_000, 500
# How often a file is put together to find out which of its copies cannot be written.
_MOST_ATTEMPTS = 40
# A copy: its place as the memory of fixes names it, and its source.
_Key = tuple[str, str]
# No chain of copies is as long; what is rewritten as often will not settle.
_MOST_TRIES = 20
# Of a block, and of a whole file.
_CHOICES = tuple(
    f"carry the edit to the original, {exception}, or use --force to take the original's side"
    for exception in ("mark it `# Ignore copy`, drop the marker", "take the file out of full-copies")
)


def fix(
    library: Library,
    paths: Sequence[Path] = (),
    force: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    base: str | None = None,
) -> Fixed:
    """Works out the files that put every drifted copy right.

    A copy whose original is about to be rewritten itself waits for that, so that copies of copies settle in one run.
    A copy that was edited itself is left alone; where its original has moved as well, the two edits are merged.

    Args:
        library: what is fixed.
        paths: files and folders to fix instead of all its packages.
        force: whether a copy that was edited becomes what its original calls for, too.
        progress: told, for each file, how many are done and how many there are; from the start in every round.
        base: the commit against which an edit is told; the last one, where none is named.

    Raises:
        AddModelError: one of the paths does not exist, git knows no such commit, or a file was changed meanwhile.
    """
    return _Fix(library, paths, force, progress, base).result()


class _Fix:
    """One fix, round by round, in memory."""

    def __init__(
        self,
        library: Library,
        paths: Sequence[Path],
        force: bool,
        progress: Callable[[int, int], None],
        base: str | None,
    ) -> None:
        self._library, self._paths, self._force, self._progress = library, paths, force, progress
        self._sides = Sides(library, base)
        self._outcomes = Outcomes(self._sides, force, bool(HEADERS_DIFFER_IN & library.packages.keys()), library.root)
        self._before: dict[str, bytes | None] = {}
        self._after: dict[str, bytes] = {}
        self._unrecorded: set[str] = set()
        self._tries: Counter[_Key] = Counter()
        self._rewritten: set[_Key] = set()
        self._merged: set[_Key] = set()
        self._unwritable: dict[_Key, str] = {}
        self._moved = self._mended = 0
        self._supplies: Supplies
        self._aside: frozenset[tuple[str, str, str]] = frozenset()

    def result(self) -> Fixed:
        """Rounds, until one has nothing to do."""
        if self._sides.refusal and not self._force:
            raise AddModelError(f"git tells no edit from what it knows here: {self._sides.refusal}; {TRUST}")
        rounds = 0
        while True:
            check = Check(self._library, self._paths, self._read, self._progress, keep_pairs=True)
            findings = list(check.findings())
            # What the first round makes of originals changes what their copies differ in, not that they were set aside.
            if not rounds:
                self._aside = set_aside(self._library, findings)
            can_be_fixed = FixablePairs(self._library, findings, self._aside)
            fixable = list(filter(can_be_fixed, check.drifted))
            self._sides.look_at(fixable)
            self._supplies = Supplies(check.sources)
            self._outcomes.forget()
            if self._sides.are_cut_short and not self._force:
                raise AddModelError(
                    "git knows more of these files than can be looked at together, so that nothing tells which copies were edited; name fewer files to fix, or use --force"
                )
            due = [pair for pair in fixable if self._is_due(pair)]
            texts = self._texts(
                due, [pair for pair in check.pairs or () if check.would_rewrite(pair) and can_be_fixed(pair)]
            )
            contents = self._rewritten_files(texts) | self._full_copies(findings, check)
            # Where a file is rewritten, its markers are for the next round.
            contents |= self._with_edited_markers(check, contents)
            rounds += 1
            if not contents or rounds > self._most_rounds(check):
                break
            self._tries.update(map(self._key, texts))
            self._after |= contents
        left = self._left(findings, check.drifted, fixable)
        after, dangling = drop_dangling(
            self._before, self._after, Modules(check.sources), self._library.configuration.follows
        )
        return Fixed(
            library=self._library,
            before=self._before,
            after=after,
            rewritten=len(self._rewritten),
            merged=len(self._merged - self._rewritten),
            moved=self._moved,
            mended=self._mended,
            findings=left,
            counts=check.counts,
            sides=self._sides,
            unrecorded=frozenset(self._unrecorded),
            dangling=dangling,
        )

    def _most_rounds(self, check: Check) -> int:
        """How many rounds a fix may take: what is left behind them is for another run."""
        size = sum(pair.end - pair.header for pair in check.pairs or ()) + _FILE * check.counts.files
        return max(_MOST_TRIES, _MOST_CHARACTERS // (size + 1))

    def _read(self, path: str) -> bytes:
        return self._after[path] if path in self._after else read_bytes(path)

    def _key(self, pair: Pair) -> _Key:
        return self._sides.name(pair), pair.marker.source

    def _is_due(self, pair: Pair) -> bool:
        if self._tries[self._key(pair)] >= _MOST_TRIES:
            return False
        return self._outcomes.is_overwritten(pair) or not blocks_match(self._outcomes.merge(pair).text, pair.block)

    def _texts(self, due: Sequence[Pair], pairs: Sequence[Pair]) -> dict[Pair, str]:
        """The copies that can be rewritten now, with what they become.

        A copy whose original is itself rewritten is made from what that becomes, if nothing else is in the way; the
        others wait for the next round.

        Args:
            due: the copies that differ.
            pairs: all copies, less those that no fix rewrites.
        """
        texts: dict[Pair, str] = {}
        becoming: dict[Place, str] = {}
        blocks, all_blocks, waiting = Blocks(due), Blocks(pairs), set(due)
        for pair in originals_first(pairs):
            place, original = place_of_copy(pair), becoming.get(pair.original.place)
            if place in becoming or blocks.contain(pair):
                continue
            if original is None:
                if pair not in waiting or blocks.touch_original(pair):
                    continue
            elif pair not in waiting and all_blocks.touch_another(pair):
                continue
            elif (followed := self._behind(pair, original)) is None:
                continue
            else:
                pair = followed
            text = self._outcomes.text(pair)
            if self._can_be_written(pair, text):
                texts[pair] = becoming[place] = text
        # Where each waits for another, the first has to do; what it settles is seen in the next round.
        return texts or {
            pair: text for pair in due[:1] if self._can_be_written(pair, text := self._outcomes.text(pair))
        }

    def _behind(self, pair: Pair, original: str) -> Pair | None:
        """A copy whose original becomes another; `None` where it needs not be rewritten for that."""
        try:
            followed = pair.behind(original)
        except GrownTooLong:
            return None
        if blocks_match(followed.expected, followed.block):
            return None
        self._sides.look_at([followed])
        return followed if self._is_due(followed) else None

    def _can_be_written(self, pair: Pair, text: str) -> bool:
        """Whether what a copy becomes is Python, and has all that it needs; if not, that is what is said of it."""
        problem = syntax_problem(Module(pair.module.place, f"if 1:\n{text}" if indent_at(text) else text))
        try:
            if problem is None:
                self._supplies.find(pair, text)
                return True
            self._unwritable[self._key(pair)] = _does_not_parse(problem)
        except NoImport as error:
            self._unwritable[self._key(pair)] = str(error)
        return False

    def _rewritten_files(self, texts: Mapping[Pair, str]) -> dict[str, bytes]:
        """New bytes for every file in which one of the copies stands, where that can be done and changes anything."""
        files: dict[str, dict[Pair, str]] = {}
        for pair, text in texts.items():
            files.setdefault(pair.module.place, {})[pair] = text
        contents: dict[str, bytes] = {}
        for path, copies in files.items():
            content = self._content(next(iter(copies)).module)
            chosen = self._writable(content, copies)
            changed = self._changed(content, chosen) if chosen else content
            if changed != content:
                assert isinstance(changed, bytes)
                contents[path] = changed
                self._before.setdefault(path, content)
                self._take_note(path, chosen)
        return contents

    def _writable(self, content: bytes, texts: dict[Pair, str]) -> dict[Pair, str]:
        """The copies that a file can hold together: all of them as a rule, else as many as are found to go together."""
        chosen: dict[Pair, str] = {}
        # What was merged may no longer parse; what was rewritten does more often.
        groups = [sorted(texts, key=self._outcomes.is_overwritten, reverse=True)]
        for _ in range(_MOST_ATTEMPTS):
            if not groups:
                break
            group = groups.pop()
            changed = self._changed(content, chosen | {pair: texts[pair] for pair in group})
            if isinstance(changed, bytes):
                chosen.update((pair, texts[pair]) for pair in group)
            elif len(group) > 1:
                groups += group[len(group) // 2 :], group[: len(group) // 2]
            else:
                self._unwritable[self._key(group[0])] = changed
        for pair in (pair for group in groups for pair in group):
            self._unwritable[self._key(pair)] = "too many copies of its file would not parse"
        return chosen

    def _take_note(self, path: str, texts: dict[Pair, str]) -> None:
        written = self._sides.written
        for pair, text in texts.items():
            overwritten, side, name = (
                self._outcomes.is_overwritten(pair),
                self._outcomes.side(pair),
                self._sides.name(pair),
            )
            (self._rewritten if overwritten else self._merged).add(self._key(pair))
            if not side.recorded:
                self._unrecorded.add(path)
            if overwritten or blocks_match(pair.expected, text):
                written.add(name, text, pair.block)
            if not overwritten and side.committed is not None:
                original = self._outcomes.original_side(pair, side.committed)
                written.add_merge(name, side.committed.block, ended(pair.block), original)

    def _changed(self, content: bytes, texts: Mapping[Pair, str]) -> bytes | str:
        """A file's bytes with these copies as they should be; where it cannot hold them, why."""
        module = next(iter(texts)).module
        # Two markers above one definition make one edit; what the other one asks for is seen in the next round.
        edits = {pair.header: Edit(pair.header, pair.end, texts[pair]) for pair in reversed(list(texts))}
        try:
            changed = apply_edits(content, module.encoding, [*edits.values(), *self._supplies.edits(texts)])
        except UnicodeEncodeError as error:
            return f"its file is {module.encoding}, which has no {error.object[error.start]!r}"
        after = decode_module(module.path, changed)
        problem = syntax_problem(after)
        if problem is not None:
            return _does_not_parse(problem)
        lost = self._supplies.lost(texts, module.text, after.text)
        return changed if lost is None else f"`{lost}` would not be defined any more"

    def _content(self, module: Module) -> bytes:
        """The bytes of a file, which must still be those that were checked."""
        try:
            content = self._read(str(module.path))
            unchanged = decode_module(module.path, content).text == module.text
        except (OSError, SourceError):
            unchanged = False
        if not unchanged:
            raise AddModelError(f"{module.path}: was changed while this run was at work; run again")
        return content

    def _with_edited_markers(self, check: Check, contents: Mapping[str, bytes]) -> dict[str, bytes]:
        """New bytes for every other file with markers to be moved or mended; one with both is moved first."""
        edited: dict[str, bytes] = {}
        for module in (*(pair.module for pair in check.misplaced), *(each.module for each in check.malformed)):
            if module.place in contents or module.place in edited:
                continue
            moves, content = moved(module, check.misplaced), self._content(module)
            edits = moves or mended(module, check.malformed)
            self._moved += len(moves) // 2
            self._mended += 0 if moves else len(edits)
            self._before.setdefault(module.place, content)
            edited[module.place] = apply_edits(content, module.encoding, edits)
        return edited

    def _full_copies(self, findings: Sequence[Finding], check: Check) -> dict[str, bytes]:
        """New bytes for every file that is registered as a full copy and is none, or is none once its original is."""
        contents: dict[str, bytes] = {}
        full = (finding for finding in findings if finding.fixable and self._is_full_copy(finding))
        differing = {each.path for each in full if (each.path, each.object, each.source) not in self._aside}
        registered = self._library.configuration.full_copies
        for relative in full_copies_in_order(registered) if differing else ():
            source = registered[relative]
            path, source_path = (str(self._library.root / name) for name in (relative, source))
            follows = source_path in contents
            if relative not in differing and not (follows and check.would_rewrite_file(relative)):
                continue
            copy, original = self._read_if_there(relative), contents.get(source_path, self._read_if_there(source))
            if follows and copy is not None and original is not None and _is_same(copy, original):
                continue
            side = self._sides.of_full_copy(relative, source, copy, original)
            if original is None or (side.edited and not self._force):
                continue
            contents[path] = original
            self._before.setdefault(path, copy)
            self._rewritten.add((relative, source))
            self._sides.written.add(relative, original.decode("latin-1"))
            if copy is not None and not side.recorded:
                self._unrecorded.add(path)
        return contents

    def _is_full_copy(self, finding: Finding) -> bool:
        return self._library.configuration.full_copies.get(finding.path) == finding.source

    def _read_if_there(self, relative: str) -> bytes | None:
        try:
            return self._read(str(self._library.root / relative))
        except OSError:
            return None

    def _left(self, findings: Sequence[Finding], drifted: Sequence[Pair], fixable: Sequence[Pair]) -> list[Finding]:
        """The findings; those about copies that were left alone because they hold an edit say what can be done."""
        pairs = {self._sides.place(pair): pair for pair in fixable}
        left = []
        for finding in self._sides.told(findings, drifted, self._read_if_there):
            pair = None if self._is_full_copy(finding) else pairs.get((finding.path, finding.line))
            unwritable = self._unwritable.get(self._key(pair)) if pair is not None else None
            if not self._force and finding.moved in (Moved.COPY, Moved.BOTH):
                conflicts = self._outcomes.merge(pair).conflicts if pair is not None else ()
                edit_is_left = ", and the copy's own edit is left" if finding.moved is Moved.BOTH else ""
                state = ", and conflict" if conflicts else edit_is_left
                message = f"{finding.message}{state}: {_CHOICES[pair is None]}"
                finding = finding._replace(message=message, conflicts=conflicts)
            elif unwritable is not None and finding.code is Code.CP001:
                finding = finding._replace(message=f"{finding.message}; left as it is: {unwritable}", fixable=False)
            left.append(finding)
        return left


def _is_same(copy: bytes, original: bytes) -> bool:
    """Whether two files hold the same but for their layout."""
    try:
        return copy == original or equal(*(decode_module("", content).text for content in (original, copy)))
    except SourceError:
        return False


def _does_not_parse(problem: SyntaxProblem) -> str:
    return f"what it would become does not parse ({problem.message})"
