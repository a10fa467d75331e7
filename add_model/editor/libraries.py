"""The libraries that an editor has files of open, each with its check; what is asked of them is asked by path."""

from __future__ import annotations

import os
from pathlib import Path

from add_model.editor.documents import Documents
from add_model.editor.held import Held
from add_model.errors import AddModelError
from add_model.library import Library, find_library


class Libraries:
    """The checks of libraries, by their roots.

    Attributes:
        documents: the texts that count before those on disk.
    """

    def __init__(self) -> None:
        self.documents = Documents()
        self._held: dict[Path, Held] = {}

    def around(self, path: str) -> tuple[Held | None, bool]:
        """The library that a file or a folder belongs to, and whether it was entered just now; `None` where there is none.

        Raises:
            AddModelError: its configuration cannot be read.
        """
        library = find_library(_existing(Path(path)))
        if not library.packages:
            return None, False
        known = self._held.get(library.root)
        if known is not None and _is_same(known.library, library):
            return known, False
        held = self._held[library.root] = Held(library, self.documents)
        return held, True

    def all(self) -> list[Held]:
        """Every library that was entered."""
        return list(self._held.values())

    def reread(self) -> None:
        """Reads the configuration of every library again."""
        for root, held in list(self._held.items()):
            try:
                library = find_library(root)
            except AddModelError:
                continue
            if not _is_same(held.library, library):
                self._held[root] = Held(library, self.documents)


def _is_same(first: Library, second: Library) -> bool:
    return (first.root, first.packages, first.configuration) == (second.root, second.packages, second.configuration)


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is on disk."""
    path = Path(os.path.abspath(path))
    return next((each for each in (path, *path.parents) if each.exists()), path)
