"""Thousands of single edits in the released trees: every marker that an edit affects is reported, and no other.

Each edit is judged by itself first, by the reference alone: which markers does it affect? Edits that have nothing to
do with one another are then made together, each in a file of its own, and the whole tree is checked once for all of
them. No report can hide another one, as no two of these edits affect the same marker.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

from add_model.copies.judging.check import Check
from add_model.copies.language import syntax
from add_model.library import Library

from .mutations import KINDS, Mutant, mutate
from .reference import Block, File, Mark, Tree
from .released import RELEASES, released

MUTANTS = 700
SEED = 20260
OTHER_SEEDS = (20261, 20262)
SIDES = ("copy", "original")
# So many edits are drawn before they are sorted into groups.
DRAWN_TOGETHER = 70
# What is said of a copy and its original; the other codes speak of how a marker is written.
ABOUT_COPIES = frozenset({"CP001", "CP002", "CP004", "CP006", "CP007", "CP009", "CP010", "CP011"})

# What is reported: a file, its line, a code.
Report = tuple[str, int, str]


@dataclass(frozen=True)
class Judged:
    """A mutant and what the reference says of it.

    Attributes:
        mutant: it.
        file: the file with the edit in it.
        reports: what must be said of the markers that the edit affects.
    """

    mutant: Mutant
    file: File
    reports: frozenset[Report]

    @property
    def paths(self) -> set[str]:
        """The files whose reports it has a say in."""
        return {self.file.path, *(path for path, _, _ in self.reports)}


class Released:
    """A released tree, and what a check must say about it once some of its files are edited."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.tree = Tree(library.root, library.packages)
        self.marks = [mark for path in self.tree.marked_files() for mark in self.tree.marks(path)]
        self.users: dict[str, list[Mark]] = {}
        for mark in self.marks:
            module = self.tree.module(mark.source)
            self.users.setdefault(module[0] if module else "", []).append(mark)
        self.reports = {mark: self._reports(self.tree, mark) for mark in self.marks}
        self._bytes: dict[str, bytes] = {}

    def reported(self, edited: Iterable[File] = ()) -> set[Report]:
        """What the checker reports of the whole tree."""
        texts = {file.path: file.text.encode() for file in edited}
        findings = Check(self.library, read=lambda path: texts.get(path) or self._read(path)).findings()
        own = [finding for finding in findings if finding.source.partition(".")[0] in self.library.packages]
        unshown = [f"{finding.path}:{finding.line}" for finding in own if finding.code.name == "CP001" and not finding.difference]  # fmt: skip
        assert not unshown, f"no line is shown that differs: {unshown}"
        root = self.library.root
        reports = {(str(root / finding.path), finding.line, finding.code.name) for finding in own}
        return {report for report in reports if report[2] in ABOUT_COPIES}

    def expected(self, edited: Iterable[File] = ()) -> set[Report]:
        """What it must report."""
        files = {file.path: file for file in edited}
        tree = self.tree.with_files(files.values())
        touched = {mark for path in files for mark in self.users.get(path, ())}
        untouched = (mark for mark in self.marks if mark not in touched and mark.path not in files)
        reports = {report for mark in untouched for report in self.reports[mark]}
        elsewhere = [mark for mark in touched if mark.path not in files]
        for mark in [*elsewhere, *(mark for path in files for mark in tree.marks(path))]:
            reports |= self._reports(tree, mark)
        return reports

    def judged(self, mutant: Mutant) -> Judged | None:
        """What the reference says of a mutant; `None` of one that is no Python."""
        try:
            file = File(mutant.path, mutant.text)
        except SyntaxError:
            return None
        tree = self.tree.with_files([file])
        before = {mark.source for mark in self.tree.marks(file.path) if self.reports[mark]}
        affected: set[Report] = set()
        for mark in tree.marks(file.path):
            reports = self._reports(tree, mark)
            if reports and lies_around(self.tree, mark, mutant):
                affected |= reports
            assert not reports or mark.source in before or reports <= affected, f"{mark}: {reports} by {mutant}"
        for mark in self.users.get(file.path, ()):
            if mark.path != file.path and self._reports(tree, mark) != self.reports[mark]:
                assert lies_around(self.tree, mark, mutant), f"{mark}: affected by {mutant}"
                affected |= self._reports(tree, mark) - self.reports[mark]
        return Judged(mutant, file, frozenset(affected))

    def _reports(self, tree: Tree, mark: Mark) -> frozenset[Report]:
        return frozenset((mark.path, mark.line, code) for code in tree.verdict(mark))

    def _read(self, path: str) -> bytes:
        if path not in self._bytes:
            self._bytes[path] = Path(path).read_bytes()
        return self._bytes[path]


def lies_around(tree: Tree, mark: Mark, mutant: Mutant) -> bool:
    """Whether the edit touches a line of a marker's copy, or of the original that it had: no other can be affected."""
    assert mark.copy is not None
    original = tree.original(mark.source)
    around_original = original is not None and _touch(original[0].path, original[1], mutant, mutant.before)
    return around_original or _touch(mark.path, mark.copy, mutant, mutant.lines)


def _touch(path: str, block: Block, mutant: Mutant, lines: range) -> bool:
    return path == mutant.path and block.header <= lines.stop and lines.start - 1 <= block.end


def drawn(tree: Released, chance: random.Random) -> Iterator[Judged]:
    """Mutants without an end, the kinds in turn; a kind's turn is over when one of its edits affects a marker."""
    equal = [mark for mark in tree.marks if not tree.reports[mark]]
    while True:
        for kind in KINDS:
            affects = False
            while not affects:
                mutant = mutate(tree.tree, chance.choice(equal), kind, chance.choice(SIDES), chance)
                judged = tree.judged(mutant) if mutant is not None else None
                if judged is not None:
                    affects = bool(judged.reports)
                    yield judged


def grouped(mutants: Iterable[Judged]) -> list[list[Judged]]:
    """The mutants in groups whose members have nothing to do with one another."""
    groups: list[list[Judged]] = []
    for mutant in mutants:
        group = next((group for group in groups if not any(_meet(mutant, other) for other in group)), None)
        if group is None:
            groups.append([mutant])
        else:
            group.append(mutant)
    return groups


def _meet(one: Judged, other: Judged) -> bool:
    edited_there = one.file.path in other.paths or other.file.path in one.paths
    return edited_there or not one.reports.isdisjoint(other.reports)


@pytest.fixture
def parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check parses what it reports on: mostly the same files here, every time."""
    monkeypatch.setattr(syntax, "syntax_problem", lru_cache(maxsize=4000)(syntax.syntax_problem))


@pytest.mark.slow
@pytest.mark.usefixtures("parsed_once", "no_garbage")
@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("seed", [SEED, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in OTHER_SEEDS)])
def test_every_edit_is_found_and_nothing_else(release: str, seed: int, figure: Callable[[str], None]) -> None:
    started = time.process_time()
    tree = Released(released(release))
    assert tree.reported() == tree.expected()
    mutants = drawn(tree, random.Random(seed))
    done: Counter[tuple[str, str]] = Counter()
    affected: Counter[str] = Counter()
    absorbed, passes, wrong = 0, 0, []
    while done.total() < MUTANTS:
        for group in grouped(next(mutants) for _ in range(min(DRAWN_TOGETHER, MUTANTS - done.total()))):
            files = [judged.file for judged in group]
            expected, reported = tree.expected(files), tree.reported(files)
            passes += 1
            for judged in group:
                # What it affects by itself it affects among the others.
                assert judged.reports <= expected, str(judged.mutant)
                done[judged.mutant.kind, judged.mutant.side] += bool(judged.reports)
                affected[judged.mutant.kind] += len(judged.reports)
                absorbed += not judged.reports
            wrong += [f"missed {report} after {_suspects(group, report)}" for report in expected - reported]
            wrong += [f"spurious {report} after {_suspects(group, report)}" for report in reported - expected]
    figure(f"{release}, seed {seed}: {len(tree.marks)} markers; {done.total()} mutants affect {affected.total()}, {absorbed} more affect none; {passes} checks of the whole tree, {len(wrong)} reports wrong; {time.process_time() - started:.0f} s of CPU")  # fmt: skip
    for kind in KINDS:
        figure(f"  {kind:<20}{done[kind, 'copy']:>5} in copies{done[kind, 'original']:>5} in originals{affected[kind]:>6} markers affected")  # fmt: skip
    assert wrong == []


def _suspects(group: list[Judged], report: Report) -> str:
    """The mutants that can have to do with a report."""
    near = [judged.mutant for judged in group if report[0] in judged.paths]
    return " or ".join(map(str, near or [judged.mutant for judged in group]))
