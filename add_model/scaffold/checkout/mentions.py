"""Places of the package that treat the reference specially in code, which no entry in a table can do for a new model.

A comparison such as `config.model_type == "whisper"` stands in a pipeline or in generation; whether it is to hold for the
new model as well is for a person to say. Docstrings and comments are no such places.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError
from add_model.scaffold.checkout.edits import Names
from add_model.scaffold.checkout.exceptions import files_with_exceptions
from add_model.scaffold.source_tree.edits import Note, Reader, read_file
from add_model.scaffold.source_tree.tables import parsed


def mentions(names: Names, edited: Mapping[Path, frozenset[str]], read: Reader = read_file) -> Iterator[Note]:
    """One note for each place that names a model type or class of the reference, by file and line.

    Args:
        names: what the reference's names become.
        edited: names of the tables that get entries, by file outside the auto classes; they are no such places.
        read: reads a file of the checkout.

    Raises:
        AddModelError: a file cannot be read.
    """
    named = {*names.model_types, *names.class_keys}
    if not named:
        return
    spelled = "|".join(re.escape(name) for name in sorted(named))
    pattern = re.compile(rf"[\"'](?:{spelled})[\"']".encode())
    for path in _modules(names):
        content = read(path)
        lines = frozenset(content.count(b"\n", 0, found.start()) + 1 for found in pattern.finditer(content))
        if not lines:
            continue
        try:
            module = parsed(content, path)
        except AddModelError:
            # What does not parse is no business of a new model's.
            continue
        statements = module.body
        if path.parent == names.checkout.auto_folder:
            # Every table there gets its entries.
            statements = [each for each in statements if isinstance(each, (ast.ClassDef, ast.FunctionDef))]
        look = _Look(path, named, edited.get(path, frozenset()), lines)
        yield from look.at(statements, "")


def _modules(names: Names) -> Iterator[Path]:
    """The modules of the package but those of the models, which are their own; the scripts that check
    the tree, and the tests in common."""
    for folder, folders, files in os.walk(names.checkout.package_folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        if folder == str(names.checkout.models_folder):
            folders[:] = [names.checkout.auto_folder.name]
        for name in sorted(files):
            if name.endswith(".py") and name != "__init__.py" and not name.startswith("dummy_"):
                yield Path(folder, name)
    yield from sorted({*(names.checkout.root / "utils").glob("*.py"), *files_with_exceptions(names)})


@dataclass(frozen=True)
class _Look:
    """A look for places of one module: the names, the tables to pass over, and the lines on which a name stands."""

    path: Path
    named: Set[str]
    done: Set[str]
    lines: Set[int]

    def at(self, statements: Sequence[ast.stmt], within: str) -> Iterator[Note]:
        for statement in statements:
            if self.lines.isdisjoint(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)):
                continue
            if isinstance(statement, ast.ClassDef):
                yield from self.at(statement.body, f"{within}{statement.name}.")
            elif isinstance(statement, (ast.If, ast.Try)):
                yield from self.at([*statement.body, *statement.orelse], within)
            else:
                yield from self._of(statement, within)

    def _of(self, statement: ast.stmt, within: str) -> Iterator[Note]:
        where = _name(statement)
        if where is not None and where in self.done:
            return
        found = sorted((line, text) for line, text in _strings(statement) if text in self.named)
        if found:
            quoted = ", ".join(dict.fromkeys(repr(text) for _, text in found))
            place = "a statement" if where is None else f"{within}{where}"
            yield Note(self.path, found[0][0], f"{place} treats {quoted} specially; see whether the new model needs that, too")  # fmt: skip


def _name(statement: ast.stmt) -> str | None:
    """What a statement defines or sets."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return statement.name
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func
        targets = [function.value] if isinstance(function, ast.Attribute) else []
    return next((target.id for target in targets if isinstance(target, ast.Name)), None)


def _strings(statement: ast.stmt) -> Iterator[tuple[int, str]]:
    """The strings of a statement but its docstrings, each with its line."""
    documentation = {
        id(inner.value)
        for inner in ast.walk(statement)
        if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant)
    }
    for node in ast.walk(statement):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value
