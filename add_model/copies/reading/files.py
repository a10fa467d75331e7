"""Which files are checked: every module below the library's root, or what the user named, less what is excluded."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import translate
from pathlib import Path

from add_model.errors import AddModelError
from add_model.library import Library
from add_model.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

    Record = Any

# Folders that hold what others have written or what tools have made; some of these names may be those of packages.
_NEVER_SEARCHED = frozenset({"__pycache__", "node_modules", "site-packages", "__pypackages__"})
_MADE = frozenset({"build", "dist", "_build", "venv", "env"})
# What stands in a virtual environment, and in a checkpoint, which may bring the code of its model along.
_OF_TOOLS = frozenset({"pyvenv.cfg", "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"})

# Its path relative to the root, with forward slashes, and its path on disk.
CheckedFile = tuple[str, str]


class Tree(NamedTuple):
    """What was searched for files to check, and all that stood there.

    Attributes:
        files: those to check, sorted.
        modules: the path of every plain file that is a module, excluded ones included.
        folders: every folder that was searched.
        others: what else stood in those, as far as a path of a marker may lead there.
        doubtful: the folders of which more decides what stands in them than they themselves: those with links that
            look like modules, and those that could not be searched.
    """

    files: list[CheckedFile]
    modules: set[str]
    folders: set[str]
    others: set[str]
    doubtful: set[str]


def is_same_tree(first: Tree, second: Tree) -> bool:
    """Whether two searches have found the same. A folder with no module in it is nothing that could be found."""
    return first._replace(folders=set()) == second._replace(folders=set())


def tree_to_record(tree: Tree) -> Record:
    """A tree as plain data, and no path of a module more than once."""
    return tree.files, tree.modules.difference(path for _, path in tree.files), *tree[2:]


def tree_from_record(record: Record) -> Tree:
    """The tree that was made plain data."""
    files, excluded, folders, others, doubtful = record
    return Tree(files, {path for _, path in files if path not in others} | excluded, folders, others, doubtful)


def search(library: Library, paths: Sequence[Path] = ()) -> Tree:
    """Finds the files to check.

    Args:
        library: whose folders are searched, and whose exclusions hold.
        paths: files and folders to look at instead of those.

    Raises:
        AddModelError: one of the paths does not exist.
    """
    refuse_missing(paths)
    tree = Tree([], set(), set(), set(), set())
    found: set[str] = set()
    spellings = dict.fromkeys([*map(str, library.packages.values()), str(library.root)])
    for start in paths or library.folders:
        found.update(_modules(_in_library(start, spellings), tree))
    root, excluded = str(library.root), library.configuration.exclude
    files = sorted((relative_path(file, root), file) for file in found)
    if excluded:
        files = [file for file in files if not any(fits(file[0], pattern) for pattern in excluded)]
    tree.files.extend(files)
    return tree


def refuse_missing(paths: Iterable[Path]) -> None:
    """Raises `AddModelError` where one of the paths does not exist."""
    for path in paths:
        if not path.exists():
            raise AddModelError(f"{path}: no such file or folder; name files or folders of the library")


def fits(path: str, pattern: str) -> bool:
    """Whether a path is one of those that a glob pattern stands for."""
    return _compiled(os.path.normcase(pattern)).match(os.path.normcase(path)) is not None


# `fnmatch` forgets patterns where there are many, and compiles them anew for every path.
@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


def _in_library(path: Path, spellings: Collection[str]) -> str:
    """A path as the library itself spells it, by whatever way it was reached: a file has one name in a run.

    Args:
        path: a file or folder.
        spellings: the library's folders, as it spells them.
    """
    absolute = os.path.abspath(path)
    if any(folder in spellings for folder in at_and_above(absolute)):
        return absolute
    # The last part may be a link that is a module by itself.
    folder, name = (absolute, "") if os.path.isdir(absolute) else os.path.split(absolute)
    real = os.path.realpath(folder)
    for spelling in spellings:
        if _is_in(real, os.path.realpath(spelling)):
            return os.path.normpath(os.path.join(spelling, os.path.relpath(real, os.path.realpath(spelling)), name))
    return absolute


def at_and_above(path: str) -> Iterator[str]:
    """A path, and every folder above it."""
    yield path
    while (folder := os.path.dirname(path)) != path:
        yield folder
        path = folder


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def relative_path(path: str | Path, root: str | Path) -> str:
    """The path as reports show it: relative to the root where it lies below it, with forward slashes."""
    path, root = str(path), str(root)
    prefix = root if root.endswith(os.sep) else root + os.sep
    relative = path[len(prefix) :] if path.startswith(prefix) else path
    return relative if os.sep == "/" else relative.replace(os.sep, "/")


def _modules(start: str, tree: Tree) -> list[str]:
    """The Python files at or below a path; links to folders are not followed, hidden folders are passed over."""
    if not os.path.isdir(start):
        tree.doubtful.add(start)
        return [start]
    found, folders = [], [start]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            tree.doubtful.add(folder)
            continue
        tree.folders.add(folder)
        if folder != start and any(entry.name in _OF_TOOLS for entry in entries):
            tree.others.update(entry.path for entry in entries if can_be_named(entry.name))
            continue
        for entry in entries:
            path = entry.path
            if path.endswith(".py") and entry.is_file(follow_symlinks=False):
                tree.modules.add(path)
                found.append(path)
                continue
            if path.endswith(".py") and entry.is_symlink():
                tree.doubtful.add(folder)
            if path.endswith(".py") and not _leads_to_folder(entry):
                tree.others.add(path)
                found.append(path)
            elif entry.is_dir(follow_symlinks=False) and _is_searched(entry):
                folders.append(path)
            elif can_be_named(entry.name):
                tree.others.add(path)
    return found


def can_be_named(name: str) -> bool:
    """Whether what has this name may be a part of a dotted path."""
    return name.removesuffix(".py").isidentifier()


def _is_searched(entry: os.DirEntry[str]) -> bool:
    """Whether a folder may hold modules of the library's own."""
    name = entry.name
    if name.startswith(".") or name in _NEVER_SEARCHED:
        return False
    return name not in _MADE or os.path.isfile(os.path.join(entry.path, "__init__.py"))


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False
