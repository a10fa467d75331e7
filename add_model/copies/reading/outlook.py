"""What of the disk, other than the text of files, decides where a path leads: asked once, and kept to be asked again."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path

from add_model.copies.reading.files import Tree, can_be_named
from add_model.installed import UNKNOWN_VERSION, installed_package, version_in
from add_model.library import Library
from add_model.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


class Kind(Enum):
    """What stands at a path."""

    ABSENT = 0
    FILE = 1
    OTHER = 2


class Outlook:
    """Every question that was asked about the disk, with its answer.

    Attributes:
        kinds: what stands at a path; less what is known from the search for the files to check.
        folders: the names of the modules and folders in a folder.
        packages: the folder of an installed package.
        versions: the version of one.
    """

    def __init__(
        self,
        kinds: dict[str, Kind] | None = None,
        folders: dict[str, list[str]] | None = None,
        packages: dict[str, str | None] | None = None,
        versions: dict[str, str] | None = None,
        tree: Tree | None = None,
        environment: Path | None = None,
        root: Path | None = None,
    ) -> None:
        self.kinds, self.folders, self.packages = kinds or {}, folders or {}, packages or {}
        self.versions = versions or {}
        self._environment, self._root = environment, root
        self._tree = tree or Tree([], set(), set(), set(), set())

    def kind(self, path: str) -> Kind:
        """What stands at a path."""
        known = self._searched(path) or self.kinds.get(path)
        if known is None:
            known = self.kinds[path] = _kind(path)
        return known

    def has_folder(self, path: str) -> bool:
        """Whether a folder stands at a path, or anything else that is no file; folders come and go unsearched."""
        known = self.kinds.get(path)
        if known is None:
            known = self.kinds[path] = _kind(path)
        return known is Kind.OTHER

    def _searched(self, path: str) -> Kind | None:
        """What the search for the files to check has found at a path; `None` where it did not look."""
        tree = self._tree
        if path in tree.modules:
            return Kind.FILE
        folder = os.path.dirname(path)
        while folder not in tree.folders:
            # Below what is not there, or is a file, stands nothing.
            path, folder = folder, os.path.dirname(folder)
            if path == folder:
                return None
        is_known = path not in tree.folders and path not in tree.others and can_be_named(os.path.basename(path))
        return Kind.ABSENT if is_known else None

    def entries(self, folder: str) -> list[str]:
        """The names of the modules and folders in a folder; none where it cannot be read."""
        known = self.folders.get(folder)
        if known is None:
            known = self.folders[folder] = _entries(folder)
        return known

    def package(self, name: str) -> str | None:
        """The folder of an installed package."""
        if name not in self.packages:
            found = installed_package(name, self._environment, self._root)
            self.packages[name] = None if found is None else str(found)
        return self.packages[name]

    def version(self, name: str) -> str:
        """The version of an installed package; `unknown` where its files do not say."""
        if name not in self.versions:
            folder = self.package(name)
            self.versions[name] = UNKNOWN_VERSION if folder is None else version_in(Path(folder))
        return self.versions[name]

    def to_record(self) -> Any:
        """The answers as plain data."""
        kinds: dict[str, list[str]] = {kind.name: [] for kind in Kind}
        for path, kind in self.kinds.items():
            kinds[kind.name].append(path)
        return kinds, self.folders, self.packages, self.versions

    @classmethod
    def from_record(cls, record: Any, library: Library) -> Outlook:
        """The answers about a library that were made plain data."""
        kinds, folders, packages, versions = record
        kinds = {path: Kind[name] for name, paths in kinds.items() for path in paths}
        return cls(kinds, folders, packages, versions, environment=library.environment, root=library.root)

    def is_current(self) -> bool:
        """Whether every answer would be the same now."""
        now = Outlook(environment=self._environment, root=self._root)
        return (
            all(now.kind(path) is kind for path, kind in self.kinds.items())
            and all(now.entries(folder) == entries for folder, entries in self.folders.items())
            and all(now.package(name) == folder for name, folder in self.packages.items())
            and all(now.version(name) == version for name, version in self.versions.items())
        )

    def add(self, other: Outlook) -> None:
        """Takes over what was asked elsewhere."""
        self.kinds.update(other.kinds)
        self.folders.update(other.folders)
        self.packages.update(other.packages)
        self.versions.update(other.versions)


def _kind(path: str) -> Kind:
    if os.path.isfile(path):
        return Kind.FILE
    return Kind.OTHER if os.path.exists(path) else Kind.ABSENT


def _entries(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name.removesuffix(".py") for entry in entries if entry.name.endswith(".py") or entry.is_dir()
            )
    except OSError:
        return []
