"""The entries of a new model in the auto mappings, and in the other tables that a model needs in order to work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError
from add_model.scaffold.checkout.edits import FileEdit, Names, Reader, read_file
from add_model.scaffold.checkout.entries import fitted, resembling
from add_model.scaffold.checkout.insertions import Insertion, entry_insertion
from add_model.scaffold.checkout.tables import Entry, Table, find_tables

_CONFIGURATIONS = "CONFIG_MAPPING_NAMES"
_MODULES = "SPECIAL_MODEL_TYPE_TO_MODULE_NAME"
_TITLES = "MODEL_NAMES_MAPPING"
# Says which models stand in `models/deprecated`; a new one never does.
_RETIRED = "DEPRECATED_MODELS"
_AUTO_TABLES = re.compile(rf"\w*_NAMES|{_MODULES}|{_TITLES}|{_RETIRED}")


@dataclass(frozen=True)
class _Module:
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
    modules = [_module(path, _AUTO_TABLES, read) for path in sorted(names.checkout.auto_folder.glob("*.py"))]
    tables = {table.name for module in modules for table in module.tables}
    for wanted in (_CONFIGURATIONS, _MODULES):
        if wanted not in tables:
            raise AddModelError(f"{names.checkout.auto_folder}: no file there has the table {wanted}; restore it and run again")  # fmt: skip
    registered = {
        entry.key
        for module in modules
        for table in module.tables
        if table.name not in (_MODULES, _TITLES, _RETIRED)
        for entry in table.entries
    }
    for module in modules:
        insertions = [insertion for table in module.tables for insertion in _in_table(module, table, names)]
        yield FileEdit(module.path, module.content, tuple(insertions))
    yield from _module_names(modules, names, registered)


def _module(path: Path, needed: re.Pattern[str], read: Reader) -> _Module:
    content = read(path)
    return _Module(path, content, tuple(find_tables(content, path, needed)))


def _in_table(module: _Module, table: Table, names: Names) -> Iterator[Insertion]:
    if table.name in (_MODULES, _RETIRED):
        return
    # Mappings are keyed by model type; collections name types or classes. A function may be called as some type is.
    listed = {old: new for old, new in names.classes.items() if old[:1].isupper()}
    for old, new in sorted({**listed, **names.model_types}.items(), key=lambda pair: pair[1]):
        entry = table.find(old)
        if entry is None or new == old or (len(entry.texts) > 1 and old not in names.model_types):
            continue
        values: Mapping[str, str] = names.classes
        if table.name == _TITLES:
            values = {text.value: names.rename_text(text.value) for text in entry.texts[1:]}
        text = resembling(module.content, module.path, entry, new, values)
        yield from _added(module, table, entry, new, text)


def _module_names(modules: list[_Module], names: Names, registered: set[str]) -> Iterator[FileEdit]:
    """The types whose folder is not named as they are: only through this table is the folder found."""
    homes = [(module, table) for module in modules for table in module.tables if table.name == _MODULES]
    for old, new in sorted(names.model_types.items(), key=lambda pair: pair[1]):
        listed = [(module, table, entry) for module, table in homes if (entry := table.find(old)) is not None]
        if not listed and old not in registered:
            continue
        # 5.x lists every type that is not spelled as its folder, 4.x those that no rule leads to their folder.
        spelled = new if names.checkout.generation == 5 else new.replace("-", "_")
        if spelled == names.new_folder:
            continue
        module, table, entry = listed[0] if listed else (*homes[0], None)
        text = f'("{new}", "{names.new_folder}")'
        if entry is not None:
            text = resembling(module.content, module.path, entry, new, {names.old_name: names.new_folder})
        insertions = tuple(_added(module, table, entry, new, text))
        yield FileEdit(module.path, module.content, insertions)


def _added(module: _Module, table: Table, beside: Entry | None, key: str, text: str) -> Iterator[Insertion]:
    """The insertion of an entry; none where it is there already."""
    there = table.find(key)
    if there is not None:
        if _flat(module.content[there.start : there.end].decode()) != _flat(text):
            raise AddModelError(f"{module.path}:{there.line}: {table.name} has an entry {key!r} already, which says something else; remove it and run again")  # fmt: skip
        return
    yield entry_insertion(module.content, table, key, beside, _laid_out(text))


def _laid_out(text: str) -> Callable[[bytes], bytes]:
    def entry(indent: bytes) -> bytes:
        return fitted(text, indent.decode()).encode()

    return entry


def _flat(text: str) -> str:
    """An entry's text without its layout, to compare it."""
    return re.sub(r",(?=[)\]}])", "", re.sub(r"\s", "", text))
