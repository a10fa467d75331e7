"""What fixes have written, and instead of what, so that a later fix knows it again.

Text that a fix wrote is nobody's edit in the place where it wrote it, and where an original is changed back, its copies
get back the very layout that they had. What an edited copy has taken over in a merge is not merged into it once more.
The memory lies in the user's state folder, never in the tree nor in git's own folder, where a stranger's could come
with a checkout. Where nothing can be kept, or what is kept cannot be read, a later fix takes such text for somebody's,
which costs a question and loses nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from add_model.reading import read_bytes

_MOST_BLOCKS = 10_000
_MERGED, _UNMERGED = "merged", "before the merge"


class Written:
    """The blocks that fixes have written in one tree."""

    def __init__(self, path: Path | None) -> None:
        """Reads the memory that is kept in a file; with no file there is none."""
        self._path = path
        # By the digest of what was written, what stood there before.
        self._stored = self._read()
        self._new: dict[str, str] = {}

    def holds(self, place: str, text: str) -> bool:
        """Whether a fix wrote this block in this place: this one, or one before it."""
        return self._get(_digest(place, text)) is not None

    def add(self, place: str, text: str, instead_of: str = "") -> None:
        """Takes note of a block that a fix is about to write, and of the one that it replaces."""
        if text.rstrip() != instead_of.rstrip():
            self._new[_digest(place, text)] = instead_of

    def before(self, place: str, text: str) -> Iterator[str]:
        """What stood there instead of a block that a fix wrote, what stood there before that, and so on."""
        seen: set[str] = set()
        while (digest := _digest(place, text)) not in seen:
            seen.add(digest)
            text = self._get(digest) or ""
            if not text:
                return
            yield text

    def add_merge(self, place: str, committed: str, copy: str, original: str) -> None:
        """Takes note that an edited copy is about to take over what its original calls for, and how it stood before."""
        self._new[_digest(place, _MERGED, committed)] = original
        self._new[_digest(place, _UNMERGED, committed)] = copy

    def taken_over(self, place: str, committed: str, copy: str) -> str | None:
        """What an edited copy has of its original since a merge; `None` where there was none, or it was undone."""
        if (self._get(_digest(place, _UNMERGED, committed)) or "").rstrip() == copy.rstrip():
            return None
        return self._get(_digest(place, _MERGED, committed))

    def _get(self, digest: str) -> str | None:
        return self._new.get(digest, self._stored.get(digest))

    def remember(self) -> None:
        """Keeps the notes for later runs, if that can be done."""
        if self._path is None or not self._new:
            return
        # Another run may have kept its own meanwhile.
        blocks = list((self._read() | self._new).items())[-_MOST_BLOCKS:]
        with contextlib.suppress(OSError):
            # What is remembered may be somebody's secret draft.
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._path.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump(dict(blocks), file)
                os.replace(name, self._path)
            except OSError:
                os.unlink(name)
                raise

    def _read(self) -> dict[str, str]:
        if self._path is None:
            return {}
        try:
            stored = json.loads(read_bytes(self._path))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(stored, dict):
            return {}
        return {digest: text for digest, text in stored.items() if isinstance(text, str)}


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(text.rstrip() for text in texts).encode("utf-8", "surrogatepass")).hexdigest()
