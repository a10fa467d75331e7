"""Thousands of single edits in the released trees: every marker that an edit affects is reported, and no other."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import pytest

from add_model.copies import check
from add_model.copies.check import Check
from add_model.library import Library

from .mutations import KINDS, Mutant, mutate
from .reference import Block, Mark, Tree
from .released import RELEASES, released

MUTANTS = 700
SEED = 20260
SIDES = ("copy", "original")
# Spurious reports are looked for where they could be, and every so often everywhere.
WHOLE_TREE_EVERY = 50
# What is said of a copy and its original; the other codes speak of how a marker is written.
ABOUT_COPIES = frozenset({"CP001", "CP002", "CP004", "CP006", "CP007", "CP009", "CP010", "CP011"})

# What is reported: a file, relative to the root, a line, a code.
Reports = set[tuple[str, int, str]]


class Released:
    """A released tree with what a check must say about each of its markers, and the bytes of its files."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.tree = Tree(library.root, library.packages)
        self.files = self.tree.marked_files()
        self.marks = [mark for path in self.files for mark in self.tree.marks(path)]
        self.verdicts = {(mark.path, mark.line): self.tree.verdict(mark) for mark in self.marks}
        self.users: dict[str, set[str]] = {}
        for mark in self.marks:
            original = self.tree.original(mark.source)
            if original is not None:
                self.users.setdefault(original[0].path, set()).add(mark.path)
        self._bytes: dict[str, bytes] = {}

    def read(self, path: str) -> bytes:
        """The bytes of a file of the tree, read from the disk once."""
        if path not in self._bytes:
            self._bytes[path] = Path(path).read_bytes()
        return self._bytes[path]

    def relative(self, path: str) -> str:
        """A path as a report shows it."""
        return Path(path).relative_to(self.library.root).as_posix()

    def reported(self, paths: Sequence[str], read: Callable[[str], bytes] | None = None) -> Reports:
        """What the checker reports in these files; none named: in the whole tree."""
        findings = Check(self.library, [Path(path) for path in paths], read or self.read).findings()
        own = (finding for finding in findings if finding.source.partition(".")[0] in self.library.packages)
        reports = ((finding.path, finding.line, finding.code.name) for finding in own)
        return {report for report in reports if report[2] in ABOUT_COPIES}

    def expected(self, edited: Tree, mutant: Mutant, paths: Sequence[str]) -> Reports:
        """What it must report in these files once the edit is made."""
        reports: Reports = set()
        for path in paths:
            before = {mark.source for mark in self.tree.marks(path) if self.verdicts[path, mark.line]}
            for mark in edited.marks(path):
                original = edited.original(mark.source)
                touched = path == mutant.path or original is None or original[0].path == mutant.path
                verdict = edited.verdict(mark) if touched else self.verdicts[path, mark.line]
                if verdict:
                    assert mark.source in before or lies_around(self.tree, mark, mutant), (
                        f"{mark}: {verdict} by {mutant}"
                    )
                    reports.update((self.relative(path), mark.line, code) for code in verdict)
        return reports

    def unedited(self, paths: Sequence[str]) -> int:
        """How much is reported of these files without any edit."""
        return sum(len(self.verdicts[mark.path, mark.line]) for path in paths for mark in self.tree.marks(path))


def lies_around(tree: Tree, mark: Mark, mutant: Mutant) -> bool:
    """Whether the edit touches a line of a marker's copy, or of the original that it had: no other can be affected."""
    assert mark.copy is not None
    original = tree.original(mark.source)
    around_original = original is not None and _touch(original[0].path, original[1], mutant, mutant.before)
    return around_original or _touch(mark.path, mark.copy, mutant, mutant.lines)


def _touch(path: str, block: Block, mutant: Mutant, lines: range) -> bool:
    return path == mutant.path and block.header <= lines.stop and lines.start - 1 <= block.end


@pytest.fixture
def parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check parses what it reports on, and small selections of files as a whole; the same files here, every time."""
    monkeypatch.setattr(check, "PARSED_BYTES", 0, raising=False)
    monkeypatch.setattr(check, "syntax_problem", lru_cache(maxsize=4000)(check.syntax_problem), raising=False)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.usefixtures("parsed_once")
@pytest.mark.parametrize("release", RELEASES)
def test_every_edit_is_found_and_nothing_else(release: str, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    tree = Released(released(release))
    assert tree.reported([]) == {
        (tree.relative(path), line, code) for (path, line), codes in tree.verdicts.items() for code in codes
    }
    chance = random.Random(SEED)
    equal = [mark for mark in tree.marks if not tree.verdicts[mark.path, mark.line]]
    kinds = list(KINDS)
    done: Counter[tuple[str, str]] = Counter()
    affected: Counter[str] = Counter()
    absorbed, wrong = 0, []
    while done.total() < MUTANTS:
        kind, side = kinds[done.total() % len(kinds)], chance.choice(SIDES)
        mutant = mutate(tree.tree, chance.choice(equal), kind, side, chance)
        try:
            edited = tree.tree.with_text(mutant.path, mutant.text) if mutant else None
        except SyntaxError:
            continue
        if mutant is None or edited is None:
            continue
        sample = {mutant.path, *tree.users.get(mutant.path, ()), *chance.sample(tree.files, 3)}
        paths = sorted(sample & set(tree.files))
        expected = tree.expected(edited, mutant, paths)
        count = len(expected) - tree.unedited(paths)
        if count > 0:
            done[kind, side] += 1
            affected[kind] += count
        else:
            absorbed += 1
        if done.total() % WHOLE_TREE_EVERY == 0:
            expected, paths = tree.expected(edited, mutant, tree.files), []
        reported = tree.reported(paths, _reader(tree, mutant))
        wrong += [f"missed {report} after {mutant}" for report in expected - reported]
        wrong += [f"spurious {report} after {mutant}" for report in reported - expected]
    minutes = (time.monotonic() - started) / 60
    with capsys.disabled():
        print(f"\n{release}: {len(tree.marks)} markers; {done.total()} mutants affect {affected.total()}, {absorbed} more affect none; {len(wrong)} reports wrong; {minutes:.1f} minutes")  # fmt: skip
        for kind in kinds:
            print(f"  {kind:<20}{done[kind, 'copy']:>5} in copies{done[kind, 'original']:>5} in originals{affected[kind]:>6} markers affected")  # fmt: skip
    assert wrong == []


def _reader(tree: Released, mutant: Mutant) -> Callable[[str], bytes]:
    content = mutant.text.encode()
    return lambda path: content if path == mutant.path else tree.read(path)
