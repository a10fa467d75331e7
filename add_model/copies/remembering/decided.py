"""The files that decide what is said of the sides of copies that differ, besides those that are checked.

What git knows of a tree is its last commit, and what it has in its index for renamed files; what fixes remember and what
versions are recorded stands in files of their own. As long as all of these are what they were, so is what was said.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from add_model.copies.finding import Code, Finding
from add_model.copies.remembering.kept import memory
from add_model.git import Repository, find_repository
from add_model.library import Library
from add_model.reading import read_settings
from add_model.state import STATE_FOLDER


def deciding_files(library: Library, findings: Iterable[Finding]) -> list[str] | None:
    """The paths that decide, some of which may lead to nothing; `None` where more than files has a say.

    Args:
        library: whose copies they are.
        findings: what was found; some of it about copies that differ.
    """
    root = Path(os.path.realpath(library.root))
    nested = {str(folder / ".git") for finding in findings if finding.code is Code.CP001 for folder in _between(library.root, finding.path)}  # fmt: skip
    if any(os.path.lexists(path) for path in nested):
        return None
    found = [*nested, *_records(library.root)]
    repository = find_repository(library.root)
    if repository is None:
        # Where there is none now there may be one later.
        found += [str(folder / ".git") for folder in (root, *root.parents)]
    else:
        told = _of_repository(repository)
        if told is None:
            return None
        found += told
    remembered = memory(library.root if repository is None else repository.common)
    return [*found, *([str(remembered)] if remembered is not None else [])]


def _of_repository(repository: Repository) -> list[str] | None:
    """The files that say which commit is the last, and what is in the index; `None` where no file says it."""
    head = repository.folder / "HEAD"
    try:
        text = read_settings(head).decode("utf-8", "surrogateescape").strip()
    except OSError:
        return None
    found = [head, repository.folder / "index", repository.common / "packed-refs", repository.top / ".git"]
    if text.startswith("ref: "):
        reference = repository.common / text.removeprefix("ref: ")
        if not reference.is_file() and not (repository.common / "packed-refs").is_file():
            return None
        found.append(reference)
    # The folder of git itself changes with every lock in it; a file in its place names another folder.
    return [str(path) for path in found if path != repository.top / ".git" or path.is_file()]


def _records(root: Path) -> Iterator[str]:
    models = root / STATE_FOLDER / "models"
    yield str(models)
    for folder in sorted(models.glob("*")):
        yield str(folder)
        yield str(folder / "copied.json")


def _between(root: Path, path: str) -> Iterator[Path]:
    """The folders between the root and a file, both left out."""
    folder = (root / path).parent
    while folder != root and folder.is_relative_to(root):
        yield folder
        folder = folder.parent
