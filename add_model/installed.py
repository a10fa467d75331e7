"""The packages that are installed: found on disk, and never imported."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from add_model.values import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


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
