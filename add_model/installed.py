"""The packages that are installed: found on disk, and never imported."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from add_model.reading import read_bytes
from add_model.values import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

UNKNOWN_VERSION = "unknown"
_VERSION = r"""^__version__\s*(?::\s*str\s*)?=\s*["']([^"']+)["']"""
_METADATA_VERSION = r"^Version: *(\S+)"


def installed_package(name: str) -> Path | None:
    """The folder of an installed top-level package, found on disk and never imported; `None` where there is none.

    What an empty or relative entry of Python's path leads to is not installed: it is whatever lies in the current folder.
    """
    if not name.isidentifier():
        return None
    specification = _specification(name)
    if specification is None:
        return None
    for location in specification.submodule_search_locations or ():
        return Path(location)
    return None


def _specification(name: str) -> ModuleSpec | None:
    from importlib.machinery import PathFinder

    path = _path_of_python()
    for finder in sys.meta_path:
        if not hasattr(finder, "find_spec"):
            continue
        try:
            found = finder.find_spec(name, path if finder is PathFinder else None, None)
        except (ImportError, ValueError):
            return None
        if found is not None:
            return found
    return None


def _path_of_python() -> list[str]:
    """The entries of Python's path that lead to the same place from whatever folder it was started in."""
    told = os.environ.get("PYTHONPATH")
    # Python has made those of the environment absolute when it started.
    entries = told.split(os.pathsep) if told is not None else []
    from_here = {os.path.abspath(entry) for entry in entries if not os.path.isabs(entry)}
    return [entry for entry in sys.path if os.path.isabs(entry) and entry not in from_here]


def installed_version(package: str) -> str:
    """The version of an installed package, read off its files; `unknown` where they do not say."""
    folder = installed_package(package)
    return UNKNOWN_VERSION if folder is None else version_in(folder)


def version_in(folder: Path) -> str:
    """The version of the package in a folder, read off its files; `unknown` where they do not say."""
    for path, pattern in ((folder / "__init__.py", _VERSION), *_metadata(folder)):
        try:
            found = re.search(pattern, read_bytes(path).decode("utf-8", "replace"), re.MULTILINE)
        except OSError:
            continue
        if found is not None:
            return found[1]
    return UNKNOWN_VERSION


def _metadata(folder: Path) -> Iterator[tuple[Path, str]]:
    for metadata in sorted(folder.parent.glob(f"{folder.name}-*.dist-info")):
        yield metadata / "METADATA", _METADATA_VERSION
