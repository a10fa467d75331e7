"""The tables outside the auto classes that a model works through: the loss it trains with, how its tokenizer is converted.

A model that is not in them loads and trains as if its reference's special cases did not exist. What is no plain table
(a comparison with a model type in a function, say) is left alone, and named by `mentions`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from add_model.scaffold.checkout.edits import FileEdit, Names, Note, Reader, read_file
from add_model.scaffold.checkout.insertions import Insertion
from add_model.scaffold.checkout.mappings import TableFile, added, read_tables
from add_model.scaffold.checkout.tables import Table

_CONVERSIONS = "_MODEL_TO_CONVERSION_PATTERN"
_CONVERSION_RULES = "_build_checkpoint_conversion_mapping"
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


def other_edits(names: Names, read: Reader = read_file) -> Iterator[FileEdit | Note]:
    """Adds the new model to the tables outside the auto classes that the reference is in.

    Args:
        names: what the reference's names become.
        read: reads a file of the checkout.

    Yields:
        The edits, and notes on conversion rules that cannot be shared because they spell the reference's own name.

    Raises:
        AddModelError: a file cannot be read or does not parse, or a table has an unknown form.
    """
    for name, tables in _TABLES.items():
        file = _table_file(names, name, tables, read)
        if file is not None:
            yield FileEdit(file.path, file.content, tuple(_keyed(file, names)))
    yield from _configuration_of_folder(names, read)
    yield from _conversions(names, read)


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


@dataclass(frozen=True)
class _Rules:
    """Where the rules of one model type or class stand, and the strings in them."""

    line: int
    texts: frozenset[str]


def _conversions(names: Names, read: Reader) -> Iterator[FileEdit | Note]:
    """How the weights of older checkpoints are renamed; a new model's are, by the same rules as its reference's."""
    file = _table_file(names, "conversion_mapping.py", (_CONVERSIONS,), read)
    if file is None or not file.tables:
        return
    rules, table = _rules(file.content), file.tables[0]
    insertions: list[Insertion] = []
    for old, new in sorted({**names.class_keys, **names.model_types}.items(), key=lambda pair: pair[1]):
        own = rules.get(old)
        if new == old or new in rules or (own is None and table.find(old) is None):
            continue
        if own is not None and any(names.rename_text(text) != text for text in own.texts):
            yield Note(file.path, own.line, f"the rules of {old} spell its own name; add those of {new} beside them")
            continue
        insertions += _shared(file, table, old, new, is_own=own is not None)
    yield FileEdit(file.path, file.content, tuple(insertions))


def _shared(file: TableFile, table: Table, old: str, new: str, is_own: bool) -> Iterator[Insertion]:
    entry = table.find(old)
    if not is_own and entry is not None:
        yield from added(file, table, new, entry, {})
    elif table.find(new) is None:
        yield from added(file, table, new, entry, {}, text=f'"{new}": "{old}"')


def _rules(content: bytes) -> Mapping[str, _Rules]:
    """The rules that the function which makes them spells out, by model type or class."""
    rules: dict[str, _Rules] = {}
    for function in ast.parse(content).body:
        if not isinstance(function, ast.FunctionDef) or function.name != _CONVERSION_RULES:
            continue
        for node in ast.walk(function):
            pairs: list[tuple[ast.expr | None, ast.expr]] = []
            if isinstance(node, ast.Dict):
                pairs = list(zip(node.keys, node.values, strict=True))
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                pairs = [(node.targets[0].slice, node.value)]
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
                pairs = [(node.target.slice, node.value)]
            for key, value in pairs:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    known = rules.get(key.value)
                    texts = _strings(value) | (known.texts if known else frozenset())
                    rules[key.value] = _Rules(known.line if known else key.lineno, texts)
    return rules


def _strings(node: ast.expr) -> frozenset[str]:
    """The strings in an expression, but those that look up the rules of another model."""
    looked_up = {id(inner.slice) for inner in ast.walk(node) if isinstance(inner, ast.Subscript)}
    return frozenset(
        inner.value
        for inner in ast.walk(node)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and id(inner) not in looked_up
    )


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def known_tables(folder: Path) -> dict[Path, frozenset[str]]:
    """The tables that are edited here, by file."""
    tables = {folder / name: frozenset(names) for name, names in _TABLES.items()}
    tables[folder / "utils" / "auto_docstring.py"] = frozenset({_HARDCODED_CONFIGURATIONS})
    tables[folder / "conversion_mapping.py"] = frozenset({_CONVERSIONS, _CONVERSION_RULES})
    return tables
