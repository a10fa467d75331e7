"""In the released trees a new model is registered wherever its reference is, and removing it is the exact inverse.

What must be registered is worked out here from the tables themselves, evaluated as they stand, without the code under
test: for every mapping that has an entry of one of the reference's types, the same entry under the new names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from add_model.names import ModelName
from add_model.scaffold.checkout.layout import Checkout, find_checkout
from add_model.scaffold.checkout.reference import find_checkout_reference, model_folders
from add_model.scaffold.checkout.registration import registration_edits
from add_model.scaffold.copied_text.renaming import FolderRenaming
from add_model.scaffold.record import hunks_between, without_hunks
from add_model.scaffold.source_tree.edits import FileEdit
from tests.cli.commands import add_model_here, contents, done
from tests.copies.released import copy_of, released

RELEASES = ("transformers-5.23.0", "transformers-4.46.3")
# Types that are named otherwise than their folder, several types in one, tokenizers in every form, special tables.
TRAPS = ("clip", "data2vec", "donut", "gpt2", "mt5", "opt", "trajectory_transformer", "wav2vec2", "whisper")
MODULES = "SPECIAL_MODEL_TYPE_TO_MODULE_NAME"
Tables = Mapping[str, Mapping[str, str | None]]


def checkout_of(release: str) -> Checkout:
    checkout = find_checkout(released(release).package_folder.parent)
    assert checkout is not None
    return checkout


def sample(checkout: Checkout) -> list[str]:
    folders = sorted(model_folders(checkout))
    return sorted({*folders[::130], *(name for name in TRAPS if name in folders)})


def evaluated(content: bytes) -> Tables:
    """Every table of a module as Python would build it: name -> key -> the source of the value, `None` in a list."""
    tables: dict[str, dict[str, str | None]] = {}
    for statement in _statements(ast.parse(content).body):
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            values = [statement.value]
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and isinstance(statement.value.func, ast.Attribute):  # fmt: skip
            target, values = statement.value.func.value, list(statement.value.args)
        else:
            continue
        for value in values:
            given = [*value.args, *(each.value for each in value.keywords)] if isinstance(value, ast.Call) else [value]
            for literal in given:
                tables.setdefault(ast.unparse(target), {}).update(_entries(literal))
    return tables


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.If):
            yield from _statements([*statement.body, *statement.orelse])
        else:
            yield statement


def _entries(literal: ast.expr | None) -> Iterator[tuple[str, str | None]]:
    if isinstance(literal, ast.Dict):
        pairs = [(key, value) for key, value in zip(literal.keys, literal.values, strict=True) if key is not None]
    elif isinstance(literal, (ast.List, ast.Set)):
        pairs = [
            (e.elts[0], e.elts[1]) if isinstance(e, ast.Tuple) and len(e.elts) == 2 else (e, None)
            for e in literal.elts
        ]  # type: ignore[misc]
    else:
        return
    for key, value in pairs:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, None if value is None else ast.unparse(value)


@cache
def auto_tables(release: str) -> Mapping[Path, Tables]:
    return {path: evaluated(path.read_bytes()) for path in sorted(checkout_of(release).auto_folder.glob("*.py"))}


def registered(release: str, folder: str, name: str, edited: Mapping[Path, bytes] | None = None) -> tuple[FolderRenaming, dict[Path, FileEdit]]:  # fmt: skip
    """The edits for a new model, in the tree as released or as other edits left it."""
    checkout, files = checkout_of(release), edited or {}
    renaming = FolderRenaming(find_checkout_reference(folder, checkout), ModelName.from_snake(name))
    registration = registration_edits(
        checkout,
        str(renaming.reference.folder),
        name,
        renaming.model_types,
        renaming.classes,
        renaming.rename_text,
        read=lambda path: files.get(path) or path.read_bytes(),
    )
    return renaming, {edit.path: edit for edit in registration.edits}


def check_entries(release: str, folder: str) -> int:
    """Every table has what it must, and nothing else; the number of entries that were added."""
    name = f"brand_new_{folder}"
    renaming, edits = registered(release, folder, name)
    types, classes = renaming.model_types, renaming.classes
    modules: dict[str, str] = {}
    number = 0
    for path, before in auto_tables(release).items():
        after = evaluated(edits[path].after) if path in edits else before
        modules |= {key: ast.literal_eval(value) for key, value in after.get(MODULES, {}).items() if value}
        for table, entries in after.items():
            old = before[table]
            assert {key: entries[key] for key in old} == old
            added = {key: value for key, value in entries.items() if key not in old}
            number += len(added)
            if table in (MODULES, "MODEL_NAMES_MAPPING"):
                assert added.keys() <= set(types.values())
            elif table != "DEPRECATED_MODELS":
                assert added == dict(_wanted(old, types, classes)), f"{folder}: {table}"
    for new in types.values():
        assert modules.get(new, new.replace("-", "_")) == name
    return number


def _wanted(old: Mapping[str, str | None], types: Mapping[str, str], classes: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:  # fmt: skip
    for model_type, new in types.items():
        if model_type in old:
            value = old[model_type]
            yield new, value and re.sub(r"'([^']*)'", lambda match: repr(classes.get(match[1], match[1])), value)
    for class_name, new in classes.items():
        if class_name in old and old[class_name] is None and class_name not in types and class_name != new:
            yield new, None


def check_inverse(release: str, folder: str) -> None:
    """Taking the entries out gives back the bytes, also when another model was added since."""
    _, edits = registered(release, folder, f"brand_new_{folder}")
    with_first = {path: edit.after for path, edit in edits.items()}
    _, others = registered(release, folder, f"another_{folder}", with_first)
    _, alone = registered(release, folder, f"another_{folder}")
    for path, edit in edits.items():
        hunks = hunks_between(edit.before, edit.after)
        assert without_hunks(edit.after, hunks) == (edit.before, ())
        both = others[path].after if path in others else edit.after
        assert without_hunks(both, hunks) == (alone[path].after if path in alone else edit.before, ())


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_every_table_has_the_new_model_where_it_has_the_reference(release: str) -> None:
    assert sum(check_entries(release, folder) for folder in sample(checkout_of(release))) > 100


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_taking_the_entries_out_is_the_exact_inverse(release: str) -> None:
    for folder in ("bert", "clip", "donut"):
        check_inverse(release, folder)


@pytest.mark.exhaustive
@pytest.mark.parametrize("release", RELEASES)
def test_both_hold_for_every_model(release: str) -> None:
    folders = sorted(model_folders(checkout_of(release)))
    entries = sum(check_entries(release, folder) for folder in folders)
    for folder in folders:
        check_inverse(release, folder)
    print(f"{release}: {len(folders)} models, {entries} entries")


@pytest.mark.slow
@pytest.mark.parametrize(("release", "references"), [("transformers-5.23.0", ("clip", "donut")), ("transformers-4.46.3", ("bert", "trajectory_transformer"))])  # fmt: skip
def test_a_tree_is_as_it_was_after_models_came_and_went(release: str, references: tuple[str, str], tmp_path: Path) -> None:  # fmt: skip
    root = copy_of(release, tmp_path).root
    before = contents(root)
    for reference, name in zip(references, ("jay", "kite"), strict=True):
        done(root, reference, "--name", name, "--yes")
    for name in ("jay", "kite"):
        result = add_model_here(root, "remove", name)
        assert (result.returncode, result.stderr) == (0, "")
    assert contents(root) == before
