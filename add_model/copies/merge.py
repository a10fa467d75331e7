"""Two edits of one text, made into one where they do not touch the same lines. The work is `git merge-file`'s."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from add_model.copies.finding import Conflict

# So long that no line of a text can be taken for one of git's own.
_MARKER = 97


@dataclass(frozen=True)
class Merge:
    """What became of a merge.

    Attributes:
        text: the text that holds both edits; the copy's side where they conflict.
        conflicts: the lines that both have changed, differently.
    """

    text: str
    conflicts: tuple[Conflict, ...] = ()


@functools.lru_cache(maxsize=256)
def merge(base: str, copy: str, original: str) -> Merge:
    """Merges what a copy and its original have made of a text; where git fails, everything is one conflict.

    Args:
        base: what both started from.
        copy: what the copy is now.
        original: what its original calls for now.
    """
    if copy == original or base == original:
        return Merge(copy)
    if base == copy:
        return Merge(original)
    failed = Merge(copy, (Conflict(copy, original),))
    try:
        with tempfile.TemporaryDirectory() as name:
            paths = [Path(name, side) for side in ("copy", "base", "original")]
            for path, text in zip(paths, (copy, base, original), strict=True):
                path.write_bytes(text.encode("utf-8", "surrogatepass"))
            style = ["-c", "merge.conflictStyle=merge"]
            command = ["git", *style, "merge-file", "-p", "-q", f"--marker-size={_MARKER}", *map(str, paths)]
            answer = subprocess.run(command, capture_output=True, check=False, cwd=name)
    except OSError:
        return failed
    text = answer.stdout.decode("utf-8", "surrogatepass")
    if answer.returncode == 0:
        return Merge(text)
    # Above that, and below zero, is no count of conflicts.
    return Merge(copy, _conflicts(text)) if 0 < answer.returncode <= 127 else failed


def _conflicts(text: str) -> tuple[Conflict, ...]:
    conflicts: list[Conflict] = []
    sides: list[list[str]] = []
    for line in text.split("\n"):
        if line.startswith("<" * _MARKER):
            sides = [[]]
        elif line.startswith("=" * _MARKER):
            sides.append([])
        elif line.startswith(">" * _MARKER):
            conflicts.append(Conflict(*("\n".join(side) for side in sides)))
            sides = []
        elif sides:
            sides[-1].append(line)
    return tuple(conflicts)
