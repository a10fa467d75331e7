"""Which folders of a tree the first name of a marker's path may stand for, beyond the packages that its layout shows.

A package lies at the top where no package is around it, wherever in the tree that is: several lie beside one another in
a repository of several projects, or in a folder of their own name. A folder without `__init__.py` can be imported from
as well, and so can a plain module; these count where a path leads to something in them. All of that is told from one
look at the tree, which the search for the files to check has taken.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property

from add_model.copies.reading.files import Tree
from add_model.library import Library

_INIT = "__init__.py"


class Layout:
    """The layout of one tree; looked into where a path begins with none of the library's packages."""

    def __init__(self, library: Library, tree: Callable[[], Tree]) -> None:
        self._root, self._look = str(library.root), tree

    @cached_property
    def _tree(self) -> Tree:
        return self._look()

    @cached_property
    def _packages(self) -> set[str]:
        """Every folder that is a package."""
        ending = os.sep + _INIT
        return {path[: -len(ending)] for path in self._tree.modules if path.endswith(ending)}

    @cached_property
    def packages(self) -> dict[str, list[str]]:
        """The packages at the top of the tree, by name; of several of a name the least deep first."""
        found: dict[str, list[str]] = {}
        tops = (folder for folder in self._packages if os.path.dirname(folder) not in self._packages)
        for folder in sorted(tops, key=_depth):
            found.setdefault(os.path.basename(folder), []).append(folder)
        return found

    @cached_property
    def _others(self) -> dict[str, list[str]]:
        """What else can be imported by one name: folders that are no packages, and modules without their ending."""
        found: dict[str, list[str]] = {}
        folders = (folder for folder in self._tree.folders if folder not in self._packages)
        modules = (path.removesuffix(".py") for path in self._tree.modules)
        for path in sorted({*folders, *modules}, key=_depth):
            if self._is_importable_from(os.path.dirname(path)):
                found.setdefault(os.path.basename(path), []).append(path)
        if self._root in self._packages:
            for folder in sorted(self._packages):
                if os.path.dirname(folder) == self._root:
                    found.setdefault(os.path.basename(folder), []).insert(0, folder)
        return found

    def others(self, top: str) -> list[str]:
        """The folders and modules of that name which are no package at the top, but can be imported from where they lie."""
        return self._others.get(top, [])

    def modules_in(self, folder: str) -> list[str] | None:
        """The modules of a package that lies in the tree, as they lie; `None` for one that does not."""
        if folder not in self._packages:
            return None
        start = folder + os.sep
        inside = (path for path in self._tree.modules if path.startswith(start))
        return sorted(path for path in inside if self._is_importable_below(folder, os.path.dirname(path)))

    def _is_importable_below(self, package: str, folder: str) -> bool:
        while folder != package:
            if folder not in self._packages:
                return False
            folder = os.path.dirname(folder)
        return True

    def within(self, top: str) -> list[str]:
        """The folders of that name in packages of another, as dotted paths: where a mirror of a package lies."""
        found = []
        for folder in sorted(self._tree.folders, key=_depth):
            if os.path.basename(folder) == top and (above := os.path.dirname(folder)) in self._packages:
                names = [top]
                while above in self._packages:
                    names.append(os.path.basename(above))
                    above = os.path.dirname(above)
                found.append(".".join(reversed(names)))
        return found

    def _is_importable_from(self, folder: str) -> bool:
        # Python puts a folder on its path for a script in it, and the root for whoever is started there.
        return folder not in self._packages or folder == self._root


def _depth(path: str) -> tuple[int, str]:
    return path.count(os.sep), path
