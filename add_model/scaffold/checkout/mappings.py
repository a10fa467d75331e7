"""The entries of a new model in the auto mappings, and in the other tables that a model needs in order to work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError
from add_model.scaffold.checkout.edits import Donation, Names
from add_model.scaffold.checkout.entries import fitted, resembling
from add_model.scaffold.source_tree.edits import FileEdit, Reader, read_file
from add_model.scaffold.source_tree.insertions import Insertion, entry_insertion
from add_model.scaffold.source_tree.tables import Entry, Table, find_tables

_CONFIGURATIONS = "CONFIG_MAPPING_NAMES"
_MODULES = "SPECIAL_MODEL_TYPE_TO_MODULE_NAME"
_TITLES = "MODEL_NAMES_MAPPING"
# Says which models stand in `models/deprecated`; a new one never does.
_RETIRED = "DEPRECATED_MODELS"
_AUTO_TABLES = re.compile(rf"\w*_NAMES|{_MODULES}|{_TITLES}|{_RETIRED}")


@dataclass(frozen=True)
class TableFile:
    """A module with tables in it."""

    path: Path
    content: bytes
    tables: tuple[Table, ...]


def auto_edits(names: Names, read: Reader = read_file) -> Iterator[FileEdit]:
    """Adds the new model to every auto mapping that the reference is in.

    Args:
        names: what the reference's names become.
        read: reads a file of the checkout.

    Raises:
        AddModelError: a mapping is missing, cannot be read, has another form than the library gives it, or has an
            entry of the new model already that says something else.
    """
    files = [read_tables(path, _AUTO_TABLES, read) for path in sorted(names.checkout.auto_folder.glob("*.py"))]
    tables = {table.name for file in files for table in file.tables}
    for wanted in (_CONFIGURATIONS, _MODULES):
        if wanted not in tables:
            raise AddModelError(f"{names.checkout.auto_folder}: no file there has the table {wanted}; restore it and run again")  # fmt: skip
    registered = {
        entry.key
        for file in files
        for table in file.tables
        if table.name not in (_MODULES, _TITLES, _RETIRED)
        for entry in table.entries
    }
    for file in files:
        insertions = [insertion for table in file.tables for insertion in _in_table(file, table, names)]
        yield FileEdit(file.path, file.content, tuple(insertions))
    yield from _module_names(files, names, registered)


def read_tables(path: Path, needed: re.Pattern[str], read: Reader = read_file) -> TableFile:
    """A module with its tables, of which those that are needed must be understood.

    Raises:
        AddModelError: it cannot be read, does not parse, or has a table of another form.
    """
    content = read(path)
    return TableFile(path, content, tuple(find_tables(content, path, needed)))


def added(
    file: TableFile, table: Table, key: str, beside: Entry | None, values: Mapping[str, str], text: str | None = None
) -> Iterator[Insertion]:
    """The insertion of an entry that resembles another; none where it is there already.

    Args:
        file: the file that is edited.
        table: the table in it.
        key: the new entry's key.
        beside: the entry that it resembles, which it goes beside in a table that is not sorted.
        values: what becomes of the strings in the value.
        text: the new entry, where it resembles none.

    Raises:
        AddModelError: the table has an entry with that key, and another value; or a string cannot be replaced.
    """
    if text is None:
        assert beside is not None
        text = resembling(file.content, file.path, beside, key, values)
    there = table.find(key)
    if there is not None:
        if _flat(file.content[there.start : there.end].decode()) != _flat(text):
            raise AddModelError(f"{file.path}:{there.line}: {table.name} has an entry {key!r} already, which says something else; remove it and run again")  # fmt: skip
        return
    yield entry_insertion(file.content, table, key, beside, _laid_out(text))


def _in_table(file: TableFile, table: Table, names: Names) -> Iterator[Insertion]:
    if table.name in (_MODULES, _RETIRED):
        return
    if names.donation is not None and table.mapping in names.donation.tables:
        yield from _donated(file, table, names, names.donation)
        return
    # Mappings are keyed by model type; collections name types or classes.
    for old, new in sorted({**names.class_keys, **names.model_types}.items(), key=lambda pair: pair[1]):
        entry = table.find(old)
        if entry is None or new == old or (len(entry.texts) > 1 and old not in names.model_types):
            continue
        values: Mapping[str, str] = names.classes
        if table.name == _TITLES:
            values = {text.value: names.rename_text(text.value) for text in entry.texts[1:]}
        yield from added(file, table, new, entry, values)


def _donated(file: TableFile, table: Table, names: Names, donation: Donation) -> Iterator[Insertion]:
    """The entries that resemble the donor's: one for each of the new model's types that would have one anyway."""
    entry = None if donation.model_type is None else table.find(donation.model_type)
    if entry is None:
        return
    types = [new for old, new in names.model_types.items() if table.find(old) is not None]
    for new in sorted(types or names.main_types):
        yield from added(file, table, new, entry, donation.classes)


def _module_names(files: list[TableFile], names: Names, registered: set[str]) -> Iterator[FileEdit]:
    """The types whose folder is not named as they are: only through this table is the folder found."""
    homes = [(file, table) for file in files for table in file.tables if table.name == _MODULES]
    for old, new in sorted(names.model_types.items(), key=lambda pair: pair[1]):
        listed = [(file, table, entry) for file, table in homes if (entry := table.find(old)) is not None]
        if not listed and old not in registered:
            continue
        # 5.x lists every type that is not spelled as its folder, 4.x those that no rule leads to their folder.
        spelled = new if names.checkout.generation == 5 else new.replace("-", "_")
        if spelled == names.new_folder:
            continue
        file, table, entry = listed[0] if listed else (*homes[0], None)
        text = None if entry is not None else f'("{new}", "{names.new_folder}")'
        insertions = added(file, table, new, entry, {names.old_name: names.new_folder}, text)
        yield FileEdit(file.path, file.content, tuple(insertions))


def _laid_out(text: str) -> Callable[[bytes], bytes]:
    def entry(indent: bytes) -> bytes:
        return fitted(text, indent.decode()).encode()

    return entry


def _flat(text: str) -> str:
    """An entry's text without its layout, to compare it."""
    return re.sub(r",(?=[)\]}])", "", re.sub(r"\s", "", text))
