"""The lists of files that the scripts of a tree keep as plain text, a path a line: `utils/not_doctested.txt`, for one.

A script that reads such a list wants each path to exist and, where the list is sorted, at its place. So the new model's
file is listed beside the reference's where `like` writes it, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from add_model.scaffold.checkout.documentation import page_of, renamed_stem
from add_model.scaffold.checkout.edits import Names
from add_model.scaffold.checkout.reference import NOT_COPIED, TABLES_OF_KIND, kind_of
from add_model.scaffold.checkout.test_files import renamed_file_name
from add_model.scaffold.source_tree.edits import FileEdit, Reader, read_file
from add_model.scaffold.source_tree.insertions import Insertion, line_starts, newline_of


def text_list_edits(names: Names, read: Reader = read_file) -> Iterator[FileEdit]:
    """Adds the new model's files to every list that has the reference's.

    Raises:
        AddModelError: a list cannot be read.
    """
    for path in sorted((names.checkout.root / "utils").glob("*.txt")):
        content = read(path)
        insertions = tuple(_insertions(content, names, read))
        if insertions:
            yield FileEdit(path, content, insertions)


def _insertions(content: bytes, names: Names, read: Reader) -> Iterator[Insertion]:
    lines = content.splitlines()
    listed = {line.strip() for line in lines}
    starts, newline = line_starts(content), newline_of(content)
    is_sorted = lines == sorted(lines)
    for number, line in enumerate(lines):
        new = _renamed(line.strip().decode(errors="surrogateescape"), names, read)
        added = None if new is None else new.encode(errors="surrogateescape")
        if added is None or added in listed:
            continue
        place = sum(other < added for other in lines) if is_sorted else number + 1
        if place < len(lines) or content.endswith((b"\n", b"\r")):
            yield Insertion(starts[place] if place < len(starts) else len(content), added + newline)
        else:
            yield Insertion(len(content), newline + added)


def _renamed(listed: str, names: Names, read: Reader) -> str | None:
    """What stands in the new model's place of a file of the reference's; `None` where that is not written."""
    path = names.checkout.root / listed
    for folder, target in (
        (names.checkout.models_folder / names.old_folder, names.checkout.models_folder / names.new_folder),
        (names.checkout.tests_folder / names.old_name, names.checkout.tests_folder / names.new_folder),
    ):
        if path.is_relative_to(folder) and path.is_file() and _is_written(path, names):
            within = path.relative_to(folder)
            return _spelled(target / within.with_name(renamed_file_name(path.name, names)), names)
    page = page_of(names, read) if path.suffix in (".md", ".mdx") else None
    if page is not None and path == page:
        return _spelled(page.with_stem(renamed_stem(page.stem, names)), names)
    return None


def _is_written(path: Path, names: Names) -> bool:
    kind = kind_of(PurePosixPath(path.name))
    given = names.donation.tables if names.donation is not None else frozenset()
    return kind not in NOT_COPIED and given.isdisjoint(TABLES_OF_KIND.get(kind, ()))


def _spelled(path: Path, names: Names) -> str:
    return path.relative_to(names.checkout.root).as_posix()
