"""Hundreds of originals edited in a released tree, and the edits undone: `--fix` follows both ways, and forgets nothing."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from .mutations import Edit, Source, applied, edits_of_kind
from .reference import Block, File, Tree, parse
from .released import RELEASES, copy_of

EDITS = 200
SEED = 46
KINDS = ["a variable renamed", "a constant", "an operator", "a line added", "a line deleted", "a comment", "a docstring", "a parameter added", "a default"]  # fmt: skip


# Each tree in one of the two ways every day, in the other when asked for.
CASES = [
    pytest.param(
        release,
        in_git,
        id=f"{release} {'in' if in_git else 'outside'} git",
        marks=[pytest.mark.exhaustive] if in_git == (release == "transformers-4.46.3") else [],
    )
    for release in RELEASES
    for in_git in (True, False)
]


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One real process over the packages in `root`."""
    command = [sys.executable, "-m", "add_model", "check-copies", "--root", str(root), *arguments]
    # What a fix remembers of earlier ones must be its own.
    environment = {**os.environ, "XDG_STATE_HOME": str(root.parent / "state")}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=root, env=environment)


def errors_in(root: Path) -> list[str]:
    """What a check reports as an error."""
    result = run(root, "--output-format", "json")
    findings = json.loads(result.stdout)
    return [f"{finding['path']}:{finding['line']} {finding['message']}" for finding in findings if finding["severity"] == "error"]  # fmt: skip


def split_off_generated(errors: list[str]) -> tuple[list[str], list[str]]:
    """The errors about generated files that differ from their modular file, and the others."""
    apart = [error for error in errors if "which this file is generated from" in error]
    return apart, [error for error in errors if error not in apart]


def contents(root: Path) -> dict[str, bytes]:
    """The bytes of every module."""
    return {str(path): path.read_bytes() for path in sorted((root / "src").rglob("*.py"))}


@dataclass(frozen=True)
class EditedFile:
    """A file with edits in some of its blocks.

    Attributes:
        before: what it was.
        text: its text with the edits.
        blocks: the names of the edited blocks, each with the number of lines that its edit adds.
    """

    before: File
    text: str
    blocks: dict[str, int]

    def undone(self, text: str) -> str:
        """A later text of the file, with the edited blocks as they were before."""
        now = File(self.before.path, text)
        lines = list(now.lines)
        for name in sorted(self.blocks, key=lambda name: -now.blocks[name].header):
            first, old = now.blocks[name].header - 1, self.before.blocks[name]
            unedited = self.before.lines[old.header - 1 : old.end]
            lines[first : first + len(unedited) + self.blocks[name]] = unedited
        return "\n".join(lines)


def edited_originals(tree: Tree, count: int) -> list[EditedFile]:
    """Files that hold so many originals with one edit in each.

    Only originals that neither are copies nor lie in one or around one: an edit of a copy is for a fix to undo.
    """
    chance = random.Random(SEED)
    marks = [mark for path in tree.marked_files() for mark in tree.marks(path)]
    taken: dict[str, list[Block]] = {}
    for mark in marks:
        taken.setdefault(mark.path, []).extend([mark.copy] if mark.copy is not None else [])
    edits: dict[str, list[tuple[str, Edit]]] = {}
    for mark in chance.sample(marks, len(marks)):
        found = tree.original(mark.source)
        if found is None or sum(map(len, edits.values())) == count:
            continue
        file, block, _ = found
        others = taken.setdefault(file.path, [])
        if any(block.header <= other.end and other.header <= block.end for other in others):
            continue
        edit = _some_edit(Source(file, block), chance)
        if edit is not None:
            edits.setdefault(file.path, []).append((block.name, edit))
            others.append(block)
    assert sum(map(len, edits.values())) == count
    return [_edited_file(tree.file(path), dict(made)) for path, made in edits.items()]


def _edited_file(file: File, edits: dict[str, Edit]) -> EditedFile:
    added = {name: edit.text.count("\n") - file.text.count("\n", edit.start, edit.end) for name, edit in edits.items()}
    return EditedFile(file, applied(file.text, list(edits.values())), added)


def _some_edit(source: Source, chance: random.Random) -> Edit | None:
    for kind in chance.sample(KINDS, len(KINDS)):
        edits = edits_of_kind(source, kind)
        for edit in chance.sample(edits, min(3, len(edits))):
            try:
                parse(applied(source.text, [edit]))
            except SyntaxError:
                continue
            return edit
    return None


def outside_of_copies(file: File) -> list[str]:
    """The lines of a file that stand in no copied block."""
    inside = {
        line for mark in file.marks if mark.copy is not None for line in range(mark.copy.header, mark.copy.end + 1)
    }
    return [line for number, line in enumerate(file.lines, 1) if number not in inside]


def commit(root: Path) -> None:
    """Makes the folder a git work tree with everything in it committed."""
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "-m", "As released"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)


@pytest.mark.slow
@pytest.mark.usefixtures("no_garbage")
@pytest.mark.parametrize(("release", "in_git"), CASES)
def test_edits_of_originals_and_their_undoing_arrive_in_the_copies(
    release: str, in_git: bool, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    root = tmp_path / "tree"
    library = copy_of(release, root)
    if in_git:
        commit(root)
    released = contents(root)
    tree = Tree(root, library.packages)
    files = edited_originals(tree, EDITS)
    for file in files:
        Path(file.before.path).write_bytes(file.text.encode())
    edited = contents(root)

    summary = run(root, "--fix").stderr
    # An original that a converter has generated was edited apart from its modular file, which no fix puts right.
    generated, left = split_off_generated(errors_in(root))
    assert left == []
    assert {error.partition(":")[0] for error in generated} <= {
        Path(file.before.path).relative_to(root).as_posix() for file in files
    }
    fixed = contents(root)
    assert fixed.keys() == released.keys()
    rewritten = [path for path in fixed if fixed[path] != edited[path]]
    assert len(rewritten) > EDITS / 2
    for path in rewritten:
        before = tree.file(path) if edited[path] == released[path] else File(path, edited[path].decode())
        after = File(path, fixed[path].decode())
        assert outside_of_copies(before) == outside_of_copies(after), path

    for file in files:
        path = Path(file.before.path)
        path.write_bytes(file.undone(path.read_bytes().decode()).encode())
    run(root, "--fix")
    assert errors_in(root) == []
    after_all = contents(root)
    figure(
        f"{release}, {'in' if in_git else 'outside'} git: {EDITS} edits; {summary.partition(' in ')[0]} in {len(rewritten)} files, which are restored"
    )
    assert [path for path in released if after_all.get(path) != released[path]] == []
    assert after_all.keys() == released.keys()
