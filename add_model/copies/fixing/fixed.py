"""What a fix comes to: the files that it changes, to be shown or written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from add_model.copies.finding import Counts, Finding
from add_model.copies.fixing.dangling import Dangling
from add_model.copies.language.line_diff import unified_diff
from add_model.copies.reading.files import relative_path
from add_model.copies.remembering.kept import discard, keep
from add_model.copies.remembering.sides import Sides
from add_model.errors import AddModelError
from add_model.library import Library
from add_model.reading import read_bytes
from add_model.source import decode_module
from add_model.transaction import Change, write_files
from add_model.visible import visible


@dataclass(frozen=True)
class Fixed:
    """What a fix comes to.

    Attributes:
        library: whose files they are.
        before: the bytes of every file that it changes, by path.
        after: their new bytes.
        rewritten: how many copies were rewritten.
        merged: how many others took over what their original changed, and kept their own edit.
        moved: how many markers were moved to where the library's own script reads them.
        mended: how many were written anew, as what they were meant to be.
        findings: what is left afterwards.
        counts: what was looked at.
        sides: what it has found out about the copies, and what it writes, for later runs to know it again.
        unrecorded: the files in which it replaces text that is kept nowhere else.
        dangling: the imports of these files that lead to nothing in the release that they follow.
    """

    library: Library
    before: dict[str, bytes | None]
    after: dict[str, bytes]
    rewritten: int
    merged: int
    moved: int
    mended: int
    findings: list[Finding]
    counts: Counts
    sides: Sides
    unrecorded: frozenset[str]
    dangling: tuple[Dangling, ...] = ()

    def write(self) -> Path | None:
        """Writes every changed file, or none; returns the patch that puts replaced text back, where one was needed.

        Raises:
            AddModelError: a file was changed meanwhile, or cannot be written, or what it replaces cannot be kept.
        """
        # A file and a link to it are one, and it is the file that is written.
        files = {os.path.realpath(path): path for path in self.after}
        changes = [Change(Path(real), self.after[path], expected=self.before[path]) for real, path in files.items()]
        if not changes:
            return None
        # Everything that a later run needs comes first: a kill may come behind it.
        self.sides.written.remember()
        changes += self.sides.versions.renewed(lambda path: self.after.get(path) or read_bytes(path))
        replaced = {path: (self.before[path] or b"", self.after[path]) for path in self.unrecorded}
        patch = keep(self.library.root, replaced) if replaced else None
        try:
            write_files(self.library.root, changes)
        except AddModelError:
            if patch is not None:
                discard(patch)
            raise
        return patch

    def diff(self) -> Iterator[str]:
        """Unified diffs of every changed file, line by line."""
        for path in sorted(self.after):
            # It is to be looked at: the patches that put a file back name it as it is.
            name = visible(relative_path(path, self.library.root))
            before, after = _lines(path, self.before[path]), _lines(path, self.after[path])
            for line in unified_diff(before, after, f"a/{name}", f"b/{name}"):
                yield line if line.endswith("\n") else f"{line}\n"
                if not line.endswith("\n"):
                    yield "\\ No newline at end of file\n"


def _lines(path: str, content: bytes | None) -> list[str]:
    return re.findall(r".*\n|.+\Z", decode_module(Path(path), content or b"").text)
