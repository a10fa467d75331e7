"""The settings of ruff that apply in a library: those of its own files, and of no file that a tree only points to.

Ruff is run in a folder that stands for the library's, and what it is to read is written there, so that it never looks
into the tree itself: what a tree's settings say of files outside shows neither in a layout nor in a complaint.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tomlkit

from add_model.errors import AddModelError
from add_model.library import CONFIGURATION_FILE
from add_model.reading import read_settings
from add_model.toml_text import parse_toml

# In one folder the first that is there counts.
_SETTINGS_FILES = (".ruff.toml", "ruff.toml", CONFIGURATION_FILE)
_MOST_READ = 1_000_000  # bytes


class RuffSettings:
    """The settings that lie in a library, or in the nearest folder above it that has some.

    Attributes:
        top: the folder that the staging folder stands for: nothing outside of it is looked at.
        notes: what the settings ask for and do not get, each in a line.
    """

    def __init__(self, root: Path, default: str) -> None:
        """Finds the folder whose settings apply in a library.

        Args:
            root: the library's root.
            default: what applies where the root has no settings at all, as the text of a `ruff.toml`.

        Raises:
            AddModelError: a file of settings is not valid TOML.
        """
        self.notes: list[str] = []
        self._default: str | None = None
        self.top = root
        if not any((root / name).exists() for name in _SETTINGS_FILES):
            self._default = default
            return
        for folder in (root, *root.parents):
            self.top = folder
            if self._of_folder(folder) is not None:
                return
        self.top, self._default = root, _of_the_user()

    def write(self, staging: Path, paths: Iterable[Path]) -> None:
        """Writes what applies to modules at these paths below a folder that stands for the top.

        Raises:
            AddModelError: a file of settings is not valid TOML.
            OSError: it cannot be written.
        """
        if self._default is not None:
            (staging / "ruff.toml").write_text(self._default, encoding="utf-8")
        folders = {folder for path in paths for folder in path.parents if folder.is_relative_to(self.top)}
        written: set[Path] = set()
        for folder in sorted(folders):
            if folder == self.top and self._default is not None:
                continue
            for path in self._with_extended(self._of_folder(folder)):
                table = self._vetted(path, staging)
                if path not in written:
                    written.add(path)
                    place = staging / path.relative_to(self.top)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_text(tomlkit.dumps(table), encoding="utf-8")

    def _of_folder(self, folder: Path) -> Path | None:
        """The file in a folder that holds settings; `None` where there is none."""
        return next((path for name in _SETTINGS_FILES if self._table(path := folder / name) is not None), None)

    def _with_extended(self, path: Path | None) -> Iterator[Path]:
        """A file of settings, the one that it extends, and so on: as far as they are followed."""
        seen: set[Path] = set()
        while path is not None and path not in seen:
            seen.add(path)
            yield path
            path = self._extended(path, self._table(path) or {})

    def _extended(self, path: Path, table: dict[str, Any]) -> Path | None:
        """The file that another extends; `None` where it extends none, or one that is not followed."""
        value = table.get("extend")
        extended = self._inside(path.parent, value)
        return extended if extended is not None and self._table(extended) is not None else None

    def _vetted(self, path: Path, staging: Path) -> dict[str, Any]:
        """What is written of a file: ruff's own part, where nothing leads out any more."""
        table = dict(self._table(path) or {})
        if "extend" in table:
            extended = self._extended(path, table)
            if extended is None:
                self._note(f"{path}: `extend = {table.pop('extend')!r}` is not followed: only a file below {self.top} that is no link out of it is")  # fmt: skip
            else:
                table["extend"] = str(staging / extended.relative_to(self.top))
        if isinstance(sources := table.get("src"), list):
            inside = [self._inside(path.parent, source) for source in sources]
            table["src"] = [str(staging / source.relative_to(self.top)) for source in inside if source is not None]
            if None in inside:
                self._note(f"{path}: `src` is followed only as far as it stays below {self.top}")
        if path.name != CONFIGURATION_FILE:
            return table
        project = self._document(path).get("project")
        python = project.get("requires-python") if isinstance(project, dict) else None
        known = {"project": {"requires-python": python}} if isinstance(python, str) else {}
        return {**known, "tool": {"ruff": table}}

    def _inside(self, folder: Path, value: object) -> Path | None:
        """The path that a setting names; `None` for one that leads out of the top, or that is to be expanded first."""
        if not isinstance(value, str) or "\0" in value or value.startswith("~") or "$" in value:
            return None
        path = Path(os.path.normpath(folder / value))
        return path if path.is_relative_to(self.top) else None

    def _table(self, path: Path) -> dict[str, Any] | None:
        """Ruff's own part of a file; `None` where it has none."""
        document = self._document(path)
        if path.name != CONFIGURATION_FILE:
            return document if document or self._is_read(path) else None
        tools = document.get("tool")
        found = tools.get("ruff") if isinstance(tools, dict) else None
        return found if isinstance(found, dict) else None

    def _document(self, path: Path) -> dict[str, Any]:
        """A file's whole content; nothing where there is no such file, or it is one that is not read.

        Raises:
            AddModelError: it is not valid TOML.
        """
        if not self._is_read(path):
            return {}
        try:
            return parse_toml(read_settings(path).decode("utf-8-sig"))
        except OSError:
            return {}
        except ValueError as error:
            raise AddModelError(f"{path} is not valid TOML ({error})") from error

    def _is_read(self, path: Path) -> bool:
        """Whether a file is there, and is to be read; one that is there and is not to be is noted."""
        try:
            size = os.stat(path).st_size
        except OSError:
            return False
        if not os.path.realpath(path).startswith(os.path.join(os.path.realpath(self.top), "")):
            self._note(f"{path} is not followed: it is a link out of {self.top}")
        elif not path.is_file() or size > _MOST_READ:
            self._note(f"{path} is not followed: it is no file of settings")
        else:
            return True
        return False

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _of_the_user() -> str:
    """The text of settings that are the user's own, for everything that has none."""
    above = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(above if os.path.isabs(above) else os.path.expanduser("~/.config")) / "ruff"
    found = next((folder / name for name in _SETTINGS_FILES if (folder / name).is_file()), None)
    return tomlkit.dumps({"extend": str(found)} if found is not None else {})
