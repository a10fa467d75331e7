"""The tables outside the auto classes that a model works through: the loss it trains with, how its tokenizer is converted.

A model that is not in them loads and trains as if its reference's special cases did not exist. What is no plain table
(a comparison with a model type in a function, say) is left alone, and named by `mentions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from add_model.scaffold.checkout import conversions
from add_model.scaffold.checkout.conversions import conversion_edits
from add_model.scaffold.checkout.edits import Names
from add_model.scaffold.checkout.mappings import TableFile, added, read_tables
from add_model.scaffold.source_tree.edits import FileEdit, Reader, read_file
from add_model.scaffold.source_tree.insertions import Insertion

_HARDCODED_CONFIGURATIONS = "HARDCODED_CONFIG_FOR_MODELS"
# Keyed by model type, by class or by both; each of some releases only.
_TABLES = {
    "convert_slow_tokenizer.py": ("SLOW_TO_FAST_CONVERTERS",),
    "integrations/awq.py": ("AWQ_FUSED_MAPPINGS", "AWQ_SCALES_MAPPINGS"),
    "loss/loss_utils.py": ("LOSS_MAPPING",),
    "onnx/features.py": ("_SUPPORTED_MODEL_TYPE",),
    "utils/fx.py": (
        "_FX_SUPPORTED_MODELS_WITH_KV_CACHE",
        "_REGULAR_SUPPORTED_MODEL_NAMES_AND_TASKS",
        "_SPECIAL_SUPPORTED_MODELS",
    ),
}


def other_edits(names: Names, read: Reader = read_file) -> Iterator[FileEdit]:
    """Adds the new model to the tables outside the auto classes that the reference is in.

    Args:
        names: what the reference's names become.
        read: reads a file of the checkout.

    Raises:
        AddModelError: a file cannot be read or does not parse, or a table has an unknown form.
    """
    for name, tables in _TABLES.items():
        file = _table_file(names, name, tables, read)
        if file is not None:
            yield FileEdit(file.path, file.content, tuple(_keyed(file, names)))
    yield from _configuration_of_folder(names, read)
    yield from conversion_edits(names, read)


def _table_file(names: Names, name: str, tables: tuple[str, ...], read: Reader) -> TableFile | None:
    path = names.checkout.package_folder / name
    # Most models are in none of these tables, and the modules are long.
    if not path.is_file() or not _named(names).search(read(path)):
        return None
    file = read_tables(path, re.compile("|".join(tables)), read)
    return TableFile(path, file.content, tuple(table for table in file.tables if table.name in tables))


def _named(names: Names) -> re.Pattern[bytes]:
    """What stands in a module that has an entry of the reference."""
    spelled = {names.old_name, *names.model_types, *names.class_keys}
    keys = "|".join(re.escape(key) for key in sorted(spelled | set(map(_kebab, spelled))))
    return re.compile(rf"[\"'](?:{keys})[\"']".encode())


def _keyed(file: TableFile, names: Names) -> Iterator[Insertion]:
    # The table of the ONNX export spells types with hyphens, and classes by the path to them.
    keys = {**names.class_keys, **{_kebab(old): _kebab(new) for old, new in names.model_types.items()}, **names.model_types}  # fmt: skip
    paths = {f"models.{names.old_module}.{old}": f"models.{names.new_folder}.{new}" for old, new in names.classes.items()}  # fmt: skip
    for table in file.tables:
        for old, new in sorted(keys.items(), key=lambda pair: pair[1]):
            entry = table.find(old)
            if entry is not None and new != old:
                yield from added(file, table, new, entry, {**names.classes, **paths})


def _configuration_of_folder(names: Names, read: Reader) -> Iterator[FileEdit]:
    """The configuration that docstrings name, for a folder that no model type is called after."""
    file = _table_file(names, "utils/auto_docstring.py", (_HARDCODED_CONFIGURATIONS,), read)
    new = _kebab(names.new_folder)
    if file is None or new in map(_kebab, names.model_types.values()):
        return
    for table in file.tables:
        entry = table.find(_kebab(names.old_name))
        if entry is not None:
            yield FileEdit(file.path, file.content, tuple(added(file, table, new, entry, names.classes)))


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def known_tables(folder: Path) -> dict[Path, frozenset[str]]:
    """The tables that are edited here, by file."""
    tables = {folder / name: frozenset(names) for name, names in _TABLES.items()}
    tables[folder / "utils" / "auto_docstring.py"] = frozenset({_HARDCODED_CONFIGURATIONS})
    tables[folder / conversions.FILE] = frozenset({conversions.TABLE, conversions.RULES})
    return tables
