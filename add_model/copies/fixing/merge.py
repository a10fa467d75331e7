"""Two edits of one text, made into one where they do not touch the same lines. The work is `git merge-file`'s."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from add_model.copies.finding import Conflict
from add_model.git import merge_files

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
def merge(base: str, copy: str, original: str, tree: Path) -> Merge:
    """Merges what a copy and its original have made of a text; where git fails, everything is one conflict.

    Args:
        base: what both started from.
        copy: what the copy is now.
        original: what its original calls for now.
        tree: the folder that all of it stands in.
    """
    if copy == original or base == original:
        return Merge(copy)
    if base == copy:
        return Merge(original)
    failed = Merge(copy, (Conflict(copy, original),))
    sides = [text.encode("utf-8", "surrogatepass") for text in (copy, base, original)]
    answer = merge_files(tree, sides, _MARKER)
    text = answer.output.decode("utf-8", "surrogatepass")
    if answer.code == 0:
        return Merge(text)
    # Above that, and below zero, is no count of conflicts.
    return Merge(copy, _conflicts(text)) if 0 < answer.code <= 127 else failed


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
