"""What fixes have written, so that a later fix knows it again: text that a fix wrote is nobody's edit.

Digests of it are kept in git's own folder, never in the tree. Where none can be kept (no git work tree, a folder that is
read-only), a later fix takes such text for somebody's, which costs a question and loses nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path

_MOST_DIGESTS = 20_000


class Written:
    """The blocks that fixes have written below one git folder."""

    def __init__(self, git_folder: Path | None) -> None:
        self._folder = git_folder / "add-model" if git_folder is not None else None
        self._stored = self._read()
        self._new: dict[str, None] = {}

    def holds(self, text: str) -> bool:
        """Whether a fix wrote this block: this one, or one before it."""
        digest = _digest(text)
        return digest in self._new or digest in self._stored

    def add(self, text: str) -> None:
        """Takes note of a block that a fix is about to write."""
        self._new[_digest(text)] = None

    def remember(self) -> None:
        """Keeps the notes for later runs, if that can be done."""
        if self._folder is None or not self._new:
            return
        # Another run may have kept its own meanwhile.
        digests = list(self._read() | self._new)[-_MOST_DIGESTS:]
        with contextlib.suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._folder)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump(digests, file)
                os.replace(name, self._folder / "written.json")
            except OSError:
                os.unlink(name)
                raise

    def _read(self) -> dict[str, None]:
        if self._folder is None:
            return {}
        try:
            return dict.fromkeys(map(str, json.loads((self._folder / "written.json").read_bytes())))
        except (OSError, ValueError, TypeError):
            return {}


def _digest(text: str) -> str:
    return hashlib.sha256(text.rstrip().encode("utf-8", "surrogatepass")).hexdigest()
