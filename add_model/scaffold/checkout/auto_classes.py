"""Which auto class answers with which model, read from the mappings of a Transformers tree; nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from add_model.reading import read_bytes
from add_model.scaffold.checkout.layout import Checkout
from add_model.scaffold.source_tree.tables import Table, Text, find_tables
from add_model.syntax_tree import syntax_tree

_NOTHING_IS_NEEDED = re.compile(r"(?!)")
_LAZY = "_LazyAutoMapping"
# What answers for many models, whatever they are for.
LEAST_SPECIFIC = (
    "AutoModelForPreTraining",
    "AutoModelForImage",
    "AutoModelForMultimodalLM",
    "AutoModelForTextEncoding",
)


@dataclass(frozen=True)
class AutoClass:
    """An auto class, and what it answers with for one configuration.

    Attributes:
        name: the auto class, such as `AutoModelForCausalLM`.
        configuration: the configuration's class.
        classes: the classes it answers with, the first one first.
    """

    name: str
    configuration: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a mapping that an auto class looks into has for a configuration.

    Attributes:
        mapping: the mapping, such as `MODEL_MAPPING`.
        configuration: the configuration's class.
        classes: the classes it answers with, the first one first.
    """

    mapping: str
    configuration: str
    classes: tuple[str, ...]


def find_auto_classes(installed: Checkout, configurations: Mapping[str, str], own: Set[str]) -> list[AutoClass]:
    """Every auto class that answers for one of these configurations with a model of the reference's own.

    Args:
        installed: the tree whose mappings are read.
        configurations: model type -> configuration class.
        own: the classes that the reference defines.
    """
    found = []
    for name, _, table in sorted(_model_tables(installed), key=lambda each: (each[0] in LEAST_SPECIFIC, each[0])):
        for model_type, configuration in configurations.items():
            values = tuple(value for value in _values(table, model_type) if value in own)
            if values:
                found.append(AutoClass(name, configuration, values))
    return found


def find_answers(installed: Checkout, configurations: Mapping[str, str]) -> tuple[Answer, ...]:
    """Every answer that auto classes have for one of these configurations, whosever models those are.

    Args:
        installed: the tree whose mappings are read.
        configurations: model type -> configuration class.
    """
    return tuple(
        Answer(mapping, configuration, values)
        for _, mapping, table in sorted(_model_tables(installed), key=lambda each: each[1])
        for model_type, configuration in configurations.items()
        if (values := _values(table, model_type))
    )


def _values(table: Table, key: str) -> tuple[str, ...]:
    entry = table.find(key)
    return () if entry is None else tuple(dict.fromkeys(text.value for text in entry.texts[1:]))


@lru_cache(maxsize=1)
def auto_tables(installed: Checkout) -> Mapping[str, Sequence[Table]]:
    """The tables of an installed tree, which nobody changes meanwhile, as `read_auto_tables` reads them.

    What a loop adds to a table for each of a list stands behind what the table says itself.
    """
    tables = read_auto_tables(installed)
    added: dict[str, list[Table]] = {}
    for table in _filled_by_loops(installed, tables):
        added.setdefault(table.mapping, []).append(table)
    return {mapping: [*tables.get(mapping, ()), *added.get(mapping, ())] for mapping in {**tables, **added}}


def read_auto_tables(checkout: Checkout) -> Mapping[str, Sequence[Table]]:
    """The tables of names that the auto classes look into, by mapping: one may be written in several parts."""
    tables: dict[str, list[Table]] = {}
    for path, content in _auto_files(checkout):
        for table in find_tables(content, path, _NOTHING_IS_NEEDED):
            tables.setdefault(table.mapping, []).append(table)
    return tables


@lru_cache(maxsize=1)
def _model_tables(installed: Checkout) -> tuple[tuple[str, str, Table], ...]:
    """Every auto class of models, with the mapping and each table of names that it looks into."""
    lazy: dict[str, str] = {}
    users: dict[str, str] = {}
    included: dict[str, list[str]] = {}
    for _, content in _auto_files(installed):
        for node in syntax_tree(content).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                for line in node.body:
                    if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "_model_mapping":
                        users[node.name] = ast.unparse(line.value)
            if not (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Call)
                and isinstance(node.targets[0], ast.Name)
            ):
                continue
            target, called, arguments = node.targets[0].id, node.value.func, node.value.args
            if isinstance(called, ast.Name) and called.id == _LAZY and isinstance(arguments[-1], ast.Name):
                lazy[target] = arguments[-1].id
            else:
                included[target] = [*_unpacked(node.value)]
    tables = auto_tables(installed)
    return tuple(
        (name, mapping, table)
        for name, mapping in users.items()
        # What a table has of its own counts, where it begins with all of another.
        for part in (*included.get(lazy.get(mapping, ""), ()), lazy.get(mapping, ""))
        for table in tables.get(part, ())
    )


def _unpacked(node: ast.expr) -> Iterator[str]:
    """The tables whose entries are taken over into another: `*list(OTHER.items())`."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Starred):
            for called in ast.walk(inner):
                if isinstance(called, ast.Attribute) and called.attr == "items" and isinstance(called.value, ast.Name):
                    yield called.value.id


def _filled_by_loops(installed: Checkout, tables: Mapping[str, Sequence[Table]]) -> Iterator[Table]:
    """What loops add to tables: `for model_type in LIST: ... TABLE[model_type] = "Class"`."""
    for _, content in _auto_files(installed):
        for loop in syntax_tree(content).body:
            if not (
                isinstance(loop, ast.For) and isinstance(loop.iter, ast.Name) and isinstance(loop.target, ast.Name)
            ):
                continue
            for node in ast.walk(loop):
                if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)):
                    continue
                filled, values = node.targets[0], [Text(value, 0, 0) for value in _strings(node.value)]
                if (
                    isinstance(filled.value, ast.Name)
                    and ast.unparse(filled.slice) == loop.target.id
                    and len(values) == 1
                ):
                    for listed in tables.get(loop.iter.id, ()):
                        entries = (replace(entry, texts=(*entry.texts, *values)) for entry in listed.entries)
                        yield replace(listed, name=filled.value.id, entries=tuple(entries))


def _strings(node: ast.expr) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def _auto_files(installed: Checkout) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(installed.auto_folder.glob("*.py")):
        if not path.name.startswith(("modeling_tf_", "modeling_flax_")):
            yield path, read_bytes(path)
