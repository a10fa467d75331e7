"""The reference's tests, renamed: a checkout that has them gets as many of the new model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from add_model.copies.language.marker import without_markers
from add_model.scaffold.checkout.edits import Names
from add_model.scaffold.source_tree.edits import NewFile, Note, Reader, read_file

_NOT_COPIED = frozenset({"__pycache__"})


def renamed_tests(names: Names, read: Reader = read_file) -> Iterator[NewFile | Note]:
    """Every file of the reference's folder of tests, in a folder of the new model's.

    Markers within are left out: a test is meant to change with its model. A file that is no text gets a note.

    Raises:
        AddModelError: a file cannot be read.
    """
    folder = names.checkout.tests_folder / names.old_name
    if not folder.is_dir():
        return
    target = names.checkout.tests_folder / names.new_folder
    modules = {path.stem: renamed_file_name(path.stem, names) for path in folder.rglob("*.py")}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or _NOT_COPIED & set(relative.parts):
            continue
        try:
            text = read(path).decode()
        except UnicodeDecodeError:
            yield Note(path, 1, f"is no text; copy it to {target.name} if the new model's tests are to read it")
            continue
        if path.suffix == ".py":
            text = _with_modules(names.rename_text(without_markers(text)), modules)
        yield NewFile(target / relative.with_name(renamed_file_name(path.name, names)), text.encode())


def _with_modules(text: str, modules: Mapping[str, str]) -> str:
    """The text with the folder's modules called as they are now: tests import from each other."""
    words = "|".join(re.escape(module) for module in sorted(modules, key=len, reverse=True))
    return re.sub(rf"(?<![\w-])(?:{words})(?![\w-])", lambda match: modules[match.group()], text)


def renamed_file_name(file_name: str, names: Names) -> str:
    """A file's name with the folder's name in it replaced, as a whole word: `test_modeling_bert.py`."""
    word = rf"(?<![a-zA-Z0-9]){re.escape(names.old_name)}(?![a-zA-Z0-9])"
    return re.sub(word, names.new_folder, file_name)
