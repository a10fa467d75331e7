"""Lines that read like markers and stand outside of what a run has looked at, for a run that has found none to compare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from add_model.copies.reading.files import Tree, relative_path, search
from add_model.library import PROJECT_FILES, Library, library_at
from add_model.reading import read_bytes

_MARKER = re.compile(rb"^[ \t]*#[ \t]*Copied[ \t]+from[ \t]+[^\W\d]\w*(?:[./][^\W\d]\w*){2,}", re.MULTILINE)


def unseen(library: Library) -> str:
    """What to say of the markers that a run over a whole library has passed by; empty where it has not."""
    tree = search(library)
    looked_at = {path for _, path in tree.files}
    excluded = _told(library.root, _standing(tree, looked_at), "`exclude` leaves them out")
    if excluded:
        return excluded
    around = _project_around(library)
    if around is None:
        return ""
    found = _standing(search(library_at(around)), looked_at)
    return _told(around, found, f"check them with --root {around}")


def _project_around(library: Library) -> Path | None:
    """The folder of the project that a package which is checked alone belongs to."""
    if library.searched == (library.root,) or not library.searched:
        return None
    for folder in (library.root, *library.root.parents):
        if any((folder / name).exists() for name in (".git", *PROJECT_FILES)):
            return folder
    return None


def _standing(tree: Tree, looked_at: Iterable[str]) -> dict[str, int]:
    """How many such lines stand in each file that was not looked at."""
    counted = {}
    for path in sorted(tree.modules - set(looked_at)):
        try:
            count = len(_MARKER.findall(read_bytes(path)))
        except OSError:
            continue
        if count:
            counted[path] = count
    return counted


def _told(root: Path, counted: dict[str, int], remedy: str) -> str:
    if not counted:
        return ""
    lines, files = sum(counted.values()), len(counted)
    stand = "line that reads like a marker stands" if lines == 1 else "lines that read like markers stand"
    where = f"{files} other file{'' if files == 1 else 's'}, such as {relative_path(next(iter(counted)), root)}"
    return f"{lines} {stand} in {where}: {remedy}"
