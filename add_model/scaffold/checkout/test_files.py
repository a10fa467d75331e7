"""The reference's tests, renamed: a checkout that has them gets as many of the new model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from add_model.copies.marker import without_markers
from add_model.scaffold.checkout.edits import Names, NewFile, Reader, read_file

_NOT_COPIED = frozenset({"__pycache__"})


def renamed_tests(names: Names, read: Reader = read_file) -> Iterator[NewFile]:
    """Every file of the reference's folder of tests, in a folder of the new model's.

    Markers within are left out: a test is meant to change with its model. What is no Python text is copied as it is.

    Raises:
        AddModelError: a file cannot be read.
    """
    folder = names.checkout.tests_folder / names.old_name
    if not folder.is_dir():
        return
    target = names.checkout.tests_folder / names.new_folder
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or _NOT_COPIED & set(relative.parts):
            continue
        yield NewFile(target / relative.with_name(_renamed(path.name, names)), _content(path, names, read))


def _content(path: Path, names: Names, read: Reader) -> bytes:
    content = read(path)
    if path.suffix != ".py":
        return content
    try:
        return names.rename_text(without_markers(content.decode())).encode()
    except UnicodeDecodeError:
        return content


def _renamed(file_name: str, names: Names) -> str:
    """A file's name with the folder's name in it replaced, as a whole word: `test_modeling_bert.py`."""
    word = rf"(?<![a-zA-Z0-9]){re.escape(names.old_name)}(?![a-zA-Z0-9])"
    return re.sub(word, names.new_folder, file_name)
