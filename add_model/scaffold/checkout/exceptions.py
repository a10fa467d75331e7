"""The tree's own lists of exceptions: what its scripts and its common tests hold by the name of a model, a class, a file.

A copy is an exception wherever its reference is one. Where a list is a table, the new model is entered beside it; what a
script compares in a function is named by `mentions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError
from add_model.scaffold.checkout.edits import Names
from add_model.scaffold.checkout.mappings import TableFile, added
from add_model.scaffold.checkout.test_files import renamed_file_name
from add_model.scaffold.source_tree.edits import FileEdit, Reader, read_file
from add_model.scaffold.source_tree.insertions import Insertion
from add_model.scaffold.source_tree.tables import Entry, Table, find_tables

_NOTHING_IS_NEEDED = re.compile(r"(?!)")


@dataclass(frozen=True)
class ExceptionEdit:
    """The entries that a file gets, and the names of the tables that they stand in."""

    edit: FileEdit
    tables: frozenset[str]


def exception_edits(names: Names, read: Reader = read_file) -> Iterator[ExceptionEdit]:
    """Adds the new model to every list of exceptions that its reference is in.

    Args:
        names: what the reference's names become.
        read: reads a file of the checkout.

    Raises:
        AddModelError: a file cannot be read.
    """
    keys = _Keys(names)
    for path in files_with_exceptions(names):
        content = read(path)
        if not keys.hint.search(content):
            continue
        try:
            file = TableFile(path, content, tuple(find_tables(content, path, _NOTHING_IS_NEEDED)))
        except AddModelError:
            # What does not parse is no business of a new model's.
            continue
        found = [(table.name, insertion) for table in file.tables for insertion in _entries(file, table, keys)]
        if found:
            insertions = tuple(insertion for _, insertion in found)
            yield ExceptionEdit(FileEdit(path, content, insertions), frozenset(name for name, _ in found))


def files_with_exceptions(names: Names) -> Iterator[Path]:
    """The scripts that check a tree, and the tests that all of its models have in common."""
    yield from sorted((names.checkout.root / "utils").glob("check_*.py"))
    yield from sorted(names.checkout.tests_folder.parent.glob("*.py"))


@dataclass(frozen=True)
class _Keys:
    """How lists of exceptions spell what is the reference's."""

    names: Names

    @property
    def hint(self) -> re.Pattern[bytes]:
        """What stands in a file that may name the reference."""
        spelled = {*self.names.class_keys, *self.names.model_types, self.names.old_name}
        return re.compile("|".join(re.escape(text) for text in sorted(spelled)).encode())

    def renamed(self, key: str) -> str:
        """The new model's counterpart of what an entry names; the same where that is not the reference's."""
        names = self.names
        known: Mapping[str, str] = {**names.class_keys, **names.model_types}
        if key in known:
            return known[key]
        if "/" in key:
            return self._path(key)
        if key == names.old_name:
            return names.new_folder
        # A class that nobody is offered, or one of a test.
        return names.rename_text(key) if key.isidentifier() and key.lstrip("_")[:1].isupper() else key

    def _path(self, path: str) -> str:
        folder = f"models/{self.names.old_folder}/"
        start, found, rest = f"/{path}".partition(f"/{folder}")
        if not found:
            return path
        *folders, name = rest.split("/")
        renamed = "/".join([*folders, renamed_file_name(name, self.names)])
        return f"{start}/models/{self.names.new_folder}/{renamed}".removeprefix("/")


def _entries(file: TableFile, table: Table, keys: _Keys) -> Iterator[Insertion]:
    for entry in _last_of_each(table):
        new = keys.renamed(entry.key)
        if new == entry.key or table.find(new) is not None:
            continue
        # What the value says may be anybody's word: attributes, reasons, numbers of tests.
        values = {text.value: keys.renamed(text.value) for text in entry.texts[1:] if text.value[:1].isupper()}
        yield from added(file, table, new, entry, values)


def _last_of_each(table: Table) -> list[Entry]:
    return list({entry.key: entry for entry in table.entries}.values())
