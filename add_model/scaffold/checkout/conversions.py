"""How the weights of checkpoints are renamed and fused while they are loaded: a new model's as its reference's.

A model that the library has no rules for loads what it can, and the rest is random. The rules are a function's; what
shares those of another model stands in a table. They are read from the text, and nothing is evaluated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from add_model.scaffold.checkout.edits import Names
from add_model.scaffold.checkout.layout import Checkout
from add_model.scaffold.checkout.mappings import TableFile, added, read_tables
from add_model.scaffold.source_tree.edits import FileEdit, Reader, read_file
from add_model.scaffold.source_tree.insertions import Insertion
from add_model.syntax_tree import syntax_tree

FILE = "conversion_mapping.py"
TABLE = "_MODEL_TO_CONVERSION_PATTERN"
RULES = "_build_checkpoint_conversion_mapping"
REGISTER = "register_checkpoint_conversion_mapping"
_NEEDED = re.compile(TABLE)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Conversion:
    """The rules of a model type or class of the reference that the new model's is to share.

    Attributes:
        old: the reference's.
        new: the new model's.
        members: what weights start with that the rules lead to, where the new model calls that otherwise.
    """

    old: str
    new: str
    members: tuple[tuple[str, str], ...] = ()

    @property
    def own_rules(self) -> list[str]:
        """The rules that follow those of the reference, as Python spells them."""
        return [f'WeightRenaming(r"^{old}\\.", "{new}.")' for old, new in self.members]


def find_conversions(
    checkout: Checkout, keys: Mapping[str, str], rename_text: Callable[[str], str], read: Reader = read_file
) -> tuple[Conversion, ...]:
    """Every rule of the reference, whatever it is found by.

    Args:
        checkout: the tree that says the rules.
        keys: the reference's model types and classes -> the new model's.
        rename_text: renames a text; classes that are not offered to anybody are found by it.
        read: reads a file of the checkout.

    Raises:
        AddModelError: the file cannot be read or does not parse, or its table has an unknown form.
    """
    file = _file(checkout, read)
    return () if file is None else tuple(_conversions(file, _rules(file.content), keys, rename_text))


def can_be_registered(checkout: Checkout) -> bool:
    """Whether a package of one's own can add rules."""
    path = checkout.package_folder / FILE
    return path.is_file() and f"def {REGISTER}(".encode() in read_file(path)


def conversion_edits(names: Names, read: Reader = read_file) -> Iterator[FileEdit]:
    """Adds the new model wherever the tree has rules of the reference.

    Raises:
        AddModelError: the file cannot be read or does not parse, or its table has an unknown form.
    """
    file = _file(names.checkout, read)
    if file is None:
        return
    rules, table = _rules(file.content), file.tables[0]
    insertions: list[Insertion] = []
    keys = {**names.class_keys, **names.model_types}
    for found in _conversions(file, rules, keys, names.rename_text):
        if found.new in rules:
            continue
        entry = table.find(found.old)
        if found.members:
            insertions += _of_its_own(file.content, found)
        elif found.old not in rules and entry is not None:
            insertions += added(file, table, found.new, entry, {})
        elif table.find(found.new) is None:
            insertions += added(file, table, found.new, entry, {}, text=f'"{found.new}": "{found.old}"')
    yield FileEdit(file.path, file.content, tuple(insertions))


def _file(checkout: Checkout, read: Reader) -> TableFile | None:
    path = checkout.package_folder / FILE
    if not path.is_file():
        return None
    file = read_tables(path, _NEEDED, read)
    tables = tuple(table for table in file.tables if table.name == TABLE)
    return TableFile(path, file.content, tables) if tables else None


def _conversions(
    file: TableFile, rules: Mapping[str, frozenset[str]], keys: Mapping[str, str], rename_text: Callable[[str], str]
) -> Iterator[Conversion]:
    known = {*rules, *(entry.key for entry in file.tables[0].entries)}
    private = {key: rename_text(key) for key in known - keys.keys() if key[:1].isupper()}
    found = {old: new for old, new in {**private, **keys}.items() if old in known and new != old}
    for old, new in sorted(found.items(), key=lambda pair: pair[1]):
        yield Conversion(old, new, tuple(sorted(_members(rules.get(old, frozenset()), rename_text))))


def _members(texts: frozenset[str], rename_text: Callable[[str], str]) -> set[tuple[str, str]]:
    """What of these texts the new model calls otherwise, each with what it calls it."""
    # Quotes around it tell a text as what it is in code.
    pairs = ((text, rename_text(f'"{text}"')[1:-1]) for text in texts)
    words = (zip(_WORD.findall(old), _WORD.findall(new), strict=False) for old, new in pairs if old != new)
    return {pair for each in words for pair in each if pair[0] != pair[1]}


def _of_its_own(content: bytes, found: Conversion) -> Iterator[Insertion]:
    """A line before the function that makes the rules returns them."""
    for function in syntax_tree(content).body:
        if isinstance(function, ast.FunctionDef) and function.name == RULES:
            last = function.body[-1]
            if isinstance(last, ast.Return) and isinstance(last.value, ast.Name):
                name, indent = last.value.id, " " * last.col_offset
                line = f'{indent}{name}["{found.new}"] = [*{name}["{found.old}"], {", ".join(found.own_rules)}]\n'
                starts = [0, *(match.end() for match in re.finditer(rb"\n", content))]
                yield Insertion(starts[last.lineno - 1], line.encode())


def _rules(content: bytes) -> Mapping[str, frozenset[str]]:
    """Model type or class -> the strings in the rules that the function which makes them spells out."""
    rules: dict[str, frozenset[str]] = {}
    for function in syntax_tree(content).body:
        if not isinstance(function, ast.FunctionDef) or function.name != RULES:
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
                    rules[key.value] = rules.get(key.value, frozenset()) | _strings(value)
    return rules


def _strings(node: ast.expr) -> frozenset[str]:
    """The strings in an expression, but those that look up the rules of another model."""
    looked_up = {id(inner.slice) for inner in ast.walk(node) if isinstance(inner, ast.Subscript)}
    return frozenset(
        inner.value
        for inner in ast.walk(node)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and id(inner) not in looked_up
    )
