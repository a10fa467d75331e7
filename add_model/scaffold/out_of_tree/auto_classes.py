"""Which auto class answers with which class, read from the mappings of a Transformers tree; nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from add_model.scaffold.checkout.layout import Checkout
from add_model.scaffold.checkout.tables import Table, find_tables

_NOTHING_IS_NEEDED = re.compile(r"(?!)")
_LAZY = "_LazyAutoMapping"
# Auto classes whose mappings are used otherwise than through `_model_mapping`: the names' table -> the class, and the
# parameter of `register` that takes a class, by what the class's name ends with.
_PREPROCESSING = {
    "TOKENIZER_MAPPING_NAMES": "AutoTokenizer",
    "IMAGE_PROCESSOR_MAPPING_NAMES": "AutoImageProcessor",
    "FEATURE_EXTRACTOR_MAPPING_NAMES": "AutoFeatureExtractor",
    "PROCESSOR_MAPPING_NAMES": "AutoProcessor",
    "VIDEO_PROCESSOR_MAPPING_NAMES": "AutoVideoProcessor",
}
_LEAST_SPECIFIC = (
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
        is_model: whether they are models, rather than tokenizers or processors.
    """

    name: str
    configuration: str
    classes: tuple[str, ...]
    is_model: bool


def find_auto_classes(installed: Checkout, configurations: Mapping[str, str], own: Set[str]) -> list[AutoClass]:
    """Every auto class that answers for one of these configurations with a class of the model's own.

    Args:
        installed: the tree whose mappings are read.
        configurations: model type -> configuration class.
        own: the classes that the model defines.
    """
    found = []
    for name, table in sorted(_tables(installed), key=lambda pair: (pair[0] in _LEAST_SPECIFIC, pair[0])):
        for model_type, configuration in configurations.items():
            entry = table.find(model_type)
            if entry is None:
                continue
            values = tuple(dict.fromkeys(text.value for text in entry.texts[1:] if text.value in own))
            if values:
                found.append(AutoClass(name, configuration, values, name not in _PREPROCESSING.values()))
    return found


def _tables(installed: Checkout) -> Iterator[tuple[str, Table]]:
    """Every auto class, with the table of names that it looks into."""
    tables: dict[str, list[Table]] = {}
    lazy: dict[str, str] = {}
    users: dict[str, str] = {}
    for path in sorted(installed.auto_folder.glob("*.py")):
        if path.name.startswith(("modeling_tf_", "modeling_flax_")):
            continue
        content = path.read_bytes()
        for table in find_tables(content, path, _NOTHING_IS_NEEDED):
            tables.setdefault(table.name, []).append(table)
        for node in ast.parse(content).body:
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
    for name, mapping in users.items():
        yield from ((name, table) for table in tables.get(lazy.get(mapping, ""), ()))
    for table_name, name in _PREPROCESSING.items():
        yield from ((name, table) for table in tables.get(table_name, ()))
