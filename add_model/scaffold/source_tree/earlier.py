"""What an earlier run has put into the files of a tree for a model of the same name, so that it is made anew, not twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError
from add_model.scaffold.belongings import Belongings
from add_model.scaffold.record import Record, checked_path, load_record, state_of, without_hunks
from add_model.scaffold.rendering import RenderedFile
from add_model.scaffold.source_tree.edits import FileEdit, Reader


@dataclass(frozen=True)
class Earlier:
    """What is remembered of a model in a tree.

    Attributes:
        root: the tree's root.
        record: what was written for the model; empty where nothing was.
        read: reads a file of the tree as it is now, once: what is saved between two readings would be lost in what is
            made of the first.
    """

    root: Path
    record: Record
    read: Reader

    def before(self, path: Path) -> bytes:
        """A file as it was before an earlier run wrote the model, where that can be told."""
        content = self.read(path)
        hunks = self.record.hunks.get(path.relative_to(self.root).as_posix(), ())
        before, missing = without_hunks(content, hunks)
        return content if missing else before

    def rendered(self, edits: Iterable[FileEdit], places: Belongings) -> Iterator[RenderedFile]:
        """The files around the model with its entries, and without those that it was given earlier and has no more."""
        texts = {edit.path: edit.after for edit in edits}
        for relative in self.record.hunks:
            path = checked_path(self.root, relative)
            if path not in texts and path.is_file() and places.has_entries_in(path):
                texts[path] = self.before(path)
        for path, after in sorted(texts.items()):
            current = self.read(path)
            # Entries of models that were added since may stand between; whose comes first is no reason to touch a file.
            is_same = sorted(current.splitlines()) == sorted(after.splitlines())
            try:
                text = (current if is_same else after).decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise AddModelError(f"{path}: is not UTF-8: {error.reason}; convert it and run again") from error
            yield RenderedFile(path, text, current)


def earlier_in(root: Path, name: str, read: Reader) -> Earlier:
    """What is remembered of a model in the tree with this root."""
    return Earlier(root, load_record(state_of(root, name)) or Record(), read)
