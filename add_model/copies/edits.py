"""Whether somebody has edited a copy since the last commit, so that a fix would throw work away.

Asked of git alone: outside a work tree, and of a file that was never committed, there is nothing to tell an edit by.
What a fix itself has written is nobody's edit; digests of it are kept in git's own folder, never in the tree.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from add_model.copies.pair import Pair
from add_model.source import Module, SourceError, decode_module

_MOST_DIGESTS = 20_000


class Edits:
    """What was edited in a work tree, as far as git knows."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._committed: dict[Path, Module | None] = {}
        self._written: dict[str, None] = {}

    def touch(self, pair: Pair) -> bool:
        """Whether the copy of a pair holds an edit that is not committed and that no fix has made."""
        if self._folder is None or _digest(pair.block) in self._known:
            return False
        committed = self._at_head(pair.module.path)
        if committed is None:
            return False
        name = next((name for name, found in pair.module.definitions.items() if found.header == pair.header), "")
        found = committed.find(name) if name else None
        return found is not None and committed.text[found.header : found.end].rstrip() != pair.block.rstrip()

    def wrote(self, blocks: Iterable[str]) -> None:
        """Takes note of copies, from their headers on, that a fix is about to write."""
        self._written.update((_digest(block), None) for block in blocks)

    def remember(self) -> None:
        """Keeps the note for later runs; where that is not possible, a later fix asks once more than it needs to."""
        if self._folder is None or not self._written:
            return
        digests = [*self._stored, *self._written][-_MOST_DIGESTS:]
        try:
            self._folder.mkdir(exist_ok=True)
            (self._folder / "written.json").write_text(json.dumps(digests), encoding="utf-8")
        except OSError:
            return

    @property
    def _known(self) -> dict[str, None]:
        return self._stored | self._written

    @cached_property
    def _stored(self) -> dict[str, None]:
        try:
            assert self._folder is not None
            return dict.fromkeys(map(str, json.loads((self._folder / "written.json").read_bytes())))
        except (OSError, ValueError, TypeError):
            return {}

    @cached_property
    def _folder(self) -> Path | None:
        answer = self._git("rev-parse", "--absolute-git-dir")
        return Path(answer.decode().strip()) / "add-model" if answer else None

    def _at_head(self, path: Path) -> Module | None:
        if path not in self._committed:
            content = self._git("show", f"HEAD:./{path.name}", folder=path.parent)
            try:
                self._committed[path] = decode_module(path, content) if content is not None else None
            except SourceError:
                self._committed[path] = None
        return self._committed[path]

    def _git(self, *arguments: str, folder: Path | None = None) -> bytes | None:
        command = ["git", "-C", str(folder or self._root), *arguments]
        try:
            answer = subprocess.run(command, capture_output=True, check=False)
        except OSError:
            return None
        return answer.stdout if answer.returncode == 0 else None


def _digest(block: str) -> str:
    return hashlib.sha256(block.rstrip().encode("utf-8", "surrogatepass")).hexdigest()
