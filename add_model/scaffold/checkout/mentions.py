"""Places of the package that treat the reference specially in code, which no entry in a table can do for a new model.

A comparison such as `config.model_type == "whisper"` stands in a pipeline or in generation; whether it is to hold for the
new model as well is for a person to say. Docstrings and comments are no such places.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from add_model.errors import AddModelError
from add_model.scaffold.checkout.edits import Names, Note, Reader, read_file
from add_model.scaffold.checkout.tables import parsed


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
        if not pattern.search(content):
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
        yield from _in_statements(statements, path, named, edited.get(path, frozenset()), "")


def _modules(names: Names) -> Iterator[Path]:
    """The modules of the package but those of the models, which are their own."""
    for folder, folders, files in os.walk(names.checkout.package_folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        if folder == str(names.checkout.models_folder):
            folders[:] = [names.checkout.auto_folder.name]
        for name in sorted(files):
            if name.endswith(".py") and name != "__init__.py" and not name.startswith("dummy_"):
                yield Path(folder, name)


def _in_statements(
    statements: Sequence[ast.stmt], path: Path, named: set[str], done: frozenset[str], within: str
) -> Iterator[Note]:
    for statement in statements:
        if isinstance(statement, (ast.ClassDef, ast.If, ast.Try)):
            name = statement.name if isinstance(statement, ast.ClassDef) else ""
            for body in (statement.body, *([] if name else [getattr(statement, "orelse", [])])):
                yield from _in_statements(body, path, named, done, f"{within}{name}." if name else within)
            continue
        where = _name(statement)
        if where is not None and where in done:
            continue
        found = sorted((node.lineno, node.value) for node in _strings(statement) if node.value in named)
        if found:
            quoted = ", ".join(dict.fromkeys(repr(text) for _, text in found))
            place = f"{within}{where}" if where is not None else "a statement"
            yield Note(
                path, found[0][0], f"{place} treats {quoted} specially; see whether the new model needs that, too"
            )


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


def _strings(statement: ast.stmt) -> Iterator[ast.Constant]:
    """The strings of a statement but its docstrings."""
    documentation = {
        id(inner.value)
        for inner in ast.walk(statement)
        if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant)
    }
    for node in ast.walk(statement):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node
