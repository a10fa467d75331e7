"""How a slow tokenizer becomes a fast one: Transformers knows a converter for each class, and is told that of a new one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from add_model.reading import read_bytes
from add_model.scaffold.checkout.layout import Checkout
from add_model.scaffold.checkout.modules import NewModule
from add_model.scaffold.copied_text.marking import lines_of
from add_model.scaffold.copied_text.renaming import FolderRenaming
from add_model.scaffold.source_tree.tables import find_tables
from add_model.syntax_tree import syntax_tree

_FILE, _TABLE = "convert_slow_tokenizer.py", "SLOW_TO_FAST_CONVERTERS"
_NOTHING_IS_NEEDED = re.compile(r"(?!)")
_IMPORT = f"from transformers.{_FILE.removesuffix('.py')} import {_TABLE}\n"
_SAID = "\n\n# The fast tokenizer is made of the slow one as the reference's is.\n"


def with_converters(module: NewModule, renaming: FolderRenaming, checkout: Checkout) -> str:
    """The text of a module, which tells the converters of the slow tokenizers in it, wherever it is loaded."""
    if not module.path.name.startswith("tokenization_"):
        return module.text
    body = syntax_tree(module.text).body
    defined = {node.name for node in body if isinstance(node, ast.ClassDef)}
    known = converted(checkout)
    told = [(old, new) for old, new in renaming.classes.items() if old in known and new in defined and old != new]
    first = next((node for node in body if isinstance(node, ast.ImportFrom) and node.module != "__future__"), None)
    if not told or first is None:
        return module.text
    lines = lines_of(module.text)
    lines.insert(first.lineno - 1, _IMPORT)
    return "".join([*lines, _SAID, *(f'{_TABLE}["{new}"] = {_TABLE}["{old}"]\n' for old, new in told)])


@lru_cache(maxsize=1)
def converted(checkout: Checkout) -> frozenset[str]:
    """The slow tokenizers that a tree has a converter for."""
    return frozenset(_keys(checkout))


def _keys(checkout: Checkout) -> Iterator[str]:
    path = checkout.package_folder / _FILE
    if path.is_file():
        for table in find_tables(read_bytes(path), path, _NOTHING_IS_NEEDED):
            if table.name == _TABLE:
                yield from (entry.key for entry in table.entries)
