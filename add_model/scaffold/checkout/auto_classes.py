"""Which auto class answers with which model, read from the mappings of a Transformers tree; nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from add_model.reading import read_bytes
from add_model.scaffold.checkout.layout import Checkout
from add_model.scaffold.checkout.tables import Table, find_tables
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


def find_auto_classes(installed: Checkout, configurations: Mapping[str, str], own: Set[str]) -> list[AutoClass]:
    """Every auto class that answers for one of these configurations with a model of the reference's own.

    Args:
        installed: the tree whose mappings are read.
        configurations: model type -> configuration class.
        own: the classes that the reference defines.
    """
    found = []
    for name, table in sorted(_model_tables(installed), key=lambda pair: (pair[0] in LEAST_SPECIFIC, pair[0])):
        for model_type, configuration in configurations.items():
            entry = table.find(model_type)
            if entry is None:
                continue
            values = tuple(dict.fromkeys(text.value for text in entry.texts[1:] if text.value in own))
            if values:
                found.append(AutoClass(name, configuration, values))
    return found


@lru_cache(maxsize=1)
def auto_tables(installed: Checkout) -> Mapping[str, Sequence[Table]]:
    """The tables of an installed tree, which nobody changes meanwhile, as `read_auto_tables` reads them."""
    return read_auto_tables(installed)


def read_auto_tables(checkout: Checkout) -> Mapping[str, Sequence[Table]]:
    """The tables of names that the auto classes look into, by mapping: one may be written in several parts."""
    tables: dict[str, list[Table]] = {}
    for path, content in _auto_files(checkout):
        for table in find_tables(content, path, _NOTHING_IS_NEEDED):
            tables.setdefault(table.mapping, []).append(table)
    return tables


def _model_tables(installed: Checkout) -> Iterator[tuple[str, Table]]:
    """Every auto class of models, with the table of names that it looks into."""
    lazy: dict[str, str] = {}
    users: dict[str, str] = {}
    for _, content in _auto_files(installed):
        for node in syntax_tree(content).body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Call)
                and isinstance(node.targets[0], ast.Name)
            ):
                called, arguments = node.value.func, node.value.args
                if isinstance(called, ast.Name) and called.id == _LAZY and isinstance(arguments[-1], ast.Name):
                    lazy[node.targets[0].id] = arguments[-1].id
            elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                for line in node.body:
                    if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "_model_mapping":
                        users[node.name] = ast.unparse(line.value)
    tables = auto_tables(installed)
    for name, mapping in users.items():
        yield from ((name, table) for table in tables.get(lazy.get(mapping, ""), ()))


def _auto_files(installed: Checkout) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(installed.auto_folder.glob("*.py")):
        if not path.name.startswith(("modeling_tf_", "modeling_flax_")):
            yield path, read_bytes(path)
