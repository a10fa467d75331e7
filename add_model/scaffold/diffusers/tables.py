"""A new model's entries in tables that are looked up by a class, or lead to one: loaders, and the auto pipelines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from add_model.scaffold.source_tree.edits import FileEdit
from add_model.scaffold.source_tree.insertions import Insertion, entry_insertion
from add_model.scaffold.source_tree.tables import Entry, Table, find_tables

_NONE_IS_NEEDED = re.compile(r"(?!)")
_LEADS_TO = re.compile(rb"""\(\s*["'][^"']+["'],\s*(\w+),?\s*\)""")


def table_edit(path: Path, content: bytes, names: Mapping[str, str], old: str, new: str) -> FileEdit:
    """Adds entries beside the reference's to every table of a module.

    Args:
        path: where the module stands.
        content: its bytes.
        names: the reference's public names, with the new model's.
        old: the reference's name in snake_case.
        new: the new model's.

    Raises:
        AddModelError: the module does not parse.
    """
    tables = find_tables(content, path, _NONE_IS_NEEDED)
    return FileEdit(path, content, tuple(found for table in tables for found in _of_table(content, table, names, old, new)))  # fmt: skip


def _of_table(content: bytes, table: Table, names: Mapping[str, str], old: str, new: str) -> Iterator[Insertion]:
    for entry in table.entries:
        key, text = _entry(content, entry, names, old, new)
        if text is not None and table.find(key) is None:
            yield entry_insertion(content, table, key, entry, lambda indent, text=text: text)  # type: ignore[misc]


def _entry(content: bytes, entry: Entry, names: Mapping[str, str], old: str, new: str) -> tuple[str, bytes | None]:
    """The new entry's key and text; no text where the entry is not about the reference."""
    text = content[entry.start : entry.end]
    if entry.key in names:
        return names[entry.key], _with_key(content, entry, names[entry.key])
    leads_to = _LEADS_TO.fullmatch(text)
    led = names.get(leads_to[1].decode()) if leads_to is not None else None
    if leads_to is None or led is None:
        return entry.key, None
    key = renamed_key(entry.key, old, new)
    return key, _with_key(content, entry, key).replace(leads_to[1], led.encode())


def _with_key(content: bytes, entry: Entry, key: str) -> bytes:
    spelled = entry.texts[0]
    return content[entry.start : spelled.start] + key.encode() + content[spelled.end : entry.end]


def renamed_key(key: str, old: str, new: str) -> str:
    """A key of words with hyphens, where those that are the reference's name are the new model's."""
    spelled = "[-_]".join(map(re.escape, old.split("_")))
    renamed = re.sub(rf"(?<![a-z0-9]){spelled}(?![a-z0-9])", new.replace("_", "-"), key)
    return renamed if renamed != key else f"{new.replace('_', '-')}-{key}"
