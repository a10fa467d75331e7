"""What of the disk, other than the text of files, decides where a path leads: asked once, and kept to be asked again."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from add_model.library import installed_package


class Kind(Enum):
    """What stands at a path."""

    ABSENT = 0
    FILE = 1
    OTHER = 2


@dataclass
class Outlook:
    """Every question that was asked about the disk, with its answer.

    Attributes:
        kinds: what stands at a path.
        folders: the names of the modules and folders in a folder.
        packages: the folder of an installed package.
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    folders: dict[str, list[str]] = field(default_factory=dict)
    packages: dict[str, str | None] = field(default_factory=dict)

    def kind(self, path: str) -> Kind:
        """What stands at a path."""
        known = self.kinds.get(path)
        if known is None:
            known = self.kinds[path] = _kind(path)
        return known

    def entries(self, folder: str) -> list[str]:
        """The names of the modules and folders in a folder; none where it cannot be read."""
        known = self.folders.get(folder)
        if known is None:
            known = self.folders[folder] = _entries(folder)
        return known

    def package(self, name: str) -> Path | None:
        """The folder of an installed package."""
        if name not in self.packages:
            found = installed_package(name)
            self.packages[name] = None if found is None else str(found)
        folder = self.packages[name]
        return None if folder is None else Path(folder)

    def is_current(self, files: Iterable[str] = ()) -> bool:
        """Whether every answer would be the same now, where these files are there."""
        now = Outlook(dict.fromkeys(files, Kind.FILE))
        return (
            all(now.kind(path) is kind for path, kind in self.kinds.items())
            and all(now.entries(folder) == entries for folder, entries in self.folders.items())
            and all(now.package(name) == (folder and Path(folder)) for name, folder in self.packages.items())
        )

    def add(self, other: Outlook) -> None:
        """Takes over what was asked elsewhere."""
        self.kinds.update(other.kinds)
        self.folders.update(other.folders)
        self.packages.update(other.packages)


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
