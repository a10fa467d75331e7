"""What is done to a source tree of others: files that get entries, files that are new, and places that are left to a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from add_model.errors import AddModelError
from add_model.reading import read_bytes
from add_model.scaffold.source_tree.insertions import Insertion, inserted

Reader = Callable[[Path], bytes]


@dataclass(frozen=True)
class FileEdit:
    """A file that gets entries, and keeps every other byte.

    Attributes:
        path: the file.
        before: its bytes.
        insertions: what is put into them.
    """

    path: Path
    before: bytes
    insertions: tuple[Insertion, ...]

    @property
    def after(self) -> bytes:
        """Its bytes with the entries."""
        return inserted(self.before, self.insertions)


@dataclass(frozen=True)
class NewFile:
    """A file that is written for the model: a test, a page of the documentation."""

    path: Path
    content: bytes


@dataclass(frozen=True)
class Note:
    """A place that names the reference and is left to the person, with the line (from 1) and what to do there."""

    path: Path
    line: int
    text: str


def read_file(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        AddModelError: it cannot be read.
    """
    try:
        return read_bytes(path)
    except OSError as error:
        raise AddModelError(f"{path}: cannot be read: {error.strerror or error}; restore it and run again") from error


def merged(edits: Iterable[FileEdit]) -> tuple[FileEdit, ...]:
    """The edits with those of one file joined, and those that add nothing left out, by path."""
    files: dict[Path, FileEdit] = {}
    for edit in edits:
        known = files.get(edit.path)
        files[edit.path] = edit if known is None else replace(known, insertions=(*known.insertions, *edit.insertions))
    return tuple(files[path] for path in sorted(files) if files[path].insertions)
