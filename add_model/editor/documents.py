"""The texts that an editor holds, which count before those on disk."""

from __future__ import annotations

from collections.abc import Callable

from add_model.encoding import encode
from add_model.reading import read_bytes


class Documents:
    """The open documents by path, each as the bytes that it would be saved as."""

    def __init__(self, read: Callable[[str], bytes] = read_bytes) -> None:
        self._read = read
        self._open: dict[str, bytes] = {}

    def put(self, path: str, text: str) -> None:
        """Holds what a document says by now."""
        self._open[path] = encode(text)

    def drop(self, path: str) -> None:
        """Forgets a document that was closed: the file on disk counts again."""
        self._open.pop(path, None)

    def __contains__(self, path: str) -> bool:
        return path in self._open

    def read(self, path: str) -> bytes:
        """The bytes of a document, or of the file on disk where it is not open.

        Raises:
            OSError: it is not open and cannot be read.
        """
        content = self._open.get(path)
        return self._read(path) if content is None else content
