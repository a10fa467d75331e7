"""Which files are checked: every module of the library's packages, or what the user named, less what is excluded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from add_model.errors import AddModelError
from add_model.library import Library

# Its path relative to the root, with forward slashes, and its path on disk.
CheckedFile = tuple[str, str]


def files_to_check(library: Library, paths: Sequence[Path] = ()) -> list[CheckedFile]:
    """The files, sorted.

    Args:
        library: whose packages are searched, and whose exclusions hold.
        paths: files and folders to look at instead of the packages.

    Raises:
        AddModelError: one of the paths does not exist.
    """
    for path in paths:
        if not path.exists():
            raise AddModelError(f"{path}: no such file or folder; name files or folders of the library")
    root = str(library.root)
    found = {file for start in paths or library.packages.values() for file in _modules(str(Path(start).absolute()))}
    files = sorted((relative_path(file, root), file) for file in found)
    excluded = library.configuration.exclude
    return (
        [file for file in files if not any(fnmatch(file[0], pattern) for pattern in excluded)] if excluded else files
    )


def relative_path(path: str | Path, root: str | Path) -> str:
    """The path as reports show it: relative to the root where it lies below it, with forward slashes."""
    path, root = str(path), str(root)
    prefix = root if root.endswith(os.sep) else root + os.sep
    return (path[len(prefix) :] if path.startswith(prefix) else path).replace(os.sep, "/")


def _modules(start: str) -> Iterator[str]:
    """The Python files at or below a path; links to folders are not followed, hidden folders are passed over."""
    if not os.path.isdir(start):
        yield start
        return
    folders = [start]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            if entry.name.endswith(".py") and not _leads_to_folder(entry):
                yield entry.path
            elif entry.is_dir(follow_symlinks=False) and not entry.name.startswith((".", "__pycache__")):
                folders.append(entry.path)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False
